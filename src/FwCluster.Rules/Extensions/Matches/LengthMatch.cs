using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary><c>-m length</c>: bytes of the IP packet (<c>length_mt</c> in xt_length.c).</summary>
/// <param name="lengths">The lengths.</param>
/// <param name="isInverted">True for <c>! --length</c>.</param>
public sealed class LengthMatch(NumberRange lengths, bool isInverted) : Match
{
    /// <inheritdoc/>
    public override string Name => "length";

    /// <inheritdoc/>
    public override bool Matches(ref PacketContext packet, ref bool hotDrop)
        => lengths.Contains((uint)packet.Headers.TotalLength) != isInverted;

    /// <inheritdoc/>
    public override void Write(RuleWriter writer) => lengths.Write(writer, "--length", isInverted);

    /// <inheritdoc/>
    public override void List(ListingWriter writer) => writer.Words($"length {(isInverted ? "!" : "")}{lengths}");
}
