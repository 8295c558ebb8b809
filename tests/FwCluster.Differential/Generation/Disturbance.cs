using System.Buffers.Binary;
using FwCluster.Packets;
using FwCluster.Referee.Packets;

namespace FwCluster.Differential.Generation;

/// <summary>
/// What happens to packets on their way: lost, swapped, doubled, cut into fragments, answered by ICMP errors, broken, given options and
/// extension headers.
/// </summary>
internal sealed class Disturbance(Scene scene)
{
    private readonly bool _fragments = scene.Once(6);
    private readonly bool _errors = scene.Once(4);
    private readonly bool _broken = scene.Once(6);
    private readonly bool _headers = scene.Once(10);
    private readonly bool _disorder = scene.Once(3);

    public void Add(List<byte[]> packets, byte[] packet)
    {
        if (_disorder && scene.Once(20)) return; // lost
        if (_headers && scene.Once(4)) packet = WithHeaders(packet);
        if (_broken && scene.Once(10)) packet = Broken(packet);
        scene.Sent.Add(packet);
        if (_fragments && scene.Once(4) && !IsFragment(packet)) packets.AddRange(Fragments(packet));
        else packets.Add(packet);
        if (_disorder && scene.Once(15) && packets.Count > 1) (packets[^1], packets[^2]) = (packets[^2], packets[^1]);
        if (_disorder && scene.Once(15)) packets.Add(scene.Pick(scene.Sent.ToArray()));
        if (_errors && scene.Once(5)) packets.Add(Error());
    }

    private static bool IsFragment(byte[] packet)
        => packet[0] >> 4 == 4 ? (packet[6] & 0x3f | packet[7]) != 0 : packet[6] == IpProtocol.Fragment;

    private static int HeaderLength(byte[] packet) => packet[0] >> 4 == 4 ? (packet[0] & 15) * 4 : 40;

    private PacketAddresses AddressesOf(byte[] packet) => scene.Family == IpFamily.IPv4
        ? new PacketAddresses(scene.Family, IpAddress.ReadIPv4(packet.AsSpan(12)), IpAddress.ReadIPv4(packet.AsSpan(16)))
        : new PacketAddresses(scene.Family, IpAddress.ReadIPv6(packet.AsSpan(8)), IpAddress.ReadIPv6(packet.AsSpan(24)));

    private byte[] WithHeaders(byte[] packet)
    {
        if (IsFragment(packet) || HeaderLength(packet) != (scene.Family == IpFamily.IPv4 ? 20 : 40)) return packet;
        var addresses = AddressesOf(packet);
        if (scene.Family == IpFamily.IPv4)
        {
            byte[] options = scene.Pick<byte[]>([1, 1, 1, 0], [0x94, 4, 0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
            // A router alert is looked at by the router's own sockets; there are none.
            return PacketBuilder.Ip(addresses, packet[9], packet.AsSpan(20), new IpFields { Options = options });
        }
        byte[] padding = [0, 0, 1, 4, 0, 0, 0, 0];
        var headers = scene.Pick<(byte, byte[])[]>(
            [(IpProtocol.DestinationOptions, padding)],
            [(IpProtocol.HopByHop, padding)],
            [(IpProtocol.HopByHop, padding), (IpProtocol.DestinationOptions, padding)],
            [(IpProtocol.Routing, [0, 0, 4, 0, 0, 0, 0, 0])],
            [(IpProtocol.Fragment, [0, 0, 0, 0, 0, 0, 0, 9])]);
        return PacketBuilder.Ip(addresses, packet[6], packet.AsSpan(40), new IpFields { ExtensionHeaders = headers });
    }

    /// <summary>A transport header that is cut off or lies, or a wrong checksum; the network header stays right.</summary>
    private byte[] Broken(byte[] packet)
    {
        var header = HeaderLength(packet);
        var segment = packet[header..];
        if (segment.Length < 8 || IsFragment(packet)) return packet;
        var protocol = packet[0] >> 4 == 4 ? packet[9] : packet[6];
        switch (scene.Random.Next(5))
        {
            case 0:
                segment = segment[..scene.Random.Next(Math.Min(segment.Length, 24))];
                break;
            case 1 when protocol == IpProtocol.Tcp && segment.Length >= 20:
                segment[12] = (byte)(scene.Random.Next(16) << 4 | scene.Random.Next(16));
                break;
            case 2 when protocol == IpProtocol.Udp:
                BinaryPrimitives.WriteUInt16BigEndian(segment.AsSpan(4), (ushort)scene.Pick(0, 7, 8, segment.Length - 1, segment.Length + 1, 65535));
                break;
            case 3:
                segment[scene.Random.Next(Math.Min(segment.Length, 24))] ^= (byte)(1 << scene.Random.Next(8));
                break;
            default:
                return PacketBuilder.Ip(AddressesOf(packet), protocol, segment, new IpFields { RightChecksum = false });
        }
        return PacketBuilder.Ip(AddressesOf(packet), protocol, segment);
    }

    private List<byte[]> Fragments(byte[] packet)
    {
        var header = PacketBuilder.UnfragmentableLength(packet, out _);
        var length = packet.Length - header;
        if (length < 9) return [packet];
        var id = (uint)scene.Random.NextInt64(1L << 32);
        var sizes = Enumerable.Range(0, 3).Select(_ => 8 * scene.Random.Next(1, Math.Max(2, length / 16))).ToArray();
        var pieces = PacketBuilder.Fragment(packet, id, sizes).ToList();
        switch (scene.Random.Next(10))
        {
            case 0: // one is lost
                pieces.RemoveAt(scene.Random.Next(pieces.Count));
                break;
            case 1: // one comes twice
                pieces.Insert(scene.Random.Next(pieces.Count), scene.Pick(pieces.ToArray()));
                break;
            case 2: // one reaches into the next
                var data = packet.AsSpan(header);
                var start = 8 * scene.Random.Next(Math.Max(1, length / 8));
                pieces.Insert(scene.Random.Next(pieces.Count + 1),
                    PacketBuilder.FragmentAt(packet.AsSpan(0, header), data[start..Math.Min(length, start + 16)], id, start, scene.Once(2)));
                break;
            case < 6:
                scene.Random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(pieces));
                break;
        }
        return pieces;
    }

    /// <summary>An ICMP error about a packet of the scene, or about one that nobody sent.</summary>
    private byte[] Error()
    {
        var quoted = scene.Pick(scene.Sent.ToArray());
        var addresses = AddressesOf(quoted).Reversed;
        if (scene.Once(5)) quoted = PacketBuilder.Udp(scene.Between(scene.Random.Next(4), scene.Random.Next(4)), scene.FreshPort(), 7);
        if (scene.Once(6)) quoted = PacketBuilder.IcmpError(addresses, (byte)(scene.Family == IpFamily.IPv4 ? 3 : 1), 1, quoted, 60);
        if (scene.Once(3)) addresses = addresses with { Source = scene.Host(3) };
        if (scene.Once(8)) addresses = addresses with { Destination = scene.Host(scene.Random.Next(4)) };
        byte[] types = scene.Family == IpFamily.IPv4 ? [3, 3, 3, 4, 5, 11, 12] : [1, 1, 2, 3, 4, 5, 100, 127];
        var bytes = scene.Pick(8, 20, 28, 40, 48, 64, 128, 576, scene.Random.Next(100));
        var error = PacketBuilder.IcmpError(addresses, scene.Pick<byte>(types), (byte)scene.Random.Next(5), quoted, bytes, rest: 1400);
        scene.Sent.Add(error);
        return error;
    }
}
