using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FwCluster.Packets;

/// <content>The packet that an ICMP or ICMPv6 error quotes.</content>
public static partial class PacketDecoder
{
    /// <summary>
    /// Decodes the beginning of a packet, as an ICMP error quotes it: only what tracking needs to find the connection
    /// (nf_ct_get_tuplepr, net/netfilter/nf_conntrack_core.c). The total length may exceed what is quoted and checksums are not
    /// verified. The transport counts as <see cref="TransportHeader.Whole"/> as soon as its part of the tuple is there.
    /// </summary>
    /// <param name="quoted">The bytes behind the ICMP header, as far as the ICMP packet goes.</param>
    /// <param name="headers">The headers; its content is defined only when the result is <see cref="DecodeResult.Ok"/>. Where
    /// the transport is not whole, or none for a later fragment, the quoted packet names no connection.</param>
    public static DecodeResult DecodeQuoted(ReadOnlySpan<byte> quoted, out PacketHeaders headers)
    {
        var family = quoted.IsEmpty ? IpFamily.None : (quoted[0] >> 4) switch
        {
            4 => IpFamily.IPv4,
            6 => IpFamily.IPv6,
            _ => IpFamily.None,
        };
        return DecodeQuoted(quoted, family, out headers);
    }

    /// <summary>The same for a known family: tracking takes the quoted packet for one of the family of the packet that quotes it, whatever
    /// its version field says.</summary>
    /// <inheritdoc cref="DecodeQuoted(ReadOnlySpan{byte}, out PacketHeaders)"/>
    /// <param name="quoted">The bytes behind the ICMP header, as far as the ICMP packet goes.</param>
    /// <param name="family">The family of the ICMP packet.</param>
    /// <param name="headers">The headers; its content is defined only when the result is <see cref="DecodeResult.Ok"/>.</param>
    public static DecodeResult DecodeQuoted(ReadOnlySpan<byte> quoted, IpFamily family, out PacketHeaders headers)
    {
        headers = default;
        switch (family)
        {
            case IpFamily.IPv4:
                if (quoted.Length < IPv4HeaderBytes) return DecodeResult.BadHeader;
                ref var start = ref MemoryMarshal.GetReference(quoted);
                // A header length below 20 is not looked at by ipv4_get_l4proto either: the ports are then read from within the header.
                var headerBytes = (start & 0xf) * 4;
                if (headerBytes > quoted.Length) return DecodeResult.BadHeader;
                ReadIPv4Fields(ref start, headerBytes, ref headers);
                headers.TotalLength = Math.Max(ReadUInt16(ref start, 2), quoted.Length);
                if (headers.FragmentOffset == 0) DecodeQuotedTransport(quoted, ref headers);
                return DecodeResult.Ok;
            case IpFamily.IPv6:
                if (quoted.Length < IPv6HeaderBytes) return DecodeResult.BadHeader;
                ReadIPv6Fields(ref MemoryMarshal.GetReference(quoted), ref headers);
                headers.TotalLength = Math.Max(IPv6HeaderBytes + ReadUInt16(ref MemoryMarshal.GetReference(quoted), 4), quoted.Length);
                if (SkipExtensionHeaders(quoted, ref headers)) DecodeQuotedTransport(quoted, ref headers);
                return DecodeResult.Ok;
            default:
                return DecodeResult.NotIp;
        }
    }

    private static void DecodeQuotedTransport(ReadOnlySpan<byte> quoted, ref PacketHeaders headers)
    {
        var present = Math.Max(quoted.Length - headers.TransportOffset, 0);
        ref var start = ref Unsafe.Add(ref MemoryMarshal.GetReference(quoted), quoted.Length - present);
        switch (headers.Protocol)
        {
            case IpProtocol.Tcp:
                DecodePorts(ref start, present, PortBytes, ref headers);
                if (present >= 8) headers.TcpSequence = ReadUInt32(ref start, 4);
                break;
            case IpProtocol.Udp or IpProtocol.UdpLite or IpProtocol.Sctp:
                DecodePorts(ref start, present, PortBytes, ref headers);
                break;
            default:
                DecodeOtherTransport(quoted, present, ref headers);
                break;
        }
    }
}
