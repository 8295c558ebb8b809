using static FwCluster.Conntrack.Tests.Sctp.SctpPackets;

namespace FwCluster.Conntrack.Tests.Sctp;

/// <summary>SCTP through the table: the ways of an association.</summary>
public sealed class SctpTrackerTests
{
    private const uint ClientTag = 0xC11E;
    private const uint ServerTag = 0x5E47;

    private readonly Harness _harness = new();

    [Fact]
    public void Association_opens_carries_data_and_closes()
    {
        Open();
        Check(true, ServerTag, ConntrackState.Established, SctpState.Established, 210, new Chunk(Data));
        Check(false, ClientTag, ConntrackState.Established, SctpState.Established, 210, new Chunk(Sack), new Chunk(Data));
        Check(true, ServerTag, ConntrackState.Established, SctpState.ShutdownSent, 3, new Chunk(Shutdown));
        Check(false, ClientTag, ConntrackState.Established, SctpState.ShutdownAckSent, 3, new Chunk(ShutdownAck));
        Check(true, ServerTag, ConntrackState.Established, SctpState.Closed, 10, new Chunk(ShutdownComplete));
    }

    [Fact]
    public void Shutdown_may_come_from_the_server()
    {
        Open();
        Check(false, ClientTag, ConntrackState.Established, SctpState.ShutdownRecd, 3, new Chunk(Shutdown));
        Check(true, ServerTag, ConntrackState.Established, SctpState.ShutdownAckSent, 3, new Chunk(ShutdownAck));
        Check(false, ClientTag, ConntrackState.Established, SctpState.Closed, 10, new Chunk(ShutdownComplete));
    }

    [Theory]
    [InlineData(ServerTag, 0, true)]
    [InlineData(ClientTag, 1, true)]
    [InlineData(ClientTag, 0, false)]
    [InlineData(ServerTag, 1, false)]
    [InlineData(77u, 0, false)]
    public void Abort_carries_the_right_tag(uint tag, byte flags, bool isValid)
    {
        Open();
        var state = Send(true, tag, new Chunk(Abort, Flags: flags));
        Assert.Equal(isValid ? ConntrackState.Established : ConntrackState.Invalid, state);
        Assert.Equal(isValid ? SctpState.Closed : SctpState.Established, _harness.Only().SctpState);
    }

    [Fact]
    public void Data_with_another_tag_is_invalid()
    {
        Open();
        Assert.Equal(ConntrackState.Invalid, Send(true, ServerTag + 1, new Chunk(Data)));
        Assert.Equal(ConntrackState.Invalid, Send(false, ServerTag, new Chunk(Data)));
        Assert.Equal(TrackFailure.Protocol, _harness.Last.Failure);
    }

    [Fact]
    public void Nothing_begins_with_what_cannot_begin()
    {
        foreach (var type in (byte[])[Data, Sack, Abort, CookieAck, ShutdownComplete, 64, 255])
        {
            Assert.Equal(ConntrackState.Invalid, Send(true, 0, new Chunk(type)));
            Assert.Equal(TrackFailure.Protocol, _harness.Last.Failure);
        }
        Assert.Equal(ConntrackState.Invalid, Send(true, 5, new Chunk(Init, ClientTag)));
        Assert.Equal(ConntrackState.Invalid, Send(true, 0, new Chunk(Init, ClientTag, BodyBytes: 12)));
        Assert.Equal(0, _harness.Table.Count);
    }

    [Fact]
    public void Chunks_that_stand_alone_are_not_bundled()
    {
        Open();
        Malformed();
        Malformed(new Chunk(Init, 1), new Chunk(Data));
        Malformed(new Chunk(Data), new Chunk(ShutdownComplete));
        Malformed(new Chunk(Data), new Chunk(CookieEcho));
        Malformed(new Chunk(Sack), new Chunk(CookieAck));
        Malformed(new Chunk(Data), new Chunk(Data, Length: 0));
        Assert.Equal(ConntrackState.Established, Send(true, ServerTag, new Chunk(CookieEcho), new Chunk(Data)));
        // Behind the last whole header nothing is read; a chunk may say that it is longer than the packet.
        Assert.Equal(ConntrackState.Established, Send(true, ServerTag, new Chunk(Data, BodyBytes: 2, Length: 60000)));

        void Malformed(params Chunk[] chunks)
        {
            Assert.Equal(ConntrackState.Invalid, Send(true, ServerTag, chunks));
            Assert.Equal(TrackFailure.Malformed, _harness.Last.Failure);
        }
    }

