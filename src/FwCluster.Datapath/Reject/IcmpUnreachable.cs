using FwCluster.Packets;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Datapath.Reject;

/// <summary>ICMP "destination unreachable" for a rejected IPv4 packet (<c>nf_send_unreach</c>, <c>__icmp_send</c>).</summary>
internal static class IcmpUnreachable
{
    private const byte DestinationUnreachable = 3;
    private const int LongestError = 576;
    private const byte TosMask = 0x1e;
    private const byte InternetworkControl = 0xc0;

    /// <summary>What an error comes from where the host has no address (RFC 7600 section 6).</summary>
    private static readonly IpAddress Dummy = new(0, 0xc000_0008);

    public static int Write(int code, in PacketContext packet, in RejectRoute route, Span<byte> answer)
    {
        ref readonly var headers = ref packet.Headers;
        if (!CanBeAnswered(in packet, in route)) return 0;

        Span<byte> options = stackalloc byte[OptionsEcho.MaxBytes];
        var source = Source(in packet, in route);
        if (!OptionsEcho.TryWrite(in packet, source, options, out var optionsBytes)) return 0;
        var headerBytes = AnswerHeader.IPv4Bytes + optionsBytes;
        var room = Math.Min(route.Mtu, LongestError) - headerBytes - AnswerHeader.IcmpBytes;
        if (room <= AnswerHeader.IPv4Bytes) return 0;
        var quoted = Math.Min(room, packet.Packet.Length);

        answer = answer[..(headerBytes + AnswerHeader.IcmpBytes + quoted)];
        options[..optionsBytes].CopyTo(answer[AnswerHeader.IPv4Bytes..]);
        var error = AnswerHeader.For(in headers, IpProtocol.Icmp, source, headerBytes, answer.Length);
        error.Tos = (byte)((headers.Tos & TosMask) | InternetworkControl);
        error.Ttl = route.Ttl;
        AnswerHeader.WriteIPv4(answer, headerBytes, route.Identification, 0, in error);
        var icmp = answer[headerBytes..];
        icmp[..AnswerHeader.IcmpBytes].Clear();
        icmp[0] = DestinationUnreachable;
        icmp[1] = (byte)code;
        AnswerHeader.Quote(in headers, packet.Packet, icmp[AnswerHeader.IcmpBytes..]);
        Checksum.WriteTransport(in error, answer);
        return answer.Length;
    }

    private static bool CanBeAnswered(in PacketContext packet, in RejectRoute route)
    {
        ref readonly var headers = ref packet.Headers;
        if (headers.FragmentOffset != 0) return false;
        if (!route.ChecksumIsTrusted && !RejectedChecksum.AllowsError(in headers, packet.Packet)) return false;
        // What this host sends has no link-layer destination yet.
        if (packet.Hook != Hook.Output && packet.Link.PacketType != LinkPacketType.Host) return false;
        var destination = packet.AddressTypes.TypeOf(IpFamily.IPv4, headers.Destination);
        if ((destination & (AddressType.Broadcast | AddressType.Multicast)) != 0) return false;
        return headers.Protocol != IpProtocol.Icmp
            || (packet.Packet.Length > headers.TransportOffset && !IsError(packet.Packet[headers.TransportOffset]));
    }

    /// <summary><c>icmp_pointers</c>: what is not known to be a question or its reply counts as an error.</summary>
    private static bool IsError(byte type) => type is not (0 or 8 or (>= 13 and <= 18));

    /// <summary>The packet's own destination where that is this host. To this host's own programs, their address: it is the one that the
    /// route to it prefers.</summary>
    private static IpAddress Source(in PacketContext packet, in RejectRoute route)
    {
        var destination = packet.AddressTypes.TypeOf(IpFamily.IPv4, packet.Headers.Destination);
        if (packet.Hook == Hook.Input || (destination & AddressType.Local) != 0) return packet.Headers.Destination;
        if (packet.Hook == Hook.Output) return packet.Headers.Source;
        return route.Source == default ? Dummy : route.Source;
    }
}
