using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary><c>-m addrtype</c>: what kind of address it is to this host (<c>addrtype_mt_v1</c> in xt_addrtype.c).</summary>
public sealed class AddressTypeMatch : Match
{
    /// <summary>Types of the source; none to leave it.</summary>
    public AddressType Source { get; init; }

    /// <summary>True for <c>! --src-type</c>.</summary>
    public bool IsSourceInverted { get; init; }

    /// <summary>Types of the destination; none to leave it.</summary>
    public AddressType Destination { get; init; }

    /// <summary>True for <c>! --dst-type</c>.</summary>
    public bool IsDestinationInverted { get; init; }

    /// <summary>Only what the interface that the packet came in by knows of the address.</summary>
    public bool LimitToIn { get; init; }

    /// <summary>Only what the interface that the packet leaves by knows of the address.</summary>
    public bool LimitToOut { get; init; }

    /// <inheritdoc/>
    public override string Name => "addrtype";

    /// <inheritdoc/>
    public override bool Matches(ref PacketContext packet, ref bool hotDrop)
        => (Source == 0 || Is(ref packet, packet.Headers.Source, Source) != IsSourceInverted)
            && (Destination == 0 || Is(ref packet, packet.Headers.Destination, Destination) != IsDestinationInverted);

    /// <inheritdoc/>
    public override void Write(RuleWriter writer)
    {
        if (Source != 0) writer.Option("--src-type", IsSourceInverted).Word(AddressTypeMatchExtension.Names(Source));
        if (Destination != 0) writer.Option("--dst-type", IsDestinationInverted).Word(AddressTypeMatchExtension.Names(Destination));
        if (LimitToIn) writer.Word("--limit-iface-in");
        if (LimitToOut) writer.Word("--limit-iface-out");
    }

    /// <inheritdoc/>
    public override void List(ListingWriter writer)
    {
        writer.Words("ADDRTYPE match");
        if (Source != 0) writer.Words("src-type " + (IsSourceInverted ? "!" : "") + AddressTypeMatchExtension.Names(Source));
        if (Destination != 0) writer.Words("dst-type " + (IsDestinationInverted ? "!" : "") + AddressTypeMatchExtension.Names(Destination));
        if (LimitToIn) writer.Words("limit-in");
        if (LimitToOut) writer.Words("limit-out");
    }

    private bool Is(ref PacketContext packet, IpAddress address, AddressType types)
        => packet.Headers.Family == IpFamily.IPv4 ? (types & TypeOf(ref packet, address)) != 0 : IsV6(ref packet, address, types);

    /// <summary>For IPv6, types that the address itself tells must all hold, and of those that routing tells, one
    /// (<c>match_type6</c>).</summary>
    private bool IsV6(ref PacketContext packet, IpAddress address, AddressType types)
    {
        const AddressType Routed = AddressType.Local | AddressType.Anycast | AddressType.Unreachable;
        var isMulticast = address.High >> 56 == 0xff;
        var isAny = address == default;
        // IPv4-mapped addresses are no unicast addresses to the kernel (__ipv6_addr_type).
        var isUnicast = !isMulticast && !isAny && !(address.High == 0 && address.Low >> 32 == 0xffff);
        if ((types & AddressType.Multicast) != 0 && !isMulticast) return false;
        if ((types & AddressType.Unicast) != 0 && !isUnicast) return false;
        if ((types & AddressType.Unspec) != 0 && !isAny) return false;
        return (types & Routed) == 0 || (types & Routed & TypeOf(ref packet, address)) != 0;
    }

    private AddressType TypeOf(ref PacketContext packet, IpAddress address)
    {
        var on = LimitToIn ? packet.In : LimitToOut ? packet.Out : default;
        return on.IsEmpty
            ? packet.AddressTypes.TypeOf(packet.Headers.Family, address)
            : packet.AddressTypes.TypeOf(packet.Headers.Family, address, on);
    }
}
