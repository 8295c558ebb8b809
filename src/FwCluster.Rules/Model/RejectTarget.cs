using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Model;

/// <summary><c>-j REJECT --reject-with TYPE</c>: the packet is dropped, and whoever holds it tells its sender.</summary>
/// <param name="type">What the sender is told; IPv4's default where nothing is said.</param>
public sealed class RejectTarget(RejectType type = RejectType.IcmpPortUnreachable) : Target
{
    /// <summary>What the sender is told.</summary>
    public RejectType Type { get; } = type;

    /// <inheritdoc/>
    public override string Name => "REJECT";

    /// <inheritdoc/>
    public override Verdict Apply(ref PacketContext packet) => Verdict.Reject;

    /// <inheritdoc/>
    public override void List(ListingWriter writer) => writer.Words("reject-with").Words(Type.Name());

    /// <inheritdoc/>
    public override void Write(RuleWriter writer) => writer.Word("--reject-with").Word(Type.Name());
}
