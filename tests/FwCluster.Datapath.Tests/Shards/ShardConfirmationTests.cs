using FwCluster.Conntrack;
using FwCluster.Datapath.Shards;

namespace FwCluster.Datapath.Tests.Shards;

/// <summary>Packets whose rules can only be run once their connection is known.</summary>
public sealed class ShardConfirmationTests
{
    private readonly ShardBench _bench = new();
    private readonly Conversation _tcp = new();

    [Fact]
    public void WhatIsConfirmedIsThereAndGranted()
    {
        var pending = Pending(1, _tcp.Syn());
        Assert.Equal(0, _bench.Table.Count);
        pending.Entry.Mark = 5;
        _bench.Say(1, ShardRequestKind.Confirm, in pending.Entry, pending.Id);
        var confirmed = _bench.Next(1, ShardReplyKind.Confirmed);
        Assert.Equal((pending.Id, GrantKind.Exclusive, 5u), (confirmed.Id, confirmed.Entry.Grant, confirmed.Entry.Mark));
        Assert.Equal(1, _bench.Table.Count);
    }

    [Fact]
    public void WhatIsWithdrawnHasNeverBeen()
    {
        var pending = Pending(1, _tcp.Syn());
        _bench.Say(1, ShardRequestKind.Withdraw, in pending.Entry, pending.Id);
        Assert.False(_bench.Next(1, ShardReplyKind.Confirmed).HasEntry);
        Assert.Equal(0, _bench.Table.Count);
        Assert.Equal(0, _bench.Shard.Waiting);
    }

    [Fact]
    public void ASecondQuestionWaitsForTheFirstOnesRules()
    {
        var pending = Pending(1, _tcp.Syn());
        var second = _bench.Ask(2, new Conversation().Syn());
        _bench.Nothing();
        _bench.Say(1, ShardRequestKind.Withdraw, in pending.Entry, pending.Id);
        _bench.Next(1, ShardReplyKind.Confirmed);
        var answer = _bench.Next(2, ShardReplyKind.Answer);
        Assert.Equal((second, ConntrackState.New, true), (answer.Id, answer.State, answer.HasEntry));
    }

    [Fact]
    public void ASecondQuestionBehindOneThatWasConfirmedRecallsIt()
    {
        var pending = Pending(1, _tcp.Syn());
        _bench.Ask(2, _tcp.SynAck());
        _bench.Say(1, ShardRequestKind.Confirm, in pending.Entry, pending.Id);
        var held = _bench.Next(1, ShardReplyKind.Confirmed).Entry;
        _bench.GiveBack(1, in held);
        Assert.Equal(ConntrackState.Established, _bench.Next(2, ShardReplyKind.Answer).State);
    }

    [Fact]
    public void AWordThatDoesNotComeIsANo()
    {
        var pending = Pending(1, _tcp.Syn());
        var second = _bench.Ask(2, new Conversation().Syn());
        _bench.Wait(new ShardSettings().Patience);
        Assert.Equal((second, true), (_bench.Next(2, ShardReplyKind.Answer) is var answer ? answer.Id : 0, answer.HasEntry));
        _bench.Say(1, ShardRequestKind.Confirm, in pending.Entry, pending.Id);
        _bench.Nothing();
        Assert.Equal(1, _bench.Table.Count);
        Assert.Equal(1UL, _bench.Shard.Statistics.Impatience);
    }

    [Fact]
    public void OnlyWhoWasAskedMayConfirm()
    {
        var pending = Pending(1, _tcp.Syn());
        _bench.Say(2, ShardRequestKind.Confirm, in pending.Entry, pending.Id);
        _bench.Say(1, ShardRequestKind.Confirm, in pending.Entry, pending.Id + 1);
        _bench.Nothing();
        Assert.Equal(0, _bench.Table.Count);
    }

    private ShardReply Pending(int holder, byte[] packet)
    {
        var id = _bench.Ask(holder, packet, AcceptedStates.None, first: true);
        var reply = _bench.Next(holder, ShardReplyKind.Answer);
        Assert.Equal((id, true, true, GrantKind.None), (reply.Id, reply.IsPending, reply.HasEntry, reply.Entry.Grant));
        return reply;
    }
}
