using System.Buffers.Binary;
using FwCluster.Packets;

namespace FwCluster.Fuzz.Targets;

/// <summary>Small packets of every kind that decoding, reassembly and tracking know, made by hand.</summary>
internal static class PacketSeeds
{
    private static readonly byte[] TcpOptions = [2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7];

    /// <summary>IP packets.</summary>
    public static IReadOnlyList<byte[]> All { get; } = Make();

    /// <summary>An IP packet of one of the two families, from the client to the server or back.</summary>
    public static byte[] Ip(bool ipv6, bool toServer, byte protocol, ReadOnlySpan<byte> payload, ushort fragment = 0)
    {
        byte[] packet;
        if (ipv6)
        {
            packet = new byte[40 + payload.Length];
            packet[0] = 0x60;
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), (ushort)payload.Length);
            packet[6] = protocol;
            packet[7] = 64;
            (packet[8], packet[9], packet[23]) = (0x20, 0x01, (byte)(toServer ? 10 : 20));
            (packet[24], packet[25], packet[39]) = (0x20, 0x01, (byte)(toServer ? 20 : 10));
        }
        else
        {
            packet = new byte[20 + payload.Length];
            packet[0] = 0x45;
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)packet.Length);
            packet[5] = 1;
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(6), fragment);
            packet[8] = 64;
            packet[9] = protocol;
            (packet[12], packet[13], packet[14], packet[15]) = (10, 211, 55, (byte)(toServer ? 10 : 20));
            (packet[16], packet[17], packet[18], packet[19]) = (10, 211, 55, (byte)(toServer ? 20 : 10));
            Checksum.WriteIPv4Header(packet.AsSpan(0, 20));
        }
        payload.CopyTo(packet.AsSpan(packet.Length - payload.Length));
        return packet;
    }

    /// <summary>A TCP segment without its checksum.</summary>
    public static byte[] Tcp(ushort from, ushort to, TcpFlags flags, uint sequence, uint acknowledgment, ReadOnlySpan<byte> payload,
        ReadOnlySpan<byte> options = default)
    {
        var segment = new byte[20 + options.Length + payload.Length];
        BinaryPrimitives.WriteUInt16BigEndian(segment, from);
        BinaryPrimitives.WriteUInt16BigEndian(segment.AsSpan(2), to);
        BinaryPrimitives.WriteUInt32BigEndian(segment.AsSpan(4), sequence);
        BinaryPrimitives.WriteUInt32BigEndian(segment.AsSpan(8), acknowledgment);
        segment[12] = (byte)((20 + options.Length) / 4 << 4);
        segment[13] = (byte)flags;
        BinaryPrimitives.WriteUInt16BigEndian(segment.AsSpan(14), 65000);
        options.CopyTo(segment.AsSpan(20));
        payload.CopyTo(segment.AsSpan(20 + options.Length));
        return segment;
    }

    private static List<byte[]> Make()
    {
        var all = new List<byte[]>();
        foreach (var ipv6 in (bool[])[false, true])
        {
            byte[] udp = [0x30, 0x39, 0, 53, 0, 12, 0, 0, 1, 2, 3, 4];
            byte[] tftp = [0x30, 0x39, 0, 69, 0, 14, 0, 0, 0, 1, (byte)'a', 0, (byte)'b', 0];
            byte[] echo = [(byte)(ipv6 ? 128 : 8), 0, 0, 0, 0x12, 0x34, 0, 1];
            byte[] reply = [(byte)(ipv6 ? 129 : 0), 0, 0, 0, 0x12, 0x34, 0, 1];
            byte[] unreachable = [(byte)(ipv6 ? 1 : 3), 3, 0, 0, 0, 0, 0, 0, .. Ip(ipv6, true, IpProtocol.Udp, udp)];
            byte[] gre = [0x20, 1, 0x88, 0x0b, 0, 4, 0, 7, 1, 2, 3, 4];
            byte[] dccp = [0x30, 0x39, 0, 99, 4, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1];
            byte[] sctp = [0x30, 0x39, 0, 99, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 20, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1];
            all.Add(Ip(ipv6, true, IpProtocol.Tcp, Tcp(40000, 21, TcpFlags.Syn, 999, 0, [], TcpOptions)));
            all.Add(Ip(ipv6, false, IpProtocol.Tcp, Tcp(21, 40000, TcpFlags.Syn | TcpFlags.Ack, 1999, 1000, [], TcpOptions)));
            all.Add(Ip(ipv6, true, IpProtocol.Tcp, Tcp(40000, 21, TcpFlags.Ack, 1000, 2000, [])));
            all.Add(Ip(ipv6, false, IpProtocol.Tcp, Tcp(21, 40000, TcpFlags.Rst, 2000, 1000, [])));
            all.Add(Ip(ipv6, true, IpProtocol.Tcp, Tcp(40000, 21, TcpFlags.Fin | TcpFlags.Ack, 1000, 2000, [])));
            all.Add(Ip(ipv6, true, IpProtocol.Udp, udp));
            all.Add(Ip(ipv6, true, IpProtocol.Udp, tftp));
            all.Add(Ip(ipv6, true, (byte)(ipv6 ? 58 : 1), echo));
            all.Add(Ip(ipv6, false, (byte)(ipv6 ? 58 : 1), reply));
            all.Add(Ip(ipv6, false, (byte)(ipv6 ? 58 : 1), unreachable));
            all.Add(Ip(ipv6, true, 47, gre));
            all.Add(Ip(ipv6, true, 33, dccp));
            all.Add(Ip(ipv6, true, 132, sctp));
            all.Add(Ip(ipv6, true, 89, [1, 2, 3, 4]));
        }
        // Two halves of a datagram, in both families; and extension headers.
        all.Add(Ip(false, true, IpProtocol.Udp, [0x30, 0x39, 0, 53, 0, 16, 0, 0], fragment: 0x2000));
        all.Add(Ip(false, true, IpProtocol.Udp, [1, 2, 3, 4, 5, 6, 7, 8], fragment: 1));
        all.Add(Ip(true, true, 44, [17, 0, 0, 1, 0, 0, 0, 9, 0x30, 0x39, 0, 53, 0, 16, 0, 0]));
        all.Add(Ip(true, true, 44, [17, 0, 0, 8, 0, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8]));
        all.Add(Ip(true, true, 0, [60, 0, 5, 2, 0, 0, 1, 0, 43, 0, 1, 4, 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0, 0, 0x30, 0x39, 0, 53, 0, 8, 0, 0]));
        return all;
    }
}
