using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary><c>-m dscp</c>: the upper six bits of the type of service (<c>dscp_mt</c> in xt_dscp.c).</summary>
/// <param name="value">0 to 63.</param>
/// <param name="isInverted">True for <c>!</c>.</param>
public sealed class DscpMatch(byte value, bool isInverted) : Match
{
    /// <inheritdoc/>
    public override string Name => "dscp";

    /// <inheritdoc/>
    public override bool Matches(ref PacketContext packet, ref bool hotDrop) => (packet.Headers.Tos >> 2 == value) != isInverted;

    /// <inheritdoc/>
    public override void Write(RuleWriter writer) => writer.Option("--dscp", isInverted).Word($"0x{value:x2}");

    /// <inheritdoc/>
    public override void List(ListingWriter writer) => writer.Words($"DSCP match {(isInverted ? "!" : "")}0x{value:x2}");
}
