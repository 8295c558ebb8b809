using FwCluster.Rules.Evaluation;

namespace FwCluster.Rules.Model;

/// <summary><c>-j REJECT --reject-with TYPE</c>.</summary>
public sealed class RejectTarget : Target
{
    /// <inheritdoc/>
    public override string Name => "REJECT";

    /// <inheritdoc/>
    public override Verdict Apply(ref PacketContext packet) => Verdict.Reject;
}
