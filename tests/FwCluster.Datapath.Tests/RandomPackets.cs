using FwCluster.Packets;
using FwCluster.Referee.Packets;

namespace FwCluster.Datapath.Tests;

/// <summary>Packets of all protocols that answers and log lines tell apart, some of them broken, between given addresses.</summary>
/// <param name="random">Where they come from.</param>
/// <param name="fragmentHeaders">Give some IPv6 packets a fragment header although they are whole. Tracking takes it away.</param>
internal sealed class RandomPackets(Random random, bool fragmentHeaders = false)
{
    private static readonly byte[] OtherProtocols =
    [
        IpProtocol.Gre, IpProtocol.Sctp, IpProtocol.UdpLite, IpProtocol.Dccp, IpProtocol.Esp, 103, 253,
    ];

    /// <summary>Makes a packet; some have a wrong checksum.</summary>
    public byte[] Next(PacketAddresses addresses)
    {
        var fields = Fields(addresses.Family);
        return random.Next(10) switch
        {
            < 5 => Tcp(addresses, fields),
            < 7 => Udp(addresses, fields),
            < 9 => Icmp(addresses, fields),
            _ => Other(addresses, fields),
        };
    }

    private byte[] Tcp(PacketAddresses addresses, IpFields fields)
    {
        var segment = new byte[random.Next(20) == 0 ? random.Next(24) : 20 + 4 * random.Next(11) + Length()];
        random.NextBytes(segment);
        if (segment.Length > 13)
        {
            // Mostly a data offset that fits, and no RST, which is never answered.
            if (random.Next(8) != 0) segment[12] = (byte)(random.Next(5, Math.Clamp(segment.Length / 4, 5, 15) + 1) << 4 | random.Next(16));
            if (random.Next(8) != 0) segment[13] &= 0xfb;
        }
        return PacketBuilder.Ip(addresses, IpProtocol.Tcp, segment, fields);
    }

    private byte[] Udp(PacketAddresses addresses, IpFields fields)
    {
        if (random.Next(12) == 0) return PacketBuilder.Ip(addresses, IpProtocol.Udp, Bytes(random.Next(9)), fields);
        var packet = PacketBuilder.Udp(addresses, Port(), Port(), Bytes(Length()), fields);
        if (random.Next(4) != 0) return packet;
        var checksum = UdpOffset(packet) + 6;
        packet[checksum] = packet[checksum + 1] = 0;
        return packet;
    }

    private byte[] Icmp(PacketAddresses addresses, IpFields fields)
    {
        byte[] types = addresses.Family == IpFamily.IPv4
            ? [0, 3, 4, 5, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 42]
            : [1, 2, 3, 4, 100, 128, 129, 130, 143, 160];
        var protocol = addresses.Family == IpFamily.IPv4 ? IpProtocol.Icmp : IpProtocol.IcmpV6;
        if (random.Next(12) == 0) return PacketBuilder.Ip(addresses, protocol, Bytes(random.Next(9)), fields);
        var type = types[random.Next(types.Length)];
        var quote = random.Next(2) == 0 ? Bytes(Length()) : Next(addresses.Reversed);
        if (random.Next(3) == 0) quote = quote[..random.Next(quote.Length + 1)];
        return PacketBuilder.Icmp(addresses, type, (byte)random.Next(16), (uint)random.NextInt64(1L << 32), quote, fields);
    }

    private byte[] Other(PacketAddresses addresses, IpFields fields)
        => PacketBuilder.Ip(addresses, OtherProtocols[random.Next(OtherProtocols.Length)], Bytes(Length()), fields);

    private IpFields Fields(IpFamily family) => new()
    {
        Ttl = (byte)random.Next(2, 256),
        Tos = (byte)random.Next(256),
        Id = (uint)random.Next(65536),
        DontFragment = random.Next(2) == 0,
        RightChecksum = random.Next(6) != 0,
        Options = family == IpFamily.IPv4 ? Options() : [],
        ExtensionHeaders = family == IpFamily.IPv6 ? Extensions() : [],
    };

    private byte[] Options() => random.Next(12) switch
    {
        0 => [1, 1, 1, 0],
        1 => [148, 4, 0, 0],
        _ => [],
    };

    private (byte, byte[])[] Extensions() => random.Next(12) switch
    {
        0 => [(IpProtocol.DestinationOptions, [0, 0, 1, 4, 0, 0, 0, 0])],
        1 => [(IpProtocol.HopByHop, [0, 0, 1, 4, 0, 0, 0, 0]), (IpProtocol.DestinationOptions, [0, 1, 1, 12, .. new byte[12]])],
        2 when fragmentHeaders => [(IpProtocol.Fragment, [0, 0, 0, 0, .. Bytes(4)])],
        _ => [],
    };

    private static int UdpOffset(byte[] packet)
    {
        Assert.Equal(DecodeResult.Ok, PacketDecoder.Decode(packet, packet.Length, out var headers));
        return headers.TransportOffset;
    }

    private int Length() => random.Next(4) switch
    {
        0 => 0,
        1 => random.Next(64),
        2 => random.Next(490, 560),
        _ => random.Next(1150, 3000),
    };

    private ushort Port() => (ushort)random.Next(1024, 65536);

    private byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }
}
