using System.Buffers.Binary;
using FwCluster.Referee.Lab;

namespace FwCluster.Node.Tests;

/// <summary>Sends packets that nobody asked for from the left host through the gateway, at a bounded rate and for a bounded time.</summary>
internal static class PacketFlood
{
    private const int EthernetHeaderBytes = 14;
    private const int PerMillisecond = 10;

    /// <summary>Sends for a while; how many it sent.</summary>
    /// <param name="lab">The hosts.</param>
    /// <param name="seed">What the random numbers begin with.</param>
    /// <param name="everything">Random protocols, headers and lengths; else SYNs. The IP header's checksum is right in both.</param>
    /// <param name="duration">How long.</param>
    public static long Run(GatewayLab lab, int seed, bool everything, TimeSpan duration)
    {
        var random = new Random(seed);
        using var wire = PacketSocket.Open(lab.Left, "eth0", 0);
        var frame = new byte[EthernetHeaderBytes + 200];
        Convert.FromHexString(HardwareAddress(lab.Gateway, "left")).CopyTo(frame, 0);
        wire.HardwareAddress.CopyTo(frame, 6);
        (frame[12], frame[13]) = (0x08, 0x00);
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var sent = 0L;
        while (watch.Elapsed < duration)
        {
            for (; sent < watch.ElapsedMilliseconds * PerMillisecond; sent++)
            {
                var length = everything ? Anything(frame.AsSpan(EthernetHeaderBytes), random) : Syn(frame.AsSpan(EthernetHeaderBytes), random);
                wire.Send(frame.AsSpan(0, EthernetHeaderBytes + length));
            }
            Thread.Sleep(1);
        }
        return sent;
    }

    private static int Syn(Span<byte> packet, Random random)
    {
        const int Length = 40;
        packet[..Length].Clear();
        WriteIp(packet, Length, 6, random);
        var tcp = packet[20..Length];
        random.NextBytes(tcp[..8]); // ports and sequence number
        (tcp[12], tcp[13]) = (5 << 4, 2);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[14..], 65535);
        var sum = 6u + 20;
        for (var i = 12; i < Length; i += 2) sum += BinaryPrimitives.ReadUInt16BigEndian(packet[i..]);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[16..], Fold(sum));
        return Length;
    }

    private static int Anything(Span<byte> packet, Random random)
    {
        var length = random.Next(20, 160);
        random.NextBytes(packet[..length]);
        byte protocol = random.Next(8) switch { < 3 => 6, < 5 => 17, 5 => 1, 6 => 132, _ => (byte)random.Next(256) };
        var (tos, id) = (packet[1], BinaryPrimitives.ReadUInt16BigEndian(packet[4..]));
        packet[..20].Clear();
        WriteIp(packet, length, protocol, random);
        packet[1] = tos;
        BinaryPrimitives.WriteUInt16BigEndian(packet[4..], id);
        if (random.Next(8) == 0) BinaryPrimitives.WriteUInt16BigEndian(packet[6..], (ushort)random.Next(0x4000)); // fragments
        WriteIpChecksum(packet);
        return length;
    }

    private static void WriteIp(Span<byte> packet, int length, byte protocol, Random random)
    {
        packet[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(packet[2..], (ushort)length);
        (packet[8], packet[9]) = (64, protocol);
        // Any unicast address but 127/8, 0/8 and what the hosts have themselves.
        int first;
        do first = random.Next(1, 224);
        while (first is 10 or 127);
        packet[12] = (byte)first;
        random.NextBytes(packet[13..16]);
        GatewayLab.RightIPv4.GetAddressBytes().CopyTo(packet[16..]);
        WriteIpChecksum(packet);
    }

    private static void WriteIpChecksum(Span<byte> packet)
    {
        (packet[10], packet[11]) = (0, 0);
        var sum = 0u;
        for (var i = 0; i < 20; i += 2) sum += BinaryPrimitives.ReadUInt16BigEndian(packet[i..]);
        BinaryPrimitives.WriteUInt16BigEndian(packet[10..], Fold(sum));
    }

    private static ushort Fold(uint sum)
    {
        while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
        return (ushort)~sum;
    }

    private static string HardwareAddress(NetworkNamespace where, string name)
        => where.Execute("cat", [$"/sys/class/net/{name}/address"]).Trim().Replace(":", "", StringComparison.Ordinal);
}
