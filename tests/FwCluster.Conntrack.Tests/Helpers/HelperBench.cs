using System.Text;
using FwCluster.Conntrack.Helpers;
using FwCluster.Packets;

namespace FwCluster.Conntrack.Tests.Helpers;

/// <summary>One connection that a helper reads, without a table: packets in, verdicts and what was expected out.</summary>
internal sealed class HelperBench : IExpectationSink
{
    private const int HeaderBytes = 60;

    private readonly ConnectionHelper _helper;
    private Connection _connection;
    private object? _state;
    private byte[] _packet = new byte[HeaderBytes + 2000];

    public HelperBench(ConnectionHelper helper, string client, string server, ushort clientPort = 40000, ushort serverPort = 21)
    {
        _helper = helper;
        Assert.True(IpAddress.TryParse(client, out var source, out var family));
        Assert.True(IpAddress.TryParse(server, out var destination, out var other));
        Assert.Equal(family, other);
        _connection.Original = new FlowTuple
        {
            Source = source,
            Destination = destination,
            SourcePort = clientPort,
            DestinationPort = serverPort,
            Protocol = helper.Protocol,
            Family = family,
        };
    }

    /// <summary>What was expected, in order.</summary>
    public List<Expectation> Noted { get; } = [];

    /// <summary>Says no to every expectation.</summary>
    public bool Refuses { get; set; }

    /// <summary>The zone of the connection.</summary>
    public ushort Zone
    {
        get => _connection.Zone;
        set => _connection.Zone = value;
    }

    /// <summary>What the helper remembers of the connection.</summary>
    public object? State
    {
        get => _state;
        set => _state = value;
    }

    /// <summary>Where each direction's stream is, for <see cref="Client"/> and <see cref="Server"/>.</summary>
    public uint[] Sequence { get; } = [1000, 0xffff_ff00];

    /// <summary>The client's next bytes; false where they are dropped (they are not counted as sent then).</summary>
    public bool Client(string text) => Next(Direction.Original, text);

    /// <summary>The server's next bytes.</summary>
    public bool Server(string text) => Next(Direction.Reply, text);

    /// <summary>A segment at a sequence number.</summary>
    public bool Segment(Direction direction, uint sequence, string text)
        => Packet(direction, sequence, Encoding.Latin1.GetBytes(text));

    /// <summary>A packet.</summary>
    /// <param name="direction">Its direction.</param>
    /// <param name="sequence">TCP sequence number.</param>
    /// <param name="payload">Its payload on the wire.</param>
    /// <param name="captured">Bytes of the payload that were captured.</param>
    /// <param name="state">Its state.</param>
    public bool Packet(Direction direction, uint sequence, ReadOnlySpan<byte> payload, int captured = int.MaxValue,
        ConntrackState state = ConntrackState.Established)
    {
        captured = Math.Min(captured, payload.Length);
        if (_packet.Length < HeaderBytes + captured) _packet = new byte[HeaderBytes + captured];
        payload[..captured].CopyTo(_packet.AsSpan(HeaderBytes));
        var tuple = _connection.Tuple(direction);
        var headers = new PacketHeaders
        {
            Source = tuple.Source,
            Destination = tuple.Destination,
            SourcePort = tuple.SourcePort,
            DestinationPort = tuple.DestinationPort,
            Family = tuple.Family,
            Protocol = tuple.Protocol,
            TransportOffset = 40,
            PayloadOffset = HeaderBytes,
            TotalLength = HeaderBytes + payload.Length,
            TcpSequence = sequence,
            TcpFlags = TcpFlags.Ack | TcpFlags.Psh,
            Transport = TransportHeader.Whole,
        };
        var call = new HelperCall
        {
            Headers = ref headers,
            Packet = _packet.AsSpan(0, HeaderBytes + captured),
            Direction = direction,
            PacketState = state,
            Connection = ref _connection,
            ConnectionIndex = 7,
            State = ref _state,
            Now = 1,
            Expectations = this,
        };
        return _helper.Help(ref call);
    }

    public bool Expect(Expectation expectation, ConnectionHelper helper, long now)
    {
        Assert.Same(_helper, helper);
        if (!Refuses) Noted.Add(expectation);
        return !Refuses;
    }

    private bool Next(Direction direction, string text)
    {
        var accepted = Segment(direction, Sequence[(int)direction], text);
        if (accepted) Sequence[(int)direction] += (uint)text.Length;
        return accepted;
    }
}
