using FwCluster.Conntrack;
using FwCluster.Datapath.Shards;
using FwCluster.Packets;

namespace FwCluster.Datapath.Tests.Shards;

/// <summary>What a shard's connections expect, and what it takes of others.</summary>
public sealed class ShardExpectationTests
{
    private const string Passive = "227 Entering Passive Mode (198,51,100,1,156,64)\r\n";
    private const ushort Announced = 40000;

    private readonly ShardBench _bench = new();
    private readonly Conversation _control = new(serverPort: 21);
    private readonly Conversation _data = new(6000, Announced);

    [Fact]
    public void ThePacketThatAnnouncesWaitsForTheNodes()
    {
        var question = Announce();
        _bench.Nothing();
        Assert.Equal(Announced, Assert.Single(_bench.Announced).Expectation.Tuple.DestinationPort);
        _bench.Shard.Acknowledged(_bench.Announced[0].Ticket, _bench.Now);
        var answer = _bench.Next(2, ShardReplyKind.Answer);
        Assert.Equal((question, ConntrackState.Established, GrantKind.Exclusive), (answer.Id, answer.State, answer.Entry.Grant));
        Assert.NotEmpty(answer.Helper!);
    }

    [Fact]
    public void ThePacketThatAnnouncesDoesNotWaitForEver()
    {
        var question = Announce();
        _bench.Wait(new ShardSettings().Patience);
        Assert.Equal(question, _bench.Next(2, ShardReplyKind.Answer).Id);
        _bench.Shard.Acknowledged(_bench.Announced[0].Ticket, _bench.Now);
        _bench.Nothing();
        Assert.Equal(1UL, _bench.Shard.Statistics.Impatience);
    }

    [Fact]
    public void WhatFollowsTheAnnouncementWaitsBehindIt()
    {
        var first = Announce();
        var second = _bench.Ask(1, _control.Ack());
        _bench.Nothing();
        _bench.Shard.Acknowledged(_bench.Announced[0].Ticket, _bench.Now);
        var held = _bench.Next(2, ShardReplyKind.Answer);
        Assert.Equal(first, held.Id);
        _bench.GiveBack(2, in held.Entry);
        Assert.Equal(second, _bench.Next(1, ShardReplyKind.Answer).Id);
    }

    /// <summary>Somebody else has asked about the control connection at the moment when its holder finds an announcement: nothing is lost.</summary>
    [Fact]
    public void AnAnnouncementThatMeetsItsRecallComesFirst()
    {
        var held = LoggedIn();
        var other = _bench.Ask(1, _control.Ack());
        _bench.Next(2, ShardReplyKind.Recall);
        var announcing = _bench.Ask(2, _control.Answer(Passive), back: held);
        // Who asked first is answered first, and has the connection now; the announcement calls it back.
        var lent = _bench.Next(1, ShardReplyKind.Answer);
        Assert.Equal((other, ConntrackState.Established), (lent.Id, lent.State));
        if (lent.HasEntry) _bench.GiveBack(1, in lent.Entry);
        _bench.Shard.Acknowledged(Assert.Single(_bench.Announced).Ticket, _bench.Now);
        Assert.Equal(announcing, _bench.Next(2, ShardReplyKind.Answer).Id);
    }

    /// <summary>The shard has not seen what its client acknowledges now: that must not be INVALID until the connection ends.</summary>
    [Fact]
    public void WhatAHolderSawThatIsGoneMakesNothingInvalid()
    {
        LoggedIn();
        _ = _control.Answer(new string('x', 3000) + "\r\n");
        _bench.Shard.HolderGone(2, _bench.Now);
        Assert.Equal(ConntrackState.Established, _bench.Answer(1, _control.Ack()).State);
    }

    /// <summary>Lines that nobody told of have passed; the next one is read all the same.</summary>
    [Fact]
    public void AHelperWhoseHolderIsGonePicksItsConnectionUp()
    {
        LoggedIn();
        _ = _control.Answer("331 password?\r\n"); // seen by the holder alone
        _bench.Shard.HolderGone(2, _bench.Now);
        _bench.Ask(1, _control.Answer(Passive));
        Assert.Single(_bench.Announced);
    }

