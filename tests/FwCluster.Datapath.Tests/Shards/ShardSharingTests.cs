using FwCluster.Conntrack;
using FwCluster.Datapath.Shards;

namespace FwCluster.Datapath.Tests.Shards;

/// <summary>Connections that several workers keep asking about.</summary>
public sealed class ShardSharingTests
{
    private readonly ShardBench _bench = new();
    private readonly Conversation _tcp = new();

    [Fact]
    public void AConnectionThatWasRecalledTwiceIsShared()
    {
        var shared = _bench.Share(_tcp);
        Assert.Equal((0UL, 0UL), (shared.OriginalCounters.Packets, shared.ReplyCounters.Packets)); // its sharer says what it adds
        Assert.Equal(1UL, _bench.Shard.Statistics.Shared);
        Assert.Equal((3UL, 2UL), Counters());
    }

    [Fact]
    public void SharersAddWhatTheyHaveSeen()
    {
        var shared = _bench.Share(_tcp);
        shared.OriginalCounters = new FlowCounters { Packets = 10, Bytes = 1000 };
        _bench.Say(1, ShardRequestKind.Report, in shared);
        shared.OriginalCounters = default;
        shared.ReplyCounters = new FlowCounters { Packets = 5, Bytes = 500 };
        _bench.Say(2, ShardRequestKind.Report, in shared);
        Assert.Equal((13UL, 7UL), Counters());
    }

    [Fact]
    public void ASharerThatMissesTheAcknowledgmentsDoesNotShortenTheConnectionsLife()
    {
        var shared = _bench.Share(_tcp);
        _bench.Wait(TimeSpan.FromDays(4));
        shared.OriginalCounters.Packets = 1;
        shared.Expires = _bench.Now + (long)TimeSpan.FromMinutes(5).TotalNanoseconds; // by its own tracker: unacknowledged
        _bench.Say(1, ShardRequestKind.Report, in shared);
        _bench.Wait(TimeSpan.FromDays(4));
        Assert.Equal(1, _bench.Table.Count);
        _bench.Wait(TimeSpan.FromDays(1.1));
        Assert.Equal(0, _bench.Table.Count);
        _bench.Next(2, ShardReplyKind.Revoke);
        _bench.Next(1, ShardReplyKind.Revoke);
    }

    [Fact]
    public void AFinEndsSharing()
    {
        var shared = _bench.Share(_tcp);
        var question = _bench.Ask(1, _tcp.Fin());
        _bench.Next(2, ShardReplyKind.Revoke);
        _bench.Next(1, ShardReplyKind.Revoke);
        var answer = _bench.Next(1, ShardReplyKind.Answer);
        Assert.Equal((question, ConntrackState.Established, false), (answer.Id, answer.State, answer.HasEntry));
        Assert.Equal(GrantKind.None, _bench.Table[Only()].Grant);

        // What a sharer had not told when it lost it, it tells then.
        shared.ReplyCounters = new FlowCounters { Packets = 100, Bytes = 4000 };
        var expires = _bench.Table[Only()].Expires;
        _bench.Say(2, ShardRequestKind.Report, in shared);
        Assert.Equal((4UL, 102UL), Counters());
        Assert.Equal(expires, _bench.Table[Only()].Expires);
    }

    [Fact]
    public void AResetClosesASharedConnectionWhateverItsNumber()
    {
        _bench.Share(_tcp);
        _bench.Answer(3, _tcp.Answer("more")); // its acknowledgment will be old by then
        var answer = _bench.Ask(1, new Conversation().Reset()); // an old number: the kernel would keep it ESTABLISHED
        foreach (var sharer in (int[])[2, 1, 3]) _bench.Next(sharer, ShardReplyKind.Revoke);
        Assert.Equal((answer, false), (_bench.Next(1, ShardReplyKind.Answer) is var reply ? reply.Id : 0, reply.HasEntry));
        Assert.Equal(TcpState.Close, _bench.Table[Only()].Tcp.State);
    }

    [Fact]
    public void WhatIsResetIsGrantedToNobody()
    {
        foreach (var packet in (byte[][])[_tcp.Syn(), _tcp.SynAck(), _tcp.Ack()]) Assert.True(_bench.Answer(1, packet).HasEntry);
        Assert.False(_bench.Answer(1, _tcp.Reset()).HasEntry);
    }

    [Fact]
    public void AReportOfAnotherConnectionsLifeIsNotCounted()
    {
        var shared = _bench.Share(_tcp);
        _bench.Ask(1, _tcp.Reset());
        _bench.Wait(TimeSpan.FromSeconds(11)); // CLOSE is over
        _bench.Drain();
        _bench.Answer(3, new Conversation().Syn());
        shared.OriginalCounters.Packets = 10;
        _bench.Say(1, ShardRequestKind.Report, in shared);
        Assert.Equal((1UL, 0UL), Counters());
    }

    [Fact]
    public void AGoneSharerIsToldNothingMore()
    {
        _bench.Share(_tcp);
        _bench.Shard.HolderGone(2, _bench.Now);
        _bench.Ask(1, _tcp.Fin());
        _bench.Next(1, ShardReplyKind.Revoke);
        _bench.Next(1, ShardReplyKind.Answer);
        _bench.Nothing();
    }

    private (ulong Original, ulong Reply) Counters()
    {
        ref readonly var entry = ref _bench.Table[Only()];
        return (entry.OriginalCounters.Packets, entry.ReplyCounters.Packets);
    }

    private int Only() => Assert.Single(_bench.Table.Connections(_bench.Now));
}
