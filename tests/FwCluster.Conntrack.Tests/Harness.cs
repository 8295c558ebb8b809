using FwCluster.Conntrack.Helpers;
using FwCluster.Packets;
using FwCluster.Referee.Packets;

namespace FwCluster.Conntrack.Tests;

/// <summary>A table with a clock that the test moves, and shorthands for packets between a client and a server.</summary>
internal sealed class Harness
{
    public const ushort ClientPort = 40000;
    public static readonly PacketAddresses ToServer = PacketAddresses.Parse("10.211.55.10", "10.211.55.20");

    public Harness(ConntrackSettings? settings = null, params IReadOnlyList<ConnectionHelper> helpers)
        => Table = new ConnectionTable(settings ?? ConntrackSettings.Default, helpers);

    public ConnectionTable Table { get; }

    /// <summary>Nanoseconds since the epoch.</summary>
    public long Now { get; private set; } = 1_700_000_000_000_000_000;

    public TrackResult Last { get; private set; }

    public void Wait(double seconds) => Now += (long)(seconds * 1e9);

    /// <summary>Tracks a packet that the rules accept, and tells its state.</summary>
    public ConntrackState Send(byte[] packet, ConnectionTemplate template = default)
    {
        var result = Track(packet, out var headers, template);
        var state = result.State;
        Table.Confirm(ref result, headers, packet, Now);
        return state;
    }

    /// <summary>Tracks a packet that the rules drop, and tells its state.</summary>
    public ConntrackState SendDropped(byte[] packet)
    {
        var result = Track(packet, out _, default);
        Table.Discard(ref result);
        return Last.State;
    }

    public ConntrackState Tcp(bool toServer, TcpFlags flags, uint seq = 0, uint ack = 0, int payload = 0, ushort port = 80,
        ushort clientPort = ClientPort, ushort window = 65000, byte[]? options = null)
        => Send(Segment(toServer, flags, seq, ack, payload, port, clientPort, window, options));

    public static byte[] Segment(bool toServer, TcpFlags flags, uint seq = 0, uint ack = 0, int payload = 0, ushort port = 80,
        ushort clientPort = ClientPort, ushort window = 65000, byte[]? options = null)
        => PacketBuilder.Tcp(toServer ? ToServer : ToServer.Reversed, toServer ? clientPort : port, toServer ? port : clientPort, flags,
            seq, ack, window, options, new byte[payload]);

    /// <summary>Opens a connection: client's numbers begin at 1000, the server's at 2000.</summary>
    public void Open(ushort port = 80, ushort clientPort = ClientPort)
    {
        Assert.Equal(ConntrackState.New, Tcp(true, TcpFlags.Syn, 999, port: port, clientPort: clientPort));
        Assert.Equal(ConntrackState.Established,
            Tcp(false, TcpFlags.Syn | TcpFlags.Ack, 1999, 1000, port: port, clientPort: clientPort));
        Assert.Equal(ConntrackState.Established, Tcp(true, TcpFlags.Ack, 1000, 2000, port: port, clientPort: clientPort));
    }

    /// <summary>The one entry of the table.</summary>
    public Connection Only()
    {
        var index = Assert.Single(Table.Connections(Now));
        return Table[index];
    }

    private TrackResult Track(byte[] packet, out PacketHeaders headers, ConnectionTemplate template)
    {
        Assert.Equal(DecodeResult.Ok, PacketDecoder.Decode(packet, packet.Length, out headers));
        var result = Table.Track(headers, packet, template, Now);
        Last = result;
        return result;
    }
}
