using FwCluster.Packets;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Rules.Sets;

/// <summary>The port of a packet as sets know it (<c>get_port</c> in ip_set_getport.c): of ICMP its type and code, of other protocols 0.</summary>
internal static class SetPort
{
    /// <summary>Reads it; false where the packet should have one and has not.</summary>
    public static bool TryRead(ref PacketContext packet, bool ofSource, out ushort port)
    {
        ref readonly var headers = ref packet.Headers;
        port = 0;
        if (headers.Family == IpFamily.IPv6 && headers.FragmentOffset != 0) return false;
        var needed = headers.Protocol switch
        {
            IpProtocol.Tcp => 20,
            IpProtocol.Sctp => 12,
            IpProtocol.Udp or IpProtocol.UdpLite or IpProtocol.Icmp or IpProtocol.IcmpV6 => 8,
            _ => 0,
        };
        if (needed == 0) return headers.Family == IpFamily.IPv6 || headers.Protocol != 0;
        if (headers.FragmentOffset != 0 || headers.TransportLength < needed) return false;
        port = headers.Protocol is IpProtocol.Icmp or IpProtocol.IcmpV6
            ? (ushort)(headers.IcmpType << 8 | headers.IcmpCode)
            : ofSource ? headers.SourcePort : headers.DestinationPort;
        return true;
    }
}