    [Fact]
    public void OfTwoThatClaimOneExpectationOneGetsIt()
    {
        Announce();
        var number = _bench.Announced[0].Number;
        var (first, second) = (Connection(6000), Connection(6001));
        Assert.NotNull(_bench.Shard.Claim(number, in first, _bench.Now));
        Assert.Null(_bench.Shard.Claim(number, in second, _bench.Now));
        Assert.Equal([number], _bench.Withdrawn);
        Assert.Equal(1UL, _bench.Shard.Statistics.Claimed);
    }

    [Fact]
    public void WhoseAnswerWasLostIsGrantedItsClaimAgain()
    {
        Announce();
        var number = _bench.Announced[0].Number;
        var (first, second) = (Connection(6000), Connection(6001));
        var granted = _bench.Shard.Claim(number, in first, _bench.Now);
        Assert.NotNull(granted);
        Assert.Equal(granted, _bench.Shard.Claim(number, in first, _bench.Now));
        Assert.Null(_bench.Shard.Claim(number, in second, _bench.Now));
        Assert.Equal(1UL, _bench.Shard.Statistics.Claimed);
        Assert.Null(_bench.Shard.Claim(number, in first, _bench.Now + (long)TimeSpan.FromMinutes(3).TotalNanoseconds));
    }

    [Fact]
    public void APermanentExpectationIsClaimedAgainAndAgain()
    {
        Announce();
        var (_, _, expectation) = _bench.Announced[0];
        Assert.True(_bench.Table.Expect(expectation with { Permanent = true, Tuple = expectation.Tuple with { DestinationPort = 40001 } },
            _bench.Table.Helpers[0], _bench.Now));
        var number = _bench.Announced[1].Number;
        for (var i = 0; i < 3; i++) Assert.NotNull(_bench.Shard.Claim(number, Connection(6000), _bench.Now));
        Assert.DoesNotContain(number, _bench.Withdrawn);
    }

    [Fact]
    public void AnExpectationWhoseTimeIsOverIsNobodys()
    {
        Announce();
        var (_, number, expectation) = _bench.Announced[0];
        Assert.Null(_bench.Shard.Claim(number, Connection(6000), expectation.Expires + 1));
    }

    [Theory]
    [InlineData(true, ConntrackState.Related)]
    [InlineData(false, ConntrackState.New)]
    public void AFirstPacketIsRelatedWhereItsClaimIsGranted(bool granted, ConntrackState state)
    {
        _bench.Ask(1, _data.Syn(), expectation: new ExpectationId(3, 17));
        _bench.Nothing();
        var (ticket, id) = Assert.Single(_bench.Claims);
        Assert.Equal(new ExpectationId(3, 17), id);
        _bench.Shard.Claimed(ticket, granted ? new ClaimedExpectation(9, 1, 0) : null, _bench.Now);
        var answer = _bench.Next(1, ShardReplyKind.Answer);
        Assert.Equal((state, granted ? 9u : 0u), (answer.State, answer.Entry.Mark));
    }

    [Fact]
    public void TwoThatRaceForAConnectionAskForItOnce()
    {
        var expectation = new ExpectationId(3, 17);
        _bench.Ask(1, _data.Syn(), expectation: expectation);
        _bench.Ask(2, new Conversation(6000, Announced).Syn(), expectation: expectation);
        var (ticket, _) = Assert.Single(_bench.Claims);
        _bench.Shard.Claimed(ticket, new ClaimedExpectation(0, 1, 0), _bench.Now);
        var held = _bench.Next(1, ShardReplyKind.Answer).Entry;
        _bench.GiveBack(1, in held);
        Assert.Equal(ConntrackState.Related, _bench.Next(2, ShardReplyKind.Answer).State); // the same SYN again
        Assert.Single(_bench.Claims);
    }

