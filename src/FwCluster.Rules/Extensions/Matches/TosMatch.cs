using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary><c>-m tos</c>: type of service, traffic class (<c>tos_mt</c> in xt_dscp.c).</summary>
/// <param name="value">The value.</param>
/// <param name="mask">Which bits of it are compared.</param>
/// <param name="isInverted">True for <c>! --tos</c>.</param>
public sealed class TosMatch(byte value, byte mask, bool isInverted) : Match
{
    /// <inheritdoc/>
    public override string Name => "tos";

    /// <inheritdoc/>
    public override bool Matches(ref PacketContext packet, ref bool hotDrop)
        => ((packet.Headers.Tos & mask) == value) != isInverted;

    /// <inheritdoc/>
    public override void Write(RuleWriter writer) => writer.Option("--tos", isInverted).Word($"0x{value:x2}/0x{mask:x2}");

    /// <inheritdoc/>
    public override void List(ListingWriter writer) => writer.Words($"tos match{(isInverted ? "!" : "")}0x{value:x2}/0x{mask:x2}");
}
