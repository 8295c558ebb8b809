using System.Buffers.Binary;
using FwCluster.Packets;

namespace FwCluster.Referee.Packets;

/// <summary>
/// Writes IP packets of both families with right lengths and checksums. It computes checksums itself, so that a test does not
/// check the product's code with the product's code.
/// </summary>
public static class PacketBuilder
{
    /// <summary>A TCP segment.</summary>
    public static byte[] Tcp(PacketAddresses addresses, ushort sourcePort, ushort destinationPort, TcpFlags flags,
        uint sequence = 0, uint acknowledgment = 0, ushort window = 65535, ReadOnlySpan<byte> options = default,
        ReadOnlySpan<byte> payload = default, IpFields? ip = null)
    {
        var segment = new byte[20 + options.Length + payload.Length];
        BinaryPrimitives.WriteUInt16BigEndian(segment, sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(segment.AsSpan(2), destinationPort);
        BinaryPrimitives.WriteUInt32BigEndian(segment.AsSpan(4), sequence);
        BinaryPrimitives.WriteUInt32BigEndian(segment.AsSpan(8), acknowledgment);
        segment[12] = (byte)((20 + options.Length) / 4 << 4);
        segment[13] = (byte)flags;
        BinaryPrimitives.WriteUInt16BigEndian(segment.AsSpan(14), window);
        options.CopyTo(segment.AsSpan(20));
        payload.CopyTo(segment.AsSpan(20 + options.Length));
        return Ip(addresses, IpProtocol.Tcp, segment, ip);
    }

    /// <summary>A UDP datagram.</summary>
    public static byte[] Udp(PacketAddresses addresses, ushort sourcePort, ushort destinationPort,
        ReadOnlySpan<byte> payload = default, IpFields? ip = null)
    {
        var datagram = new byte[8 + payload.Length];
        BinaryPrimitives.WriteUInt16BigEndian(datagram, sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(datagram.AsSpan(2), destinationPort);
        BinaryPrimitives.WriteUInt16BigEndian(datagram.AsSpan(4), (ushort)datagram.Length);
        payload.CopyTo(datagram.AsSpan(8));
        return Ip(addresses, IpProtocol.Udp, datagram, ip);
    }

    /// <summary>An ICMP or ICMPv6 message; <paramref name="rest"/> is the second word (identifier and sequence, gateway, MTU).</summary>
    public static byte[] Icmp(PacketAddresses addresses, byte type, byte code, uint rest = 0,
        ReadOnlySpan<byte> payload = default, IpFields? ip = null)
    {
        var message = new byte[8 + payload.Length];
        message[0] = type;
        message[1] = code;
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(4), rest);
        payload.CopyTo(message.AsSpan(8));
        return Ip(addresses, addresses.Family == IpFamily.IPv4 ? IpProtocol.Icmp : IpProtocol.IcmpV6, message, ip);
    }

    /// <summary>An echo request, or its reply.</summary>
    public static byte[] Echo(PacketAddresses addresses, ushort identifier, ushort sequence, bool reply = false)
    {
        var type = addresses.Family == IpFamily.IPv4 ? reply ? 0 : 8 : reply ? 129 : 128;
        return Icmp(addresses, (byte)type, 0, (uint)identifier << 16 | sequence, "abcdefghijklmnop"u8);
    }

    /// <summary>An ICMP error that quotes the first <paramref name="quotedBytes"/> of a packet (all of it where it is shorter).</summary>
    public static byte[] IcmpError(PacketAddresses addresses, byte type, byte code, ReadOnlySpan<byte> quoted,
        int quotedBytes = 128, uint rest = 0)
        => Icmp(addresses, type, code, rest, quoted[..Math.Min(quotedBytes, quoted.Length)]);

    /// <summary>A packet of any protocol; the checksum of those known here is filled in.</summary>
    public static byte[] Ip(PacketAddresses addresses, byte protocol, ReadOnlySpan<byte> transport, IpFields? fields = null)
    {
        fields ??= IpFields.Default;
        var packet = addresses.Family == IpFamily.IPv4
            ? Version4(addresses, protocol, transport, fields)
            : Version6(addresses, protocol, transport, fields);
        var segment = packet.AsSpan(packet.Length - transport.Length);
        WriteChecksum(addresses, protocol, segment);
        if (!fields.RightChecksum && ChecksumOffset(protocol) is var at and >= 0 && segment.Length >= at + 2) segment[at] ^= 1;
        return packet;
    }

    /// <summary>
    /// Cuts a packet into fragments that carry <paramref name="sizes"/> bytes each, the last one what is left. Sizes that another
    /// fragment follows are multiples of 8. IPv4 options go with every fragment, and so do IPv6 hop-by-hop and routing headers.
    /// </summary>
    public static byte[][] Fragment(ReadOnlySpan<byte> packet, uint id, params int[] sizes)
    {
        ArgumentNullException.ThrowIfNull(sizes);
        var header = UnfragmentableLength(packet, out _);
        var payload = packet[header..];
        var fragments = new List<byte[]>();
        for (var offset = 0; offset < payload.Length;)
        {
            var size = fragments.Count < sizes.Length ? Math.Min(sizes[fragments.Count], payload.Length - offset) : payload.Length - offset;
            fragments.Add(FragmentAt(packet[..header], payload.Slice(offset, size), id, offset, more: offset + size < payload.Length));
            offset += size;
        }
        return [.. fragments];
    }

    /// <summary>One fragment with the given header, data, offset (bytes) and "more fragments", which need not make sense.</summary>
    public static byte[] FragmentAt(ReadOnlySpan<byte> header, ReadOnlySpan<byte> data, uint id, int offset, bool more)
    {
        if (header[0] >> 4 == 4)
        {
            byte[] fragment = [.. header, .. data];
            BinaryPrimitives.WriteUInt16BigEndian(fragment.AsSpan(2), (ushort)fragment.Length);
            BinaryPrimitives.WriteUInt16BigEndian(fragment.AsSpan(4), (ushort)id);
            BinaryPrimitives.WriteUInt16BigEndian(fragment.AsSpan(6), (ushort)((more ? 0x2000 : 0) | offset / 8));
            WriteHeaderChecksum(fragment);
            return fragment;
        }
        else
        {
            var at = UnfragmentableLength(header, out var next);
            byte[] fragment = [.. header[..at], header[next], 0, 0, 0, 0, 0, 0, 0, .. data];
            fragment[next] = IpProtocol.Fragment;
            BinaryPrimitives.WriteUInt16BigEndian(fragment.AsSpan(4), (ushort)(fragment.Length - 40));
            BinaryPrimitives.WriteUInt16BigEndian(fragment.AsSpan(at + 2), (ushort)(offset & 0xfff8 | (more ? 1 : 0)));
            BinaryPrimitives.WriteUInt32BigEndian(fragment.AsSpan(at + 4), id);
            return fragment;
        }
    }

    /// <summary>Writes the checksum of an IPv4 header, for tests that changed a field of it.</summary>
    public static void WriteHeaderChecksum(Span<byte> packet)
    {
        var header = packet[..((packet[0] & 15) * 4)];
        header[10] = header[11] = 0;
        BinaryPrimitives.WriteUInt16BigEndian(header[10..], (ushort)~Fold(Add(0, header)));
    }

    /// <summary>Bytes that every fragment of a packet has in front, and where they say what follows (RFC 8200 section 4.5).</summary>
    public static int UnfragmentableLength(ReadOnlySpan<byte> packet, out int nextHeaderAt)
    {
        nextHeaderAt = 6;
        if (packet[0] >> 4 == 4) return (packet[0] & 15) * 4;
        var length = 40;
        while (packet[nextHeaderAt] is IpProtocol.HopByHop or IpProtocol.Routing && length + 8 <= packet.Length)
        {
            nextHeaderAt = length;
            length += (packet[length + 1] + 1) * 8;
        }
        return length;
    }

    private static byte[] Version4(PacketAddresses addresses, byte protocol, ReadOnlySpan<byte> transport, IpFields fields)
    {
        var header = 20 + fields.Options.Length;
        var packet = new byte[header + transport.Length];
        packet[0] = (byte)(0x40 | header / 4);
        packet[1] = fields.Tos;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)packet.Length);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), (ushort)fields.Id);
        packet[6] = (byte)(fields.DontFragment ? 0x40 : 0);
        packet[8] = fields.Ttl;
        packet[9] = protocol;
        addresses.Source.Write(IpFamily.IPv4, packet.AsSpan(12));
        addresses.Destination.Write(IpFamily.IPv4, packet.AsSpan(16));
        fields.Options.CopyTo(packet, 20);
        WriteHeaderChecksum(packet);
        transport.CopyTo(packet.AsSpan(header));
        return packet;
    }

    private static byte[] Version6(PacketAddresses addresses, byte protocol, ReadOnlySpan<byte> transport, IpFields fields)
    {
        var extensions = fields.ExtensionHeaders.Sum(extension => extension.Header.Length);
        var packet = new byte[40 + extensions + transport.Length];
        BinaryPrimitives.WriteUInt32BigEndian(packet, 0x6000_0000u | (uint)fields.Tos << 20);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), (ushort)(packet.Length - 40));
        packet[7] = fields.Ttl;
        addresses.Source.Write(IpFamily.IPv6, packet.AsSpan(8));
        addresses.Destination.Write(IpFamily.IPv6, packet.AsSpan(24));
        var next = 6;
        var at = 40;
        foreach (var (extension, bytes) in fields.ExtensionHeaders)
        {
            packet[next] = extension;
            bytes.CopyTo(packet, at);
            next = at;
            at += bytes.Length;
        }
        packet[next] = protocol;
        transport.CopyTo(packet.AsSpan(at));
        return packet;
    }

    private static int ChecksumOffset(byte protocol) => protocol switch
    {
        IpProtocol.Tcp => 16,
        IpProtocol.Udp or IpProtocol.UdpLite => 6,
        IpProtocol.Icmp or IpProtocol.IcmpV6 => 2,
        _ => -1,
    };

    private static void WriteChecksum(PacketAddresses addresses, byte protocol, Span<byte> segment)
    {
        var at = ChecksumOffset(protocol);
        if (at < 0 || segment.Length < at + 2) return;
        segment[at] = segment[at + 1] = 0;
        uint sum = 0;
        if (protocol != IpProtocol.Icmp)
        {
            Span<byte> pseudo = stackalloc byte[32];
            var size = addresses.Family.AddressBytes();
            addresses.Source.Write(addresses.Family, pseudo);
            addresses.Destination.Write(addresses.Family, pseudo[size..]);
            sum = Add((uint)segment.Length + protocol, pseudo[..(2 * size)]);
        }

        // UDP-Lite says in its length field how much of the datagram the checksum covers; 0 is all.
        var covered = protocol == IpProtocol.UdpLite && BinaryPrimitives.ReadUInt16BigEndian(segment[4..]) is var n and >= 8 && n < segment.Length
            ? segment[..n]
            : segment;
        var checksum = (ushort)~Fold(Add(sum, covered));
        if (checksum == 0 && protocol is IpProtocol.Udp or IpProtocol.UdpLite) checksum = 0xffff;
        BinaryPrimitives.WriteUInt16BigEndian(segment[at..], checksum);
    }

    private static uint Add(uint sum, ReadOnlySpan<byte> bytes)
    {
        for (var i = 0; i + 1 < bytes.Length; i += 2) sum += (uint)(bytes[i] << 8 | bytes[i + 1]);
        return (bytes.Length & 1) == 0 ? sum : sum + (uint)(bytes[^1] << 8);
    }

    private static uint Fold(uint sum)
    {
        while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
        return sum;
    }
}
