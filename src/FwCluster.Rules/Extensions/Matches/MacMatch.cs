using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary><c>-m mac</c>: the sender's Ethernet address (<c>mac_mt</c> in xt_mac.c). A packet without one does not match, inverted or not.</summary>
/// <param name="address">The address in the low 48 bits, first byte highest.</param>
/// <param name="isInverted">True for <c>! --mac-source</c>.</param>
public sealed class MacMatch(ulong address, bool isInverted) : Match
{
    /// <inheritdoc/>
    public override string Name => "mac";

    private string Address => string.Join(':', Enumerable.Range(0, 6).Select(i => $"{address >> 8 * (5 - i) & 0xff:x2}"));

    /// <inheritdoc/>
    public override bool Matches(ref PacketContext packet, ref bool hotDrop)
        => packet.Link.HasSourceMac && (packet.Link.SourceMac == address) != isInverted;

    /// <inheritdoc/>
    public override void Write(RuleWriter writer)
        => writer.Option("--mac-source", isInverted).Word(Address);

    /// <inheritdoc/>
    public override void List(ListingWriter writer) => writer.Words($"MAC {(isInverted ? "! " : "")}{Address}");
}
