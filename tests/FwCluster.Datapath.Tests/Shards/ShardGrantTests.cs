using FwCluster.Conntrack;
using FwCluster.Datapath.Shards;
using FwCluster.Referee.Packets;

namespace FwCluster.Datapath.Tests.Shards;

/// <summary>Who has a connection.</summary>
public sealed class ShardGrantTests
{
    private static readonly TimeSpan Patience = new ShardSettings().Patience;

    private readonly ShardBench _bench = new();
    private readonly Conversation _tcp = new();

    [Fact]
    public void WhoAsksAboutAFirstPacketGetsTheConnection()
    {
        var answer = _bench.Answer(1, _tcp.Syn());
        Assert.Equal((ConntrackState.New, true, GrantKind.Exclusive), (answer.State, answer.HasEntry, answer.Entry.Grant));
        Assert.Equal(1, _bench.Table.Count);
        Assert.Equal((1UL, 1UL), (_bench.Shard.Statistics.Questions, _bench.Shard.Statistics.Granted));
    }

    [Fact]
    public void WhatTheRulesRefuseLeavesNoEntry()
    {
        var answer = _bench.Answer(1, _tcp.Syn(), AcceptedStates.Established);
        Assert.Equal((ConntrackState.New, false), (answer.State, answer.HasEntry));
        Assert.Equal(0, _bench.Table.Count);
    }

    [Fact]
    public void AnotherOnesQuestionIsAnsweredWithWhatTheHolderGivesBack()
    {
        var held = _bench.Answer(1, _tcp.Syn()).Entry;
        var question = _bench.Ask(2, _tcp.SynAck());
        var recall = _bench.Next(1, ShardReplyKind.Recall);
        Assert.Equal(held.Original, recall.Tuple);
        _bench.Nothing(); // the question waits
        Assert.Equal(1, _bench.Shard.Waiting);

        held.Mark = 7;
        _bench.Say(1, ShardRequestKind.Return, in held, recall.Id);
        var answer = _bench.Next(2, ShardReplyKind.Answer);
        Assert.Equal((question, ConntrackState.Established, Direction.Reply), (answer.Id, answer.State, answer.Direction));
        Assert.Equal(7u, _bench.Table[Only()].Mark);
        Assert.Equal(0, _bench.Shard.Waiting);
    }

    [Fact]
    public void AHolderThatHasNothingGivesNothingBack()
    {
        var held = _bench.Answer(1, _tcp.Syn()).Entry;
        _bench.Ask(2, _tcp.SynAck());
        _bench.Say(1, ShardRequestKind.Return, in held, _bench.Next(1, ShardReplyKind.Recall).Id, hasEntry: false);
        Assert.Equal(ConntrackState.Established, _bench.Next(2, ShardReplyKind.Answer).State); // by what was last known
    }

    [Fact]
    public void AnEndThatCrossesTheRecallLetsTheQuestionBeginAnew()
    {
        var held = _bench.Answer(1, _tcp.Syn()).Entry;
        _bench.Ask(2, new Conversation().Syn());
        var recall = _bench.Next(1, ShardReplyKind.Recall);
        _bench.Say(1, ShardRequestKind.End, in held);
        var answer = _bench.Next(2, ShardReplyKind.Answer);
        Assert.Equal((ConntrackState.New, GrantKind.Exclusive), (answer.State, answer.Entry.Grant));

        _bench.Say(1, ShardRequestKind.Return, in held, recall.Id, hasEntry: false); // it had nothing any more
        _bench.Nothing();
        Assert.Equal((GrantKind.Exclusive, 2), (_bench.Table[Only()].Grant, _bench.Table[Only()].Holder));
    }

    [Fact]
    public void AHolderThatDoesNotAnswerLosesTheConnection()
    {
        var held = _bench.Answer(1, _tcp.Syn()).Entry;
        _bench.Ask(2, _tcp.SynAck());
        var recall = _bench.Next(1, ShardReplyKind.Recall);
        _bench.Wait(Patience / 2);
        _bench.Nothing();
        _bench.Wait(Patience);
        Assert.Equal(ConntrackState.Established, _bench.Next(2, ShardReplyKind.Answer).State);
        Assert.Equal(1UL, _bench.Shard.Statistics.Impatience);

        held.Mark = 7;
        _bench.Say(1, ShardRequestKind.Return, in held, recall.Id);
        Assert.Equal(0u, _bench.Table[Only()].Mark); // too late
    }

