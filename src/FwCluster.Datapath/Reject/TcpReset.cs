using System.Buffers.Binary;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Datapath.Reject;

/// <summary>The RST that answers a TCP segment (<c>nf_send_reset</c>, <c>nf_send_reset6</c>).</summary>
internal static class TcpReset
{
    private const int TcpBytes = 20;
    private const ushort DontFragment = 0x4000;

    public static int Write(in PacketContext packet, in RejectRoute route, Span<byte> answer)
    {
        ref readonly var headers = ref packet.Headers;
        if (!CanBeReset(in packet, in route)) return 0;

        var headerBytes = headers.Family == IpFamily.IPv4 ? AnswerHeader.IPv4Bytes : AnswerHeader.IPv6Bytes;
        answer = answer[..(headerBytes + TcpBytes)];
        var reset = AnswerHeader.For(in headers, IpProtocol.Tcp, headers.Destination, headerBytes, answer.Length);
        reset.Ttl = route.Ttl;
        if (headers.Family == IpFamily.IPv4) AnswerHeader.WriteIPv4(answer, headerBytes, 0, DontFragment, in reset);
        else AnswerHeader.WriteIPv6(answer, 0, in reset);
        WriteSegment(in headers, packet.Packet[headers.TransportOffset..], answer[headerBytes..]);
        Checksum.WriteTransport(in reset, answer);
        return answer.Length;
    }

    /// <summary>nf_reject_ip_tcphdr_get, nf_reject_ip6_tcphdr_get: a whole fixed header, no RST, a right checksum; and one receiver.</summary>
    private static bool CanBeReset(in PacketContext packet, in RejectRoute route)
    {
        ref readonly var headers = ref packet.Headers;
        if (headers.Protocol != IpProtocol.Tcp || headers.FragmentOffset != 0) return false;
        if (packet.Packet.Length < headers.TransportOffset + TcpBytes || (headers.TcpFlags & TcpFlags.Rst) != 0) return false;
        var destination = packet.AddressTypes.TypeOf(headers.Family, headers.Destination);
        if ((destination & (AddressType.Unspec | AddressType.Multicast | AddressType.Broadcast)) != 0) return false;
        return route.ChecksumIsTrusted || RejectedChecksum.IsRight(in headers, packet.Packet);
    }

    /// <summary>RFC 9293 section 3.10.7.1: at the sequence number that the segment acknowledges, else acknowledging all of the segment.
    /// Its length is told from its data offset, also where that lies.</summary>
    private static void WriteSegment(in PacketHeaders headers, ReadOnlySpan<byte> segment, Span<byte> reset)
    {
        reset.Clear();
        BinaryPrimitives.WriteUInt16BigEndian(reset, headers.DestinationPort);
        BinaryPrimitives.WriteUInt16BigEndian(reset[2..], headers.SourcePort);
        reset[12] = TcpBytes / 4 << 4;
        reset[13] = (byte)TcpFlags.Rst;
        if ((headers.TcpFlags & TcpFlags.Ack) != 0)
        {
            BinaryPrimitives.WriteUInt32BigEndian(reset[4..], headers.TcpAcknowledgment);
            return;
        }
        var counted = (headers.TcpFlags & TcpFlags.Syn) != 0 ? 1 : 0;
        if ((headers.TcpFlags & TcpFlags.Fin) != 0) counted++;
        var length = headers.TransportLength - (segment[12] >> 4) * 4;
        BinaryPrimitives.WriteUInt32BigEndian(reset[8..], unchecked(headers.TcpSequence + (uint)(counted + length)));
        reset[13] |= (byte)TcpFlags.Ack;
    }
}
