using System.Buffers.Binary;
using System.Net;

namespace FwCluster.Packets.Tests;

/// <summary>Writes packets by hand for tests, with nothing of the code under test but the header checksum's definition.</summary>
internal static class PacketBuilder
{
    public static byte[] IPv4(byte protocol, string source, string destination, ReadOnlySpan<byte> payload, ushort id = 0, int fragment = 0,
        byte tos = 0, byte ttl = 64, ReadOnlySpan<byte> options = default)
    {
        var headerBytes = 20 + options.Length;
        var packet = new byte[headerBytes + payload.Length];
        packet[0] = (byte)(0x40 | headerBytes / 4);
        packet[1] = tos;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)packet.Length);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), id);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(6), (ushort)fragment);
        packet[8] = ttl;
        packet[9] = protocol;
        IPAddress.Parse(source).GetAddressBytes().CopyTo(packet, 12);
        IPAddress.Parse(destination).GetAddressBytes().CopyTo(packet, 16);
        options.CopyTo(packet.AsSpan(20));
        payload.CopyTo(packet.AsSpan(headerBytes));
        FixHeaderChecksum(packet);
        return packet;
    }

    public static byte[] IPv6(byte nextHeader, string source, string destination, ReadOnlySpan<byte> payload, byte trafficClass = 0, byte hops = 64)
    {
        var packet = new byte[40 + payload.Length];
        BinaryPrimitives.WriteUInt32BigEndian(packet, 6u << 28 | (uint)trafficClass << 20);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), (ushort)payload.Length);
        packet[6] = nextHeader;
        packet[7] = hops;
        IPAddress.Parse(source).GetAddressBytes().CopyTo(packet, 8);
        IPAddress.Parse(destination).GetAddressBytes().CopyTo(packet, 24);
        payload.CopyTo(packet.AsSpan(40));
        return packet;
    }

    /// <summary>An IPv6 fragment; <paramref name="before"/> are extension headers whose first has number <paramref name="first"/>.</summary>
    public static byte[] IPv6Fragment(byte protocol, string source, string destination, ReadOnlySpan<byte> data, int offset, bool more, uint id,
        byte trafficClass = 0, byte first = IpProtocol.Fragment, ReadOnlySpan<byte> before = default)
    {
        var payload = new byte[before.Length + 8 + data.Length];
        before.CopyTo(payload);
        var header = payload.AsSpan(before.Length);
        header[0] = protocol;
        BinaryPrimitives.WriteUInt16BigEndian(header[2..], (ushort)(offset | (more ? 1 : 0)));
        BinaryPrimitives.WriteUInt32BigEndian(header[4..], id);
        data.CopyTo(header[8..]);
        return IPv6(first, source, destination, payload, trafficClass);
    }

    public static byte[] Tcp(ushort source, ushort destination, uint sequence, uint acknowledgment, byte flags, ReadOnlySpan<byte> options = default,
        int payload = 0)
    {
        var segment = new byte[20 + options.Length + payload];
        BinaryPrimitives.WriteUInt16BigEndian(segment, source);
        BinaryPrimitives.WriteUInt16BigEndian(segment.AsSpan(2), destination);
        BinaryPrimitives.WriteUInt32BigEndian(segment.AsSpan(4), sequence);
        BinaryPrimitives.WriteUInt32BigEndian(segment.AsSpan(8), acknowledgment);
        segment[12] = (byte)((20 + options.Length) / 4 << 4);
        segment[13] = flags;
        BinaryPrimitives.WriteUInt16BigEndian(segment.AsSpan(14), 0x1234);
        options.CopyTo(segment.AsSpan(20));
        return segment;
    }

    public static byte[] Udp(ushort source, ushort destination, int payload = 0, int? length = null)
    {
        var datagram = new byte[8 + payload];
        BinaryPrimitives.WriteUInt16BigEndian(datagram, source);
        BinaryPrimitives.WriteUInt16BigEndian(datagram.AsSpan(2), destination);
        BinaryPrimitives.WriteUInt16BigEndian(datagram.AsSpan(4), (ushort)(length ?? datagram.Length));
        return datagram;
    }

    public static void FixHeaderChecksum(Span<byte> packet)
    {
        var headerBytes = Math.Min((packet[0] & 0xf) * 4, packet.Length);
        if (headerBytes < 12) return;
        packet.Slice(10, 2).Clear();
        uint sum = 0;
        for (var offset = 0; offset < headerBytes; offset += 2)
            sum += (uint)(packet[offset] << 8 | (offset + 1 < packet.Length ? packet[offset + 1] : 0));
        while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(packet[10..], (ushort)~sum);
    }
}
