using System.Buffers.Binary;
using FwCluster.Packets;

namespace FwCluster.Datapath.Reject;

/// <summary>The IP headers of answers, and checksums behind them.</summary>
internal static class AnswerHeader
{
    public const int IPv4Bytes = 20;
    public const int IPv6Bytes = 40;
    public const int IcmpBytes = 8;

    /// <summary>Writes an IPv4 header, with the checksum.</summary>
    /// <param name="packet">The answer, as long as it is; options lie in it already.</param>
    /// <param name="headerBytes">The header with its options.</param>
    /// <param name="identification">Identification.</param>
    /// <param name="flags">0x4000 for "don't fragment".</param>
    /// <param name="headers">Tos, Ttl, Protocol, Source and Destination.</param>
    public static void WriteIPv4(Span<byte> packet, int headerBytes, ushort identification, ushort flags, in PacketHeaders headers)
    {
        packet[0] = (byte)(0x40 | headerBytes / 4);
        packet[1] = headers.Tos;
        BinaryPrimitives.WriteUInt16BigEndian(packet[2..], (ushort)packet.Length);
        BinaryPrimitives.WriteUInt16BigEndian(packet[4..], identification);
        BinaryPrimitives.WriteUInt16BigEndian(packet[6..], flags);
        packet[8] = headers.Ttl;
        packet[9] = headers.Protocol;
        headers.Source.Write(IpFamily.IPv4, packet[12..]);
        headers.Destination.Write(IpFamily.IPv4, packet[16..]);
        Checksum.WriteIPv4Header(packet[..headerBytes]);
    }

    /// <summary>Writes an IPv6 header.</summary>
    /// <param name="packet">The answer, as long as it is.</param>
    /// <param name="flowLabel">The flow label, 20 bits.</param>
    /// <param name="headers">Tos, Ttl, Protocol, Source and Destination.</param>
    public static void WriteIPv6(Span<byte> packet, uint flowLabel, in PacketHeaders headers)
    {
        BinaryPrimitives.WriteUInt32BigEndian(packet, 6u << 28 | (uint)headers.Tos << 20 | (flowLabel & 0xfffff));
        BinaryPrimitives.WriteUInt16BigEndian(packet[4..], (ushort)(packet.Length - IPv6Bytes));
        packet[6] = headers.Protocol;
        packet[7] = headers.Ttl;
        headers.Source.Write(IpFamily.IPv6, packet[8..]);
        headers.Destination.Write(IpFamily.IPv6, packet[24..]);
    }

    /// <summary>The headers of an answer to a packet: its transport begins right behind the header.</summary>
    public static PacketHeaders For(in PacketHeaders rejected, byte protocol, IpAddress source, int headerBytes, int totalBytes) => new()
    {
        Family = rejected.Family,
        Protocol = protocol,
        Source = source,
        Destination = rejected.Source,
        TransportOffset = headerBytes,
        TotalLength = totalBytes,
    };

    /// <summary>Copies the beginning of a rejected packet as an ICMP error quotes it: as rules left it, so with a changed TOS.</summary>
    public static void Quote(in PacketHeaders rejected, ReadOnlySpan<byte> packet, Span<byte> quote)
    {
        packet[..quote.Length].CopyTo(quote);
        if (rejected.Family == IpFamily.IPv6)
        {
            quote[0] = (byte)(0x60 | rejected.Tos >> 4);
            quote[1] = (byte)(rejected.Tos << 4 | (quote[1] & 0x0f));
            return;
        }
        if (quote[1] == rejected.Tos) return;
        quote[1] = rejected.Tos;
        var headerBytes = (quote[0] & 0xf) * 4;
        if (quote.Length >= headerBytes) Checksum.WriteIPv4Header(quote[..headerBytes]);
    }
}
