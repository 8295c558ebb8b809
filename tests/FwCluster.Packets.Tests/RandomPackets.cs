using System.Buffers.Binary;

namespace FwCluster.Packets.Tests;

/// <summary>Packets of every kind the decoder knows, right ones and ones with a few bytes changed.</summary>
internal static class RandomPackets
{
    private static readonly byte[] Protocols =
    [
        IpProtocol.Tcp, IpProtocol.Udp, IpProtocol.UdpLite, IpProtocol.Icmp, IpProtocol.IcmpV6, IpProtocol.Sctp, IpProtocol.Dccp,
        IpProtocol.Gre, IpProtocol.Esp, IpProtocol.NoNextHeader, IpProtocol.Mobility, 99,
    ];

    private static readonly byte[] ExtensionHeaders =
        [IpProtocol.Routing, IpProtocol.DestinationOptions, IpProtocol.Ah, IpProtocol.Fragment];

    public static byte[] Next(Random random)
    {
        var protocol = Protocols[random.Next(Protocols.Length)];
        var transport = Transport(random, protocol);
        if (random.Next(5) == 0) transport = transport[..random.Next(transport.Length + 1)];
        var packet = random.Next(2) == 0 ? IPv4(random, protocol, transport) : IPv6(random, protocol, transport);

        if (random.Next(3) == 0) Change(random, packet);
        if (packet[0] >> 4 == 4 && random.Next(8) != 0) PacketBuilder.FixHeaderChecksum(packet);
        if (random.Next(6) == 0) Array.Resize(ref packet, packet.Length + random.Next(1, 30));
        if (random.Next(12) == 0) Array.Resize(ref packet, random.Next(1, packet.Length + 1));
        return packet;
    }

    private static byte[] IPv4(Random random, byte protocol, byte[] transport)
    {
        var options = new byte[random.Next(4) == 0 ? random.Next(11) * 4 : 0];
        Array.Fill(options, (byte)1);
        var fragment = random.Next(8) == 0 ? random.Next(0x10000) & 0x600f : random.Next(2) * 0x4000;
        return PacketBuilder.IPv4(protocol, $"10.1.{random.Next(4)}.1", "10.2.0.1", transport, (ushort)random.Next(0x10000), fragment,
            (byte)random.Next(256), (byte)random.Next(256), options);
    }

    private static byte[] IPv6(Random random, byte protocol, byte[] transport)
    {
        var (next, payload) = (protocol, transport);
        for (var count = random.Next(3) == 0 ? random.Next(1, 4) : 0; count > 0; count--)
        {
            var kind = ExtensionHeaders[random.Next(ExtensionHeaders.Length)];
            payload = [.. Extension(random, kind, next), .. payload];
            next = kind;
        }
        if (random.Next(6) == 0)
        {
            payload = [.. HopByHop(random, next), .. payload];
            next = IpProtocol.HopByHop;
        }
        var source = random.Next(30) == 0 ? "ff02::1" : $"fd00::{random.Next(1, 5)}";
        string[] destinations = ["fd00::100", "fd00::100", "fd00::100", "ff02::fb", "ff00::1", "fe80::1"];
        return PacketBuilder.IPv6(next, source, destinations[random.Next(destinations.Length)], payload, (byte)random.Next(256));
    }

    private static byte[] Extension(Random random, byte kind, byte next)
    {
        if (kind == IpProtocol.Fragment)
        {
            var header = new byte[8];
            header[0] = next;
            BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(2), (ushort)(random.Next(3) == 0 ? random.Next(0x10000) : random.Next(2)));
            BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(4), (uint)random.Next());
            return header;
        }
        var units = random.Next(4);
        var extension = new byte[kind == IpProtocol.Ah ? (units + 2) * 4 : (units + 1) * 8];
        random.NextBytes(extension);
        extension[0] = next;
        extension[1] = (byte)(random.Next(10) == 0 ? random.Next(256) : units);
        return extension;
    }

    private static byte[] HopByHop(Random random, byte next)
    {
        var options = new List<byte>();
        for (var count = random.Next(10); count > 0; count--) options.AddRange(HopByHopOption(random));
        while ((options.Count + 2) % 8 != 0) options.Add(0);
        return [next, (byte)(options.Count / 8), .. options];
    }

    private static byte[] HopByHopOption(Random random) => random.Next(7) switch
    {
        0 => [0],
        1 => [5, 2, 0, 0],
        2 => [1, .. WithLength(new byte[random.Next(7)])],
        3 => [0x1e, .. WithLength(new byte[random.Next(5)])],
        4 => [(byte)(random.Next(256) & 0x3f | (random.Next(8) == 0 ? 0x80 : 0x10)), 0],
        5 => [1, 0],
        _ => [0x3e, 4, 1, 2, 3, 4],
    };

    private static byte[] WithLength(byte[] data) => [(byte)data.Length, .. data];

    private static byte[] Transport(Random random, byte protocol)
    {
        var payload = random.Next(40);
        var (source, destination) = ((ushort)random.Next(1, 0x10000), (ushort)random.Next(1, 0x10000));
        switch (protocol)
        {
            case IpProtocol.Tcp:
                var options = new byte[random.Next(11) * 4];
                random.NextBytes(options);
                return PacketBuilder.Tcp(source, destination, (uint)random.Next(), (uint)random.Next(), (byte)random.Next(256), options, payload);
            case IpProtocol.Udp:
                return PacketBuilder.Udp(source, destination, payload, random.Next(4) == 0 ? random.Next(100) : null);
            case IpProtocol.UdpLite:
                var datagram = PacketBuilder.Udp(source, destination, payload, random.Next(100));
                datagram[6] = (byte)random.Next(3);
                return datagram;
            case IpProtocol.Gre:
                var gre = new byte[16 + payload];
                random.NextBytes(gre);
                gre[1] = (byte)(random.Next(32) << 3 | random.Next(3));
                if (random.Next(2) == 0) (gre[2], gre[3]) = (0x88, 0x0b);
                return gre;
            default:
                var bytes = new byte[20 + payload];
                random.NextBytes(bytes);
                return bytes;
        }
    }

    private static void Change(Random random, byte[] packet)
    {
        for (var changes = random.Next(1, 4); changes > 0; changes--)
        {
            var index = random.Next(Math.Min(packet.Length, random.Next(4) == 0 ? packet.Length : 60));
            packet[index] = random.Next(3) switch
            {
                0 => (byte)random.Next(256),
                1 => (byte)(packet[index] ^ 1 << random.Next(8)),
                _ => (byte)(packet[index] + random.Next(-2, 3)),
            };
        }
    }
}