    [Fact]
    public void AMasterThatDoesNotAnswerLeavesTheFirstPacketNew()
    {
        _bench.Ask(1, _data.Syn(), expectation: new ExpectationId(3, 17));
        _bench.Wait(new ShardSettings().Patience);
        Assert.Equal(ConntrackState.New, _bench.Next(1, ShardReplyKind.Answer).State);
        _bench.Shard.Claimed(_bench.Claims[0].Ticket, new ClaimedExpectation(0, 1, 0), _bench.Now);
        _bench.Nothing();
    }

    /// <summary>The claim may have been granted, and then no directory has the expectation any more.</summary>
    [Fact]
    public void AFirstPacketThatWasRefusedWithoutAnAnswerClaimsAgainWhenItIsSentAgain()
    {
        var expectation = new ExpectationId(3, 17);
        _bench.Ask(1, _data.Syn(), accepts: AcceptedStates.Related, expectation: expectation);
        _bench.Wait(new ShardSettings().Patience);
        Assert.Equal(ConntrackState.New, _bench.Next(1, ShardReplyKind.Answer).State);
        Assert.Equal(0, _bench.Table.Count);
        _bench.Ask(2, _data.Syn(), accepts: AcceptedStates.Related);
        Assert.Equal([expectation, expectation], _bench.Claims.Select(c => c.Id));
        _bench.Shard.Claimed(_bench.Claims[1].Ticket, new ClaimedExpectation(0, 1, 0), _bench.Now);
        Assert.Equal(ConntrackState.Related, _bench.Next(2, ShardReplyKind.Answer).State);
        Assert.Equal(1, _bench.Table.Count);
    }

    [Fact]
    public void AFirstPacketThatBeganWithoutItsClaimClaimsNoMore()
    {
        _bench.Ask(1, _data.Syn(), expectation: new ExpectationId(3, 17));
        _bench.Wait(new ShardSettings().Patience);
        var began = _bench.Next(1, ShardReplyKind.Answer).Entry;
        _bench.Say(1, ShardRequestKind.End, in began);
        Assert.Equal(ConntrackState.New, _bench.Answer(1, _data.Syn()).State);
        Assert.Single(_bench.Claims);
    }

    [Fact]
    public void AFirstPacketInThePlaceOfAClosedConnectionClaimsToo()
    {
        var closed = default(Connection);
        foreach (var packet in (byte[][])[_data.Syn(), _data.SynAck(), _data.Ack(), _data.Fin(), _data.FinBack(), _data.Ack()])
            closed = _bench.Answer(1, packet).Entry;
        _bench.Ask(2, _data.Syn(), expectation: new ExpectationId(3, 17));
        _bench.GiveBack(1, in closed);
        _bench.Shard.Claimed(Assert.Single(_bench.Claims).Ticket, new ClaimedExpectation(0, 1, 0), _bench.Now);
        Assert.Equal(ConntrackState.Related, _bench.Drain()[^1].Reply.State);
        Assert.Equal(1, _bench.Table.Count);
    }

    private static FlowTuple Connection(ushort clientPort)
    {
        var syn = new Conversation(clientPort, Announced).Syn();
        Assert.Equal(DecodeResult.Ok, PacketDecoder.Decode(syn, syn.Length, out var headers));
        return headers.Tuple;
    }

    /// <summary>An FTP server says where it listens, by worker 2.</summary>
    private uint Announce()
    {
        var held = LoggedIn();
        return _bench.Ask(2, _control.Answer(Passive), back: held);
    }

    /// <summary>An FTP server has greeted its client, by worker 2, which has the connection then.</summary>
    private ShardReply LoggedIn()
    {
        // The helper reads lines that begin where the last one ended.
        var held = default(ShardReply);
        foreach (var packet in (byte[][])[_control.Syn(), _control.SynAck(), _control.Ack(), _control.Answer("220 ready\r\n")])
        {
            _bench.Ask(2, packet, back: held);
            held = _bench.Next(2, ShardReplyKind.Answer);
        }
        return held;
    }
}
