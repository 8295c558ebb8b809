using FwCluster.Conntrack.Tests.Sctp;
using FwCluster.Packets;
using FwCluster.Referee.Packets;

namespace FwCluster.Conntrack.Tests.EarlyDrop;

/// <summary>A kind of connection, as it matters to a full table.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Goes">When it makes room.</param>
/// <param name="Packets">The packets that make the connection with a number.</param>
/// <param name="Later">Packets that have to come more than two seconds behind those.</param>
internal sealed record ConnectionClass(string Name, Goes Goes, Func<int, byte[][]> Packets, Func<int, byte[][]>? Later = null)
{
    private const TcpFlags Ack = TcpFlags.Ack;
    private const TcpFlags Fin = TcpFlags.Fin | TcpFlags.Ack;

    /// <summary>One of each.</summary>
    public static IReadOnlyList<ConnectionClass> All { get; } =
    [
        new("TCP SYN_SENT", Goes.First, i => Tcp(i, 101, 1)),
        new("TCP SYN_RECV", Goes.First, i => Tcp(i, 102, 2)),
        new("UDP unreplied", Goes.First, i => [Udp(i, 103, true)]),
        new("UDP replied", Goes.First, i => [Udp(i, 104, true), Udp(i, 104, false)]),
        new("ICMP query", Goes.First, i => [PacketBuilder.Echo(Addresses(i), 105, 1), PacketBuilder.Echo(Addresses(i).Reversed, 105, 1, reply: true)]),
        new("SCTP CLOSED", Goes.First, i => Sctp(i, 1, 1)),
        new("TCP FIN_WAIT", Goes.UnderPressure, i => Tcp(i, 106, 4)),
        new("TCP CLOSE_WAIT", Goes.UnderPressure, i => Tcp(i, 107, 5)),
        new("TCP LAST_ACK", Goes.UnderPressure, i => Tcp(i, 108, 6)),
        new("TCP TIME_WAIT", Goes.UnderPressure, i => Tcp(i, 109, 7)),
        new("TCP CLOSE", Goes.UnderPressure, i => [.. Tcp(i, 110, 3), Segment(i, 110, true, TcpFlags.Rst, 1000, 0)]),
        new("SCTP SHUTDOWN_SENT", Goes.UnderPressure, i => Sctp(i, 2, 5)),
        new("TCP ESTABLISHED", Goes.Never, i => Tcp(i, 111, 3)),
        new("UDP stream", Goes.Never, i => [Udp(i, 112, true), Udp(i, 112, false)], i => [Udp(i, 112, true)]),
        new("SCTP ESTABLISHED", Goes.Never, i => Sctp(i, 3, 4)),
    ];

    /// <summary>The first packets of a TCP connection, up to seven: its opening, and its closing by the client.</summary>
    public static byte[][] Tcp(int number, ushort port, int packets) =>
    [
        .. new[]
        {
            Segment(number, port, true, TcpFlags.Syn, 999, 0),
            Segment(number, port, false, TcpFlags.Syn | Ack, 1999, 1000),
            Segment(number, port, true, Ack, 1000, 2000),
            Segment(number, port, true, Fin, 1000, 2000),
            Segment(number, port, false, Ack, 2000, 1001),
            Segment(number, port, false, Fin, 2000, 1001),
            Segment(number, port, true, Ack, 1001, 2001),
        }.Take(packets),
    ];

    public override string ToString() => Name;

    private static PacketAddresses Addresses(int number, byte network = 0)
    {
        var address = 10u << 24 | (uint)network << 20 | (uint)number;
        return new PacketAddresses(IpFamily.IPv4, new IpAddress(0, address), new IpAddress(0, 192u << 24 | 2 << 8 | 1));
    }

    private static byte[] Segment(int number, ushort port, bool toServer, TcpFlags flags, uint sequence, uint acknowledgment)
    {
        var addresses = Addresses(number);
        return PacketBuilder.Tcp(toServer ? addresses : addresses.Reversed, toServer ? port : (ushort)80, toServer ? (ushort)80 : port, flags, sequence, acknowledgment);
    }

    private static byte[] Udp(int number, ushort port, bool toServer)
    {
        var addresses = Addresses(number);
        return PacketBuilder.Udp(toServer ? addresses : addresses.Reversed, toServer ? port : (ushort)53, toServer ? (ushort)53 : port);
    }

    /// <summary>The first packets of an association, up to five: its opening, and the client's SHUTDOWN. Ports are always the same.</summary>
    private static byte[][] Sctp(int number, byte network, int packets)
    {
        var there = Addresses(number, network);
        return
        [
            .. new[]
            {
                SctpPackets.Packet(there, true, 0, new SctpPackets.Chunk(SctpPackets.Init, 11)),
                SctpPackets.Packet(there, false, 11, new SctpPackets.Chunk(SctpPackets.InitAck, 22)),
                SctpPackets.Packet(there, true, 22, new SctpPackets.Chunk(SctpPackets.CookieEcho)),
                SctpPackets.Packet(there, false, 11, new SctpPackets.Chunk(SctpPackets.CookieAck)),
                SctpPackets.Packet(there, true, 22, new SctpPackets.Chunk(SctpPackets.Shutdown)),
            }.Take(packets),
        ];
    }
}