    [Fact]
    public void Init_sent_again_does_not_keep_the_entry()
    {
        Check(true, 0, ConntrackState.New, SctpState.Closed, 10, new Chunk(Init, ClientTag));
        _harness.Wait(4);
        Check(true, 0, ConntrackState.New, SctpState.Closed, 6, new Chunk(Init, ClientTag));
        Assert.Equal(1ul, _harness.Only().OriginalCounters.Packets);
        _harness.Wait(6);
        Assert.Empty(_harness.Table.Connections(_harness.Now));
    }

    [Fact]
    public void Second_path_is_established_by_heartbeats()
    {
        Check(true, ServerTag, ConntrackState.New, SctpState.HeartbeatSent, 30, new Chunk(Heartbeat));
        Check(false, ClientTag, ConntrackState.Established, SctpState.Established, 210, new Chunk(HeartbeatAck));
        Check(true, ServerTag, ConntrackState.Established, SctpState.Established, 210, new Chunk(Data));
    }

    [Fact]
    public void Heartbeat_with_a_new_tag_counts_once_it_is_answered_with_one()
    {
        Open();
        _harness.Wait(10);
        Check(true, 71, ConntrackState.Established, SctpState.Established, 200, new Chunk(Heartbeat));
        Assert.Equal(ConntrackState.Invalid, Send(true, 71, new Chunk(Data)));
        Assert.Equal(ConntrackState.Invalid, Send(true, 71, new Chunk(Heartbeat), new Chunk(Data)));
        Check(false, 72, ConntrackState.Established, SctpState.Established, 210, new Chunk(HeartbeatAck));
        Check(true, 71, ConntrackState.Established, SctpState.Established, 210, new Chunk(Heartbeat));
        Check(true, 71, ConntrackState.Established, SctpState.Established, 210, new Chunk(Data));
        Check(false, 72, ConntrackState.Established, SctpState.Established, 210, new Chunk(Data));
    }

    [Theory]
    [InlineData(SctpState.Closed, "CLOSED")]
    [InlineData(SctpState.CookieWait, "COOKIE_WAIT")]
    [InlineData(SctpState.ShutdownAckSent, "SHUTDOWN_ACK_SENT")]
    [InlineData(SctpState.None, "NONE")]
    public void State_has_the_kernels_name(SctpState state, string name) => Assert.Equal(name, state.Name());

    private void Open()
    {
        Check(true, 0, ConntrackState.New, SctpState.Closed, 10, new Chunk(Init, ClientTag));
        Check(false, ClientTag, ConntrackState.Established, SctpState.CookieWait, 3, new Chunk(InitAck, ServerTag));
        Check(true, ServerTag, ConntrackState.Established, SctpState.CookieEchoed, 3, new Chunk(CookieEcho));
        Assert.False(_harness.Only().Status.HasFlag(ConnectionStatus.Assured));
        Check(false, ClientTag, ConntrackState.Established, SctpState.Established, 210, new Chunk(CookieAck));
        Assert.True(_harness.Only().Status.HasFlag(ConnectionStatus.Assured));
    }

    private void Check(bool fromClient, uint tag, ConntrackState state, SctpState after, int seconds, params Chunk[] chunks)
    {
        Assert.Equal(state, Send(fromClient, tag, chunks));
        var connection = _harness.Only();
        Assert.Equal(after, connection.SctpState);
        Assert.Equal(seconds * 1_000_000_000L, connection.Expires - _harness.Now);
    }

    private ConntrackState Send(bool fromClient, uint tag, params Chunk[] chunks)
        => _harness.Send(Packet(Harness.ToServer, fromClient, tag, chunks));
}
