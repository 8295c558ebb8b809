using FwCluster.Conntrack;
using FwCluster.Datapath.Shards;
using FwCluster.Referee.Packets;

namespace FwCluster.Datapath.Tests.Shards;

/// <summary>Packets that wait for their connections' shards.</summary>
public sealed class HeldPacketTests
{
    [Fact]
    public void PacketsOfAConnectionPassInTheirOrderAndAskOnce()
    {
        var bench = new HeldBench();
        for (var i = 0; i < 3; i++) Assert.Equal(PacketFate.Held, bench.Send(Datagram(i)));
        Assert.Single(bench.Asked);
        Assert.Equal(3, bench.Worker.HeldCount);
        bench.Answer(ConntrackState.New, GrantKind.Exclusive, Datagram(0));
        Assert.Equal([28, 29, 30], bench.Verdicts.Select(v => v.Length));
        Assert.All(bench.Verdicts, v => Assert.Equal((PacketFate.Accepted, ConntrackState.New), (v.Outcome.Fate, v.Outcome.State)));
        Assert.Equal(0, bench.Worker.HeldCount);
        Assert.Equal(PacketFate.Accepted, bench.Send(Datagram(4)));
    }

    [Fact]
    public void WhereNothingWasGrantedTheNextOneAsks()
    {
        var bench = new HeldBench();
        for (var i = 0; i < 2; i++) bench.Send(Datagram(i));
        bench.Answer(ConntrackState.New);
        Assert.Equal([28], bench.Verdicts.Select(v => v.Length));
        bench.Answer(ConntrackState.Established);
        Assert.Equal([28, 29], bench.Verdicts.Select(v => v.Length));
        Assert.Equal(ConntrackState.Established, bench.Verdicts[1].Outcome.State);
    }

    [Fact]
    public void TheQuestionSaysInWhichStatesTheRulesAccept()
    {
        var bench = new HeldBench(":FORWARD DROP\n-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT");
        bench.Send(Datagram(0));
        var question = bench.Take(ShardRequestKind.Ask);
        Assert.Equal((AcceptedStates.Related | AcceptedStates.Established, false), (question.Accepts, question.AsksFirst));
        Assert.Equal([0UL], bench.Counts()); // tried, not counted
        bench.Say(new ShardReply { Kind = ShardReplyKind.Answer, Id = question.Id, State = ConntrackState.Related });
        Assert.Equal(PacketFate.Accepted, bench.Verdicts[0].Outcome.Fate);
        Assert.Equal([1UL], bench.Counts());
    }

    [Fact]
    public void UnderOverloadNewConnectionsAreRefusedAndCountedAndOthersGoOn()
    {
        var bench = new HeldBench(room: 2);
        bench.Send(Datagram(0));
        bench.Answer(ConntrackState.New, GrantKind.Exclusive, Datagram(0));
        for (ushort port = 10; port < 12; port++) Assert.Equal(PacketFate.Held, bench.Send(Datagram(0, port)));
        Assert.Equal(PacketFate.TrackingDropped, bench.Send(Datagram(0, 12)));
        Assert.Equal(1UL, bench.Worker.Statistics.Overloaded);
        Assert.Equal(PacketFate.Accepted, bench.Send(Datagram(1)));
        bench.Answer(ConntrackState.New);
        Assert.Equal(PacketFate.Held, bench.Send(Datagram(0, 13)));
    }

    [Fact]
    public void AQuestionThatFindsNoRoomOnItsWayIsOverload()
    {
        var bench = new HeldBench { HasRoom = false };
        Assert.Equal(PacketFate.TrackingDropped, bench.Send(Datagram(0)));
        Assert.Equal((1UL, 0), (bench.Worker.Statistics.Overloaded, bench.Worker.HeldCount));
    }

