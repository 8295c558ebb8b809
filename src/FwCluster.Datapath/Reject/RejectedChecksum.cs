using System.Buffers.Binary;
using FwCluster.Packets;

namespace FwCluster.Datapath.Reject;

/// <summary>
/// The checksum of a packet before it is answered: <c>nf_reject_verify_csum</c>, <c>nf_ip_checksum</c> and <c>nf_ip6_checksum</c>. It is
/// not tracking's checksum: a protocol that is not known is taken to have an Internet checksum over its whole payload, so that most
/// packets of such protocols get no answer. (Since Linux 6.16, which does not know it any more, DCCP is one of them.)
/// </summary>
internal static class RejectedChecksum
{
    private const int UdpChecksumAt = 6;
    private const int UdpHeaderBytes = 8;

    /// <summary>Whether an ICMP error may answer the packet, as far as its checksum goes.</summary>
    public static bool AllowsError(in PacketHeaders headers, ReadOnlySpan<byte> packet)
        => !HasOneToVerify(in headers, packet) || IsRight(in headers, packet);

    /// <summary>Whether the packet's checksum is right; true where the packet is not there to its end.</summary>
    public static bool IsRight(in PacketHeaders headers, ReadOnlySpan<byte> packet)
    {
        if (packet.Length < headers.TotalLength) return true;
        var transport = packet[headers.TransportOffset..headers.TotalLength];
        var hasPseudoHeader = headers.Family == IpFamily.IPv6 || headers.Protocol is IpProtocol.Tcp or IpProtocol.Udp;
        uint sum = Checksum.Sum(transport);
        // The kernel sums the IPv4 header with it, which comes to all ones: so zeroes are as right as ones.
        if (!hasPseudoHeader) return sum is 0 or 0xffff;
        sum += PseudoHeader(in headers);
        return (sum & 0xffff) + (sum >> 16) == 0xffff;
    }

    private static bool HasOneToVerify(in PacketHeaders headers, ReadOnlySpan<byte> packet) => headers.Protocol switch
    {
        IpProtocol.Udp => packet.Length < headers.TransportOffset + UdpHeaderBytes
            || BinaryPrimitives.ReadUInt16BigEndian(packet[(headers.TransportOffset + UdpChecksumAt)..]) != 0,
        IpProtocol.Gre or IpProtocol.Ah or IpProtocol.Esp or IpProtocol.Sctp or IpProtocol.UdpLite => false,
        _ => true,
    };

    private static ushort PseudoHeader(in PacketHeaders headers)
    {
        Span<byte> pseudo = stackalloc byte[40];
        var addressBytes = headers.Family.AddressBytes();
        headers.Source.Write(headers.Family, pseudo);
        headers.Destination.Write(headers.Family, pseudo[addressBytes..]);
        BinaryPrimitives.WriteInt32BigEndian(pseudo[(2 * addressBytes)..], headers.TransportLength);
        BinaryPrimitives.WriteUInt32BigEndian(pseudo[(2 * addressBytes + 4)..], headers.Protocol);
        return Checksum.Sum(pseudo[..(2 * addressBytes + 8)]);
    }
}
