using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary><c>-m pkttype</c>: to whom the link layer addressed the packet (<c>pkttype_mt</c> in xt_pkttype.c).</summary>
/// <param name="type">To whom.</param>
/// <param name="isInverted">True for <c>! --pkt-type</c>.</param>
public sealed class PacketTypeMatch(LinkPacketType type, bool isInverted) : Match
{
    /// <inheritdoc/>
    public override string Name => "pkttype";

    private string TypeName => PacketTypeMatchExtension.Types.First(t => t.Type == type).Name;

    /// <inheritdoc/>
    /// <remarks>Until it reaches a device, a packet that this host sends is to the kernel one to the host.</remarks>
    public override bool Matches(ref PacketContext packet, ref bool hotDrop)
    {
        var found = packet.Link.PacketType == LinkPacketType.Outgoing ? LinkPacketType.Host : packet.Link.PacketType;
        return (found == type) != isInverted;
    }

    /// <inheritdoc/>
    public override void Write(RuleWriter writer)
        => writer.Option("--pkt-type", isInverted).Word(TypeName);

    /// <inheritdoc/>
    public override void List(ListingWriter writer) => writer.Words($"PKTTYPE {(isInverted ? "!" : "")}= {TypeName}");
}
