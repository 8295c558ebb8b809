using System.Buffers.Binary;
using FwCluster.Packets;
using FwCluster.Referee.Packets;

namespace FwCluster.Differential.Generation;

/// <summary>Everything that is not TCP: UDP both ways, ICMP and ICMPv6 queries, other protocols.</summary>
internal static class DatagramFlows
{
    /// <summary>UDP between two ports, most of it answered.</summary>
    public static IEnumerable<byte[]> Udp(Scene scene, int steps)
    {
        var there = scene.Between(0, scene.Pick(1, 1, 2));
        ushort from = scene.FreshPort(), to = scene.Pick<ushort>(53, 123, 4000, scene.FreshPort());
        var replied = scene.Once(2);
        for (var step = 0; step < steps; step++)
        {
            var payload = new byte[scene.Pick(0, 1, 30, 512, scene.Random.Next(2000))];
            var back = replied ? scene.Once(2) : scene.Once(8);
            var packet = back
                ? PacketBuilder.Udp(there.Reversed, to, from, payload)
                : PacketBuilder.Udp(there, from, to, payload);
            if (scene.Once(30)) packet[^(8 + payload.Length - 6)] = packet[^(8 + payload.Length - 7)] = 0; // "no checksum"
            yield return packet;
        }
    }

    /// <summary>TFTP: a request, and the transfer from a port of the server's choice.</summary>
    public static IEnumerable<byte[]> Tftp(Scene scene, int steps)
    {
        var there = scene.Between(0, 1);
        ushort from = scene.FreshPort(), data = scene.FreshPort();
        for (var step = 0; step < steps; step++)
        {
            byte[] request = [0, scene.Pick<byte>(1, 1, 2, 2, 3, 4, 5), .. "file\0octet\0"u8];
            switch (scene.Random.Next(6))
            {
                case 0 or 1:
                    yield return PacketBuilder.Udp(there, scene.Once(6) ? scene.FreshPort() : from, 69, scene.Once(8) ? request.AsSpan(0, scene.Random.Next(4)) : request);
                    break;
                case 2 or 3: // the server's answer, perhaps from another host
                    yield return PacketBuilder.Udp(scene.Between(scene.Once(6) ? 2 : 1, 0), data, from, request);
                    if (scene.Once(5)) data = scene.FreshPort();
                    break;
                case 4:
                    yield return PacketBuilder.Udp(there, from, data, request);
                    break;
                default:
                    yield return PacketBuilder.Udp(there.Reversed, 69, from, request);
                    break;
            }
        }
    }

    /// <summary>ICMP or ICMPv6 queries and answers, and types that are neither.</summary>
    public static IEnumerable<byte[]> Queries(Scene scene, int steps)
    {
        var there = scene.Between(scene.Pick(0, 2), 1);
        var id = (ushort)scene.Random.Next(1, 4);
        byte[] types = scene.Family == IpFamily.IPv4
            ? [8, 8, 0, 13, 14, 15, 16, 17, 18, 9, 10, 30, 40]
            : [128, 128, 129, 139, 140, 130, 133, 134, 135, 136, 141, 142, 143, 144, 200, 255];
        for (var step = 0; step < steps; step++)
        {
            var type = scene.Once(3) ? scene.Pick<byte>(types) : scene.Family == IpFamily.IPv4 ? (byte)8 : (byte)128;
            if (scene.Once(20)) type = (byte)scene.Random.Next(256);
            var code = scene.Once(15) ? (byte)scene.Random.Next(256) : (byte)0;
            if (scene.Once(10)) id = (ushort)scene.Random.Next(1, 4);
            var reply = scene.Once(2);
            if (reply && type is 8 or 128) type = type == 8 ? (byte)0 : (byte)129;
            yield return PacketBuilder.Icmp(reply ? there.Reversed : there, type, code, (uint)id << 16 | (uint)step, new byte[scene.Pick(0, 16, 56)]);
        }
    }

    /// <summary>Protocols that tracking knows no states of, and GRE.</summary>
    public static IEnumerable<byte[]> Others(Scene scene, int steps)
    {
        var there = scene.Between(0, 1);
        var protocol = scene.Pick<byte>(50, 99, 253, IpProtocol.UdpLite, IpProtocol.Gre, 2, 103);
        var body = new byte[scene.Pick(0, 4, 8, 12, 40)];
        scene.Random.NextBytes(body);
        if (protocol == IpProtocol.Gre && body.Length >= 4)
            BinaryPrimitives.WriteUInt32BigEndian(body, scene.Pick(0x0000_0800u, 0x2000_0800u, 0x3001_880bu, 0x2081_880bu, 0x0001_880bu));
        if (protocol == IpProtocol.UdpLite && body.Length >= 8)
            BinaryPrimitives.WriteUInt16BigEndian(body.AsSpan(4), (ushort)scene.Pick(0, 8, body.Length, 7, body.Length + 1));
        // UDP-Lite is answered by swapped ports; for the others both directions look alike.
        byte[] answer = protocol == IpProtocol.UdpLite && body.Length >= 4 ? [.. body[2..4], .. body[..2], .. body[4..]] : body;
        for (var step = 0; step < steps; step++)
            yield return scene.Once(3) ? PacketBuilder.Ip(there.Reversed, protocol, answer) : PacketBuilder.Ip(there, protocol, body);
    }
}