    [Fact]
    public void AGrantThatIsOnItsWayToWhoAsksAgainIsCalledBackFromHim()
    {
        _bench.Ask(1, _tcp.Syn());
        var again = _bench.Ask(1, new Conversation().Syn()); // he did not wait for the answer
        var held = _bench.Next(1, ShardReplyKind.Answer).Entry;
        held.Mark = 7;
        _bench.Say(1, ShardRequestKind.Return, in held, _bench.Next(1, ShardReplyKind.Recall).Id);
        var answer = _bench.Next(1, ShardReplyKind.Answer);
        Assert.Equal((again, ConntrackState.New, 7u, GrantKind.Exclusive), (answer.Id, answer.State, answer.Entry.Mark, answer.Entry.Grant));
        Assert.Equal(0, _bench.Table[Only()].Recalls); // nobody else met it
    }

    [Fact]
    public void QuestionsWaitInTheirOrder()
    {
        var held = _bench.Answer(1, _tcp.Syn()).Entry;
        var first = _bench.Ask(2, _tcp.SynAck());
        var second = _bench.Ask(3, _tcp.Ack());
        _bench.GiveBack(1, in held);
        Assert.Equal(first, _bench.Next(2, ShardReplyKind.Answer).Id);
        Assert.Equal(second, _bench.Next(3, ShardReplyKind.Answer).Id);
        _bench.Nothing();
    }

    [Fact]
    public void WhatAGoneHolderHadIsTheShardsAgain()
    {
        var held = _bench.Answer(1, _tcp.Syn()).Entry;
        held.Tcp = default;
        _bench.Ask(2, _tcp.SynAck());
        _bench.Next(1, ShardReplyKind.Recall);
        _bench.Shard.HolderGone(1, _bench.Now);
        Assert.Equal(ConntrackState.Established, _bench.Next(2, ShardReplyKind.Answer).State);
        Assert.Equal(0, _bench.Shard.Waiting);

        var other = new Conversation(5001);
        _bench.Answer(3, other.Syn());
        _bench.Shard.HolderGone(3, _bench.Now);
        Assert.Equal(ConntrackState.Established, _bench.Answer(2, other.SynAck()).State); // asked nobody
    }

    [Fact]
    public void AGoneOnesUnconfirmedPacketIsForgotten()
    {
        _bench.Ask(1, _tcp.Syn(), first: true);
        Assert.True(_bench.Next(1, ShardReplyKind.Answer).IsPending);
        var waiting = _bench.Ask(2, new Conversation().Syn());
        _bench.Shard.HolderGone(1, _bench.Now);
        var answer = _bench.Next(2, ShardReplyKind.Answer);
        Assert.Equal((waiting, ConntrackState.New), (answer.Id, answer.State));
        Assert.Equal(1, _bench.Table.Count);
    }

    [Fact]
    public void AnEntryThatGoesEarlyIsTakenFromItsHolder()
    {
        var bench = new ShardBench(ConntrackSettings.Default with { MaxEntries = 4 });
        for (ushort port = 1; port <= 5; port++) bench.Ask(port, PacketBuilder.Udp(PacketAddresses.Parse("192.0.2.1", "198.51.100.1"), port, 53));
        for (var port = 1; port <= 4; port++) bench.Next(port, ShardReplyKind.Answer);
        // What had to go for the fifth, one or several of a bucket; then the fifth.
        var revoked = 4 - (bench.Table.Count - 1);
        Assert.InRange(revoked, 1, 4);
        var last = bench.Drain();
        Assert.Equal(revoked, last.Count(r => r.Reply.Kind == ShardReplyKind.Revoke));
        Assert.All(last.Where(r => r.Reply.Kind == ShardReplyKind.Revoke), r => Assert.Equal(r.Holder, r.Reply.Tuple.SourcePort));
        Assert.Equal((5, ShardReplyKind.Answer), (last[^1].Holder, last[^1].Reply.Kind));
    }

    private int Only() => Assert.Single(_bench.Table.Connections(_bench.Now));
}
