using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FwCluster.Packets;

/// <content>
/// Transport headers. A header is <see cref="TransportHeader.Malformed"/> exactly where the kernel's tracking would call the
/// packet INVALID for the header's shape: the length checks at the head of nf_conntrack_proto_*.c.
/// </content>
public static partial class PacketDecoder
{
    private const int TcpHeaderBytes = 20;
    private const int UdpHeaderBytes = 8;
    private const int IcmpHeaderBytes = 8;
    private const int SctpHeaderBytes = 12;
    private const int GreHeaderBytes = 4;
    private const int PptpHeaderBytes = 8;
    private const int PortBytes = 4;

    /// <summary>Decodes the transport header at <see cref="PacketHeaders.TransportOffset"/> of a packet that
    /// is cut to what was captured of its total length.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void DecodeTransport(ReadOnlySpan<byte> packet, ref PacketHeaders headers)
    {
        var present = packet.Length - headers.TransportOffset;
        if (headers.Protocol == IpProtocol.Tcp && present >= TcpHeaderBytes)
        {
            DecodeTcp(ref Unsafe.Add(ref MemoryMarshal.GetReference(packet), headers.TransportOffset), present, ref headers);
            return;
        }
        DecodeOtherTransport(packet, present, ref headers);
    }

    /// <summary>tcp_error: the data offset is at least the fixed header and lies within the packet.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void DecodeTcp(ref byte tcp, int present, ref PacketHeaders headers)
    {
        headers.SourcePort = ReadUInt16(ref tcp, 0);
        headers.DestinationPort = ReadUInt16(ref tcp, 2);
        headers.TcpSequence = ReadUInt32(ref tcp, 4);
        headers.TcpAcknowledgment = ReadUInt32(ref tcp, 8);
        headers.TcpFlags = (TcpFlags)Unsafe.Add(ref tcp, 13);
        headers.TcpWindow = ReadUInt16(ref tcp, 14);
        var headerBytes = (Unsafe.Add(ref tcp, 12) >> 4) * 4;
        headers.PayloadOffset = headers.TransportOffset + Math.Min(headerBytes, headers.TransportLength);
        headers.Transport = headerBytes >= TcpHeaderBytes && headerBytes <= present
            ? TransportHeader.Whole
            : TransportHeader.Malformed;
    }

    private static void DecodeOtherTransport(ReadOnlySpan<byte> packet, int present, ref PacketHeaders headers)
    {
        if (present < 0) present = 0;
        ref var start = ref Unsafe.Add(ref MemoryMarshal.GetReference(packet), packet.Length - present);
        switch (headers.Protocol)
        {
            case IpProtocol.Udp:
                DecodeUdp(ref start, present, ref headers);
                break;
            case IpProtocol.Icmp or IpProtocol.IcmpV6:
                DecodeIcmp(ref start, present, ref headers);
                break;
            case IpProtocol.Tcp:
                // Too short for the fixed header: DecodeTransport took the others.
                DecodePorts(ref start, present, TcpHeaderBytes, ref headers);
                break;
            case IpProtocol.UdpLite:
                DecodeUdpLite(ref start, present, ref headers);
                break;
            case IpProtocol.Sctp:
                DecodePorts(ref start, present, SctpHeaderBytes, ref headers);
                if (headers.Transport == TransportHeader.Whole) headers.PayloadOffset += SctpHeaderBytes;
                break;
            case IpProtocol.Dccp:
                // The ports serve rules; since Linux 6.17 tracking treats DCCP as any unknown protocol, so a short one is not INVALID.
                if (present >= PortBytes) DecodePorts(ref start, present, PortBytes, ref headers);
                break;
            case IpProtocol.Gre:
                DecodeGre(ref start, present, ref headers);
                break;
        }
    }

    /// <summary>udp_error: a length that is at least the header and at most what the packet has.</summary>
    private static void DecodeUdp(ref byte udp, int present, ref PacketHeaders headers)
    {
        DecodePorts(ref udp, present, UdpHeaderBytes, ref headers);
        if (headers.Transport != TransportHeader.Whole) return;
        headers.PayloadOffset += UdpHeaderBytes;
        var length = ReadUInt16(ref udp, 4);
        if (length < UdpHeaderBytes || length > headers.TransportLength) headers.Transport = TransportHeader.Malformed;
    }

    /// <summary>udplite_error: a checksum coverage of zero (everything), or from the header's size to the packet's; and a checksum,
    /// without which UDP-Lite is not (RFC 3828 section 3.1).</summary>
    private static void DecodeUdpLite(ref byte udp, int present, ref PacketHeaders headers)
    {
        DecodePorts(ref udp, present, UdpHeaderBytes, ref headers);
        if (headers.Transport != TransportHeader.Whole) return;
        headers.PayloadOffset += UdpHeaderBytes;
        var coverage = ReadUInt16(ref udp, 4);
        if ((coverage != 0 && (coverage < UdpHeaderBytes || coverage > headers.TransportLength)) || ReadUInt16(ref udp, 6) == 0)
            headers.Transport = TransportHeader.Malformed;
    }

    /// <summary>icmp_pkt_to_tuple: the identifier is read from every type, also those that have another thing there.</summary>
    private static void DecodeIcmp(ref byte icmp, int present, ref PacketHeaders headers)
    {
        headers.Transport = TransportHeader.Malformed;
        if (present < 2) return;
        headers.IcmpType = icmp;
        headers.IcmpCode = Unsafe.Add(ref icmp, 1);
        if (present < IcmpHeaderBytes) return;
        headers.SourcePort = ReadUInt16(ref icmp, 4);
        headers.PayloadOffset += IcmpHeaderBytes;
        headers.Transport = TransportHeader.Whole;
    }

    /// <summary>gre_pkt_to_tuple: only version 1 (PPTP) has a key, the call id, as the destination's; the source's would come from
    /// a PPTP helper and is zero. A GRE header too short to tell is tracked like an unknown protocol.</summary>
    private static void DecodeGre(ref byte gre, int present, ref PacketHeaders headers)
    {
        const int version = 7;
        const int pointToPoint = 0x880b;
        if (present < GreHeaderBytes) return;
        headers.Transport = TransportHeader.Whole;
        if ((ReadUInt16(ref gre, 0) & version) != 1 || present < PptpHeaderBytes) return;
        if (ReadUInt16(ref gre, 2) == pointToPoint)
            headers.DestinationPort = ReadUInt16(ref gre, 6);
        else
            headers.Transport = TransportHeader.Malformed;
    }

    private static void DecodePorts(ref byte start, int present, int headerBytes, ref PacketHeaders headers)
    {
        headers.Transport = present >= headerBytes ? TransportHeader.Whole : TransportHeader.Malformed;
        if (present < PortBytes) return;
        headers.SourcePort = ReadUInt16(ref start, 0);
        headers.DestinationPort = ReadUInt16(ref start, 2);
    }
}
