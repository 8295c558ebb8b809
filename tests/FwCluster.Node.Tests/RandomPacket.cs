using FwCluster.Packets;
using FwCluster.Referee.Packets;

namespace FwCluster.Node.Tests;

/// <summary>Makes packets from addresses that nobody has, for a flood.</summary>
internal static class RandomPacket
{
    /// <summary>No packet is longer.</summary>
    public const int MaxBytes = 512;

    private const int MaxTransportBytes = 200;
    private static readonly (IpAddress Address, IpFamily Family) RightIPv4 = IpAddress.From(GatewayLab.RightIPv4);
    private static readonly (IpAddress Address, IpFamily Family) RightIPv6 = IpAddress.From(GatewayLab.RightIPv6);
    private static readonly (IpAddress Address, IpFamily Family) GatewayIPv4 = IpAddress.From(System.Net.IPAddress.Parse("10.77.1.1"));
    private static readonly (IpAddress Address, IpFamily Family) GatewayIPv6 = IpAddress.From(System.Net.IPAddress.Parse("fd77:1::1"));

    /// <summary>A SYN as a host sends it, to the right host.</summary>
    public static byte[] Syn(Random random)
        => PacketBuilder.Tcp(Addresses(random, ipv6: false, toGateway: false), Port(random), Port(random), TcpFlags.Syn, (uint)random.NextInt64(1L << 32));

    /// <summary>Anything of either family: random protocols, flags, lengths, options, extension headers, fragments, and headers that lie.</summary>
    public static byte[] Anything(Random random)
    {
        var ipv6 = random.Next(2) == 0;
        var protocol = Protocol(random, ipv6);
        var packet = PacketBuilder.Ip(Addresses(random, ipv6, toGateway: random.Next(8) == 0), protocol, Transport(random, protocol), Fields(random));
        if (random.Next(4) == 0) packet = Fragment(random, packet);
        if (random.Next(8) == 0) Corrupt(random, packet);
        // Shorter than it says; the link layer needs its version, and the socket an IP header's length.
        return random.Next(16) == 0 ? packet[..random.Next(Math.Min(20, packet.Length), packet.Length)] : packet;
    }

    private static byte Protocol(Random random, bool ipv6) => random.Next(10) switch
    {
        < 4 => IpProtocol.Tcp,
        < 6 => IpProtocol.Udp,
        6 => ipv6 ? IpProtocol.IcmpV6 : IpProtocol.Icmp,
        7 => IpProtocol.Sctp,
        _ => (byte)random.Next(256),
    };

    /// <summary>Random bytes, half of the time such that the header could be one.</summary>
    private static byte[] Transport(Random random, byte protocol)
    {
        var transport = new byte[random.Next(MaxTransportBytes)];
        random.NextBytes(transport);
        if (random.Next(2) == 0) return transport;
        switch (protocol)
        {
            case IpProtocol.Tcp when transport.Length >= 20:
                transport[12] = (byte)(random.Next(5, Math.Min(15, transport.Length / 4) + 1) << 4);
                transport[13] = random.Next(2) == 0 ? (byte)TcpFlags.Syn : (byte)(TcpFlags)random.Next(64);
                break;
            case IpProtocol.Udp when transport.Length >= 8:
                (transport[4], transport[5]) = (0, (byte)transport.Length);
                break;
            case IpProtocol.Icmp when transport.Length >= 8:
                (transport[0], transport[1]) = (8, 0);
                break;
            case IpProtocol.IcmpV6 when transport.Length >= 8:
                (transport[0], transport[1]) = (128, 0);
                break;
        }
        return transport;
    }

    private static IpFields Fields(Random random)
    {
        var options = new byte[random.Next(4) == 0 ? 4 * random.Next(11) : 0];
        random.NextBytes(options);
        var extensions = new (byte Protocol, byte[] Header)[random.Next(3) == 0 ? random.Next(1, 4) : 0];
        foreach (ref var extension in extensions.AsSpan())
        {
            var header = new byte[8 * random.Next(1, 4)];
            random.NextBytes(header);
            header[1] = (byte)(header.Length / 8 - 1);
            extension = (random.Next(4) switch { 0 => IpProtocol.HopByHop, 1 => IpProtocol.Routing, 2 => IpProtocol.DestinationOptions, _ => (byte)random.Next(256) }, header);
        }
        return new IpFields
        {
            Ttl = (byte)random.Next(1, 256),
            Tos = (byte)random.Next(256),
            Id = (uint)random.Next(1 << 16),
            DontFragment = random.Next(2) == 0,
            Options = options,
            ExtensionHeaders = extensions,
            RightChecksum = random.Next(8) != 0,
        };
    }

    private static byte[] Fragment(Random random, byte[] packet)
    {
        var header = PacketBuilder.UnfragmentableLength(packet, out _);
        if (header > packet.Length) return packet; // a random extension header says that it is longer
        // Few identifications: now and then fragments of several packets meet, and overlap.
        return PacketBuilder.FragmentAt(packet.AsSpan(0, header), packet.AsSpan(header), (uint)random.Next(16), 8 * random.Next(random.Next(2) == 0 ? 4 : 8192), random.Next(2) == 0);
    }

    private static void Corrupt(Random random, byte[] packet)
    {
        for (var i = random.Next(1, 5); i > 0; i--) packet[random.Next(1, packet.Length)] = (byte)random.Next(256);
        if (packet[0] >> 4 == 4 && random.Next(4) != 0) PacketBuilder.WriteHeaderChecksum(packet);
    }

    private static PacketAddresses Addresses(Random random, bool ipv6, bool toGateway)
    {
        if (ipv6)
        {
            var source = new IpAddress((ulong)random.NextInt64() >> 2 | 0x2000_0000_0000_0000, (ulong)random.NextInt64()); // 2000::/3
            return new PacketAddresses(IpFamily.IPv6, source, (toGateway ? GatewayIPv6 : RightIPv6).Address);
        }
        // Any unicast address but 127/8, 0/8 and what the hosts have themselves.
        int first;
        do first = random.Next(1, 224);
        while (first is 10 or 127);
        return new PacketAddresses(IpFamily.IPv4, new IpAddress(0, (ulong)first << 24 | (uint)random.Next(1 << 24)), (toGateway ? GatewayIPv4 : RightIPv4).Address);
    }

    private static ushort Port(Random random) => (ushort)random.Next(1, 1 << 16);
}
