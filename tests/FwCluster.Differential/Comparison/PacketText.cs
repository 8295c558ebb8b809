using System.Buffers.Binary;
using System.Text;
using FwCluster.Differential.Engines;
using FwCluster.Packets;

namespace FwCluster.Differential.Comparison;

/// <summary>One line that says what a packet is. Reads the bytes by itself: the product's decoder is under test.</summary>
public static class PacketText
{
    /// <summary>The packets of a list, one after the other.</summary>
    public static string Of(IEnumerable<byte[]> packets) => string.Join("; ", packets.Select(packet => Of(packet)));

    /// <summary>One packet.</summary>
    public static string Of(ReadOnlySpan<byte> packet)
    {
        if (packet.Length < 20) return $"{packet.Length} bytes";
        return packet[0] >> 4 == 4 ? Version4(packet) : packet.Length >= 40 ? Version6(packet) : $"{packet.Length} bytes";
    }

    private static string Version4(ReadOnlySpan<byte> packet)
    {
        var header = (packet[0] & 15) * 4;
        var fragment = BinaryPrimitives.ReadUInt16BigEndian(packet[6..]);
        var addresses = $"{IpAddress.ReadIPv4(packet[12..]).ToString(IpFamily.IPv4)} > {IpAddress.ReadIPv4(packet[16..]).ToString(IpFamily.IPv4)}";
        var notes = (header == 20 ? "" : $" ihl {header}") + FragmentNote((fragment & 0x1fff) * 8, (fragment & 0x2000) != 0,
            BinaryPrimitives.ReadUInt16BigEndian(packet[4..]));
        if (header > packet.Length) return addresses + " header cut off";
        return addresses + notes + ((fragment & 0x1fff) != 0 ? $" data {packet.Length - header}" : Transport(packet[9], packet[header..]));
    }

    private static string Version6(ReadOnlySpan<byte> packet)
    {
        var addresses = $"{IpAddress.ReadIPv6(packet[8..]).ToString(IpFamily.IPv6)} > {IpAddress.ReadIPv6(packet[24..]).ToString(IpFamily.IPv6)}";
        var next = packet[6];
        var at = 40;
        var notes = "";
        while (next is 0 or 43 or 44 or 60 or 51 && at + 8 <= packet.Length)
        {
            var extension = packet[at..];
            if (next == 44)
            {
                var word = BinaryPrimitives.ReadUInt16BigEndian(extension[2..]);
                notes += FragmentNote(word & 0xfff8, (word & 1) != 0, BinaryPrimitives.ReadUInt32BigEndian(extension[4..]), always: true);
                if ((word & 0xfff8) != 0) return $"{addresses}{notes} data {packet.Length - at - 8}";
            }
            else
            {
                notes += $" ext {next}";
            }
            at += next == 44 ? 8 : next == 51 ? (extension[1] + 2) * 4 : (extension[1] + 1) * 8;
            next = extension[0];
        }
        return addresses + notes + (at <= packet.Length ? Transport(next, packet[at..]) : " cut off");
    }

    private static string FragmentNote(int offset, bool more, uint id, bool always = false)
        => offset == 0 && !more && !always ? "" : $" fragment {id:x} at {offset}{(more ? "+" : "")}";

    private static string Transport(byte protocol, ReadOnlySpan<byte> segment)
    {
        var name = " " + TupleText.Protocol(protocol);
        switch (protocol)
        {
            case IpProtocol.Tcp when segment.Length >= 20:
                return name + Tcp(segment);
            case IpProtocol.Udp or IpProtocol.UdpLite or IpProtocol.Sctp when segment.Length >= 8:
                return $"{name} {Ports(segment)} length {BinaryPrimitives.ReadUInt16BigEndian(segment[4..])} of {segment.Length}";
            case IpProtocol.Icmp or IpProtocol.IcmpV6 when segment.Length >= 8:
                var error = protocol == IpProtocol.Icmp ? segment[0] is 3 or 4 or 5 or 11 or 12 : segment[0] < 128;
                return $"{name} type {segment[0]} code {segment[1]}"
                    + (error ? $" quoting [{Of(segment[8..])}]" : $" id {BinaryPrimitives.ReadUInt16BigEndian(segment[4..])}");
            default:
                return $"{name} {segment.Length} bytes";
        }
    }

    private static string Ports(ReadOnlySpan<byte> segment)
        => $"{BinaryPrimitives.ReadUInt16BigEndian(segment)} > {BinaryPrimitives.ReadUInt16BigEndian(segment[2..])}";

    private static string Tcp(ReadOnlySpan<byte> segment)
    {
        const string letters = "FSRPAUEC";
        var flags = new StringBuilder();
        for (var bit = 0; bit < 8; bit++)
        {
            if ((segment[13] & 1 << bit) != 0) flags.Append(letters[bit]);
        }
        var header = (segment[12] >> 4) * 4;
        var payload = header < 20 || header > segment.Length ? default : segment[header..];
        return $" {Ports(segment)} [{flags}] seq {BinaryPrimitives.ReadUInt32BigEndian(segment[4..])} "
            + $"ack {BinaryPrimitives.ReadUInt32BigEndian(segment[8..])} win {BinaryPrimitives.ReadUInt16BigEndian(segment[14..])} len {payload.Length}"
            + (header == 20 ? "" : header < 20 || header > segment.Length ? $" doff {header}" : $" options {Convert.ToHexStringLower(segment[20..header])}")
            + Text(payload);
    }

    private static string Text(ReadOnlySpan<byte> payload)
    {
        if (payload.IsEmpty || payload.Length > 100) return "";
        var text = new StringBuilder(" \"");
        foreach (var value in payload)
        {
            if (value == '\r') text.Append("\\r");
            else if (value == '\n') text.Append("\\n");
            else if (value is >= 32 and < 127) text.Append((char)value);
            else return "";
        }
        return text.Append('"').ToString();
    }
}