    [Fact]
    public void WhatIsNotAnsweredIsDroppedAndCounted()
    {
        var bench = new HeldBench();
        for (var i = 0; i < 2; i++) bench.Send(Datagram(i));
        var question = bench.Take(ShardRequestKind.Ask);
        bench.Wait(TimeSpan.FromSeconds(1.9));
        Assert.Empty(bench.Verdicts);
        bench.Wait(TimeSpan.FromSeconds(0.2));
        Assert.Equal((PacketFate.TrackingDropped, TrackFailure.Unanswered), (bench.Verdicts[0].Outcome.Fate, bench.Verdicts[0].Outcome.Failure));
        Assert.Equal(1UL, bench.Worker.Statistics.Unanswered);
        bench.Take(ShardRequestKind.Ask); // the second one's turn
        Assert.Equal(1, bench.Worker.HeldCount);

        // Granted all the same: it came too late for its packet alone.
        bench.Say(new ShardReply { Kind = ShardReplyKind.Answer, Id = question.Id, State = ConntrackState.New, HasEntry = true, Entry = bench.Entry(Datagram(0), GrantKind.Exclusive) });
        Assert.Single(bench.Verdicts);
        Assert.Equal(1, bench.Worker.Connections.Count);
    }

    [Fact]
    public void HeldPacketsAreDecidedByTheRulesThatTheyBeganWith()
    {
        var bench = new HeldBench("-A FORWARD -p udp -j ACCEPT");
        bench.Send(Datagram(0));
        var change = bench.Change("-A FORWARD -p udp -j DROP");
        Assert.True(bench.Worker.IsDraining);
        bench.Worker.Advance(bench.Now);
        Assert.False(change.Made.IsCompleted);
        bench.Answer(ConntrackState.New);
        Assert.Equal(PacketFate.Accepted, bench.Verdicts[0].Outcome.Fate);
        Assert.True(change.Made.IsCompleted);
        Assert.False(bench.Worker.IsDraining);
        bench.Send(Datagram(0));
        bench.Answer(ConntrackState.New);
        Assert.Equal(PacketFate.Dropped, bench.Verdicts[1].Outcome.Fate);
    }

    [Theory]
    [InlineData("-m limit --limit 1/hour --limit-burst 1 -j ACCEPT")]
    [InlineData("-m recent --name seen --set -j ACCEPT")]
    [InlineData("-m connmark --mark 0 -j ACCEPT")]
    public void RulesThatRememberOrReadTheConnectionRunOnceWhenItIsKnown(string match)
    {
        var bench = new HeldBench($":FORWARD DROP\n-A FORWARD -j LOG\n-A FORWARD {match}");
        bench.Send(Datagram(0));
        Assert.Equal([0UL, 0UL], bench.Counts());
        Assert.Equal(0, bench.Logged);
        var question = bench.Take(ShardRequestKind.Ask);
        Assert.True(question.AsksFirst);

        var entry = bench.Entry(Datagram(0), GrantKind.None);
        bench.Say(new ShardReply { Kind = ShardReplyKind.Answer, Id = question.Id, State = ConntrackState.New, IsPending = true, HasEntry = true, Entry = entry });
        Assert.Equal(PacketFate.Accepted, Assert.Single(bench.Verdicts).Outcome.Fate);
        Assert.Equal(question.Id, bench.Take(ShardRequestKind.Confirm).Id);
        entry.Grant = GrantKind.Exclusive;
        bench.Say(new ShardReply { Kind = ShardReplyKind.Confirmed, Id = question.Id, HasEntry = true, Entry = entry });
        Assert.Single(bench.Verdicts);
        Assert.Equal([1UL, 1UL], bench.Counts());
        Assert.Equal(1, bench.Logged);
        Assert.Equal((1, 0), (bench.Worker.Connections.Count, bench.Worker.HeldCount));
    }

