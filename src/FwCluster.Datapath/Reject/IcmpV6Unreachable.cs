using FwCluster.Packets;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Datapath.Reject;

/// <summary>ICMPv6 "destination unreachable" for a rejected IPv6 packet (<c>nf_send_unreach6</c>, <c>icmp6_send</c>).</summary>
internal static class IcmpV6Unreachable
{
    private const byte DestinationUnreachable = 1;
    private const byte FirstInformationalType = 128;

    public static int Write(int code, in PacketContext packet, in RejectRoute route, Span<byte> answer)
    {
        ref readonly var headers = ref packet.Headers;
        if (!CanBeAnswered(in packet, in route)) return 0;
        var source = Source(in packet, in route);
        if (source == default) return 0;

        const int head = AnswerHeader.IPv6Bytes + AnswerHeader.IcmpBytes;
        answer = answer[..Math.Min(head + packet.Packet.Length, RejectAnswer.MaxBytes)];
        var error = AnswerHeader.For(in headers, IpProtocol.IcmpV6, source, AnswerHeader.IPv6Bytes, answer.Length);
        error.Ttl = route.Ttl;
        AnswerHeader.WriteIPv6(answer, route.FlowLabel, in error);
        answer[AnswerHeader.IPv6Bytes..head].Clear();
        answer[AnswerHeader.IPv6Bytes] = DestinationUnreachable;
        answer[AnswerHeader.IPv6Bytes + 1] = (byte)code;
        AnswerHeader.Quote(in headers, packet.Packet, answer[head..]);
        Checksum.WriteTransport(in error, answer);
        return answer.Length;
    }

    private static bool CanBeAnswered(in PacketContext packet, in RejectRoute route)
    {
        ref readonly var headers = ref packet.Headers;
        if (!route.ChecksumIsTrusted && !ChecksumAllows(in headers, packet.Packet)) return false;
        if (packet.Hook != Hook.Output && packet.Link.PacketType != LinkPacketType.Host) return false;
        if ((packet.AddressTypes.TypeOf(IpFamily.IPv6, headers.Destination) & AddressType.Multicast) != 0) return false;
        if (headers.Protocol != IpProtocol.IcmpV6 || headers.FragmentOffset != 0) return true;
        // is_ineligible: no error about an error; a first fragment that ends before the type may be answered.
        return packet.Packet.Length > headers.TransportOffset
            ? packet.Packet[headers.TransportOffset] >= FirstInformationalType
            : headers.IsFragment;
    }

    /// <summary>reject6_csum_ok: there is a transport, and its checksum is right.</summary>
    private static bool ChecksumAllows(in PacketHeaders headers, ReadOnlySpan<byte> packet)
    {
        var hasTransport = headers.FragmentOffset == 0 && headers.TransportOffset < headers.TotalLength
            && headers.Protocol is not (IpProtocol.HopByHop or IpProtocol.Routing or IpProtocol.Fragment or IpProtocol.Ah
                or IpProtocol.NoNextHeader or IpProtocol.DestinationOptions);
        return hasTransport && RejectedChecksum.AllowsError(in headers, packet);
    }

    private static IpAddress Source(in PacketContext packet, in RejectRoute route)
    {
        var destination = packet.AddressTypes.TypeOf(IpFamily.IPv6, packet.Headers.Destination);
        if (packet.Hook == Hook.Input || (destination & AddressType.Local) != 0) return packet.Headers.Destination;
        return packet.Hook == Hook.Output ? packet.Headers.Source : route.Source;
    }
}
