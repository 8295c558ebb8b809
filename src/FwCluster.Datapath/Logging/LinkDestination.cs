using FwCluster.Packets;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Datapath.Logging;

/// <summary>The Ethernet address that a packet was sent to.</summary>
internal static class LinkDestination
{
    private const ulong Everybody = 0xffff_ffff_ffff;
    private const ulong IPv4Group = 0x0100_5e00_0000;
    private const ulong IPv6Group = 0x3333_0000_0000;

    /// <summary>
    /// The frame's; where there is no frame but the interface is known, the one that belongs to the IP address: for a group its own (RFC 1112,
    /// section 6.4; RFC 2464, section 7), for a broadcast everybody's, else the interface's, or the packet would not have come in by it.
    /// </summary>
    public static bool TryFind(in PacketContext packet, out ulong address)
    {
        ref readonly var link = ref packet.Link;
        address = link.DestinationMac;
        if (link.HasDestinationMac) return true;
        if (!link.HasInterfaceMac) return false;
        var (family, to) = (packet.Headers.Family, packet.Headers.Destination);
        var type = packet.AddressTypes.TypeOf(family, to);
        address = (type & AddressType.Broadcast) != 0 ? Everybody
            : (type & AddressType.Multicast) == 0 ? link.InterfaceMac
            : family == IpFamily.IPv4 ? IPv4Group | to.Low & 0x7f_ffff
            : IPv6Group | to.Low & 0xffff_ffff;
        return true;
    }
}