    [Fact]
    public void WhatTheRulesThenRefuseIsWithdrawn()
    {
        var bench = new HeldBench(":FORWARD DROP\n-A FORWARD -m connmark --mark 1 -j ACCEPT");
        bench.Send(Datagram(0));
        var question = bench.Take(ShardRequestKind.Ask);
        bench.Say(new ShardReply { Kind = ShardReplyKind.Answer, Id = question.Id, State = ConntrackState.New, IsPending = true, HasEntry = true, Entry = bench.Entry(Datagram(0), GrantKind.None) });
        Assert.Equal(PacketFate.Dropped, Assert.Single(bench.Verdicts).Outcome.Fate);
        bench.Take(ShardRequestKind.Withdraw);
        bench.Say(new ShardReply { Kind = ShardReplyKind.Confirmed, Id = question.Id });
        Assert.Equal((0, 0), (bench.Worker.Connections.Count, bench.Worker.HeldCount));
    }

    [Fact]
    public void WhatIsRecalledGoesBackAsItIs()
    {
        var bench = Granted(GrantKind.Exclusive);
        bench.Send(Datagram(1));
        bench.Say(new ShardReply { Kind = ShardReplyKind.Recall, Id = 77, Tuple = Entry(bench).Original });
        var back = bench.Take(ShardRequestKind.Return);
        Assert.Equal((77u, true, 2UL), (back.Id, back.HasEntry, back.Entry.OriginalCounters.Packets));
        bench.Say(new ShardReply { Kind = ShardReplyKind.Recall, Id = 78, Tuple = back.Tuple });
        Assert.False(bench.Take(ShardRequestKind.Return).HasEntry); // it is gone
        Assert.Equal(PacketFate.Held, bench.Send(Datagram(2)));
    }

    [Fact]
    public void WhatWasSeenOfASharedConnectionIsToldWhenItIsTakenAway()
    {
        var bench = Granted(GrantKind.Shared);
        bench.Send(Datagram(1));
        bench.Say(new ShardReply { Kind = ShardReplyKind.Revoke, Tuple = Entry(bench).Original });
        var report = bench.Take(ShardRequestKind.Report);
        Assert.Equal((GrantKind.Shared, 1UL), (report.Entry.Grant, report.Entry.OriginalCounters.Packets));
        Assert.Equal(0, bench.Worker.Connections.Count);
    }

    [Fact]
    public void WhatWasSeenOfASharedConnectionIsToldWhenItComesAgain()
    {
        var bench = Granted(GrantKind.Shared);
        bench.Send(Datagram(1));
        bench.Say(new ShardReply { Kind = ShardReplyKind.Answer, Id = 1000, HasEntry = true, Entry = bench.Entry(Datagram(0), GrantKind.Shared) });
        Assert.Equal(1UL, bench.Take(ShardRequestKind.Report).Entry.OriginalCounters.Packets);
        Assert.Equal(0UL, Entry(bench).OriginalCounters.Packets);
    }

    [Fact]
    public void ASharedConnectionsLifeIsReportedEveryFiveSeconds()
    {
        var bench = Granted(GrantKind.Shared);
        bench.Wait(TimeSpan.FromSeconds(6));
        Assert.Empty(bench.Asked); // nothing to tell
        bench.Send(Datagram(1));
        bench.Wait(TimeSpan.FromSeconds(6));
        Assert.Equal(1UL, bench.Take(ShardRequestKind.Report).Entry.OriginalCounters.Packets);
        bench.Wait(TimeSpan.FromSeconds(6));
        Assert.Empty(bench.Asked);
    }

    private static HeldBench Granted(GrantKind grant)
    {
        var bench = new HeldBench();
        bench.Send(Datagram(0));
        bench.Answer(ConntrackState.New, grant, Datagram(0));
        bench.Asked.Clear();
        return bench;
    }

    private static Connection Entry(HeldBench bench) => bench.Worker.Connections[Assert.Single(bench.Worker.Connections.Connections(bench.Now))];

    /// <summary>A datagram of so many bytes more than its headers' 28.</summary>
    private static byte[] Datagram(int bytes, ushort port = 5000)
        => PacketBuilder.Udp(PacketAddresses.Parse("192.0.2.1", "198.51.100.1"), port, 53, new byte[bytes]);
}
