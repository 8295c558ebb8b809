using Akka.Actor;
using FwCluster.Cluster.Links;
using FwCluster.Cluster.Protocol.V1;
using FwCluster.Cluster.Shards;
using Google.Protobuf;

namespace FwCluster.Cluster.Tests;

/// <summary>Whom what another node says comes to.</summary>
public sealed class DealerTests : IAsyncDisposable
{
    private const int Shard = 3;
    private const int Other = 2;

    private readonly ActorSystem _system = ActorSystem.Create("test", "akka.loglevel = OFF");
    private readonly LinkEnd _here = new(1);
    private readonly LinkEnd _there = new(Other);

    /// <summary>A shard that leaves asks nothing more, and needs what it has asked: its questions are answered here or never.</summary>
    [Fact]
    public void AnswersComeToAShardAlsoWhileItLeaves()
    {
        _here.Meet(_there);
        var map = _here.Node.Map;
        Assert.True(map.TryGet(Other, out var from));
        var dealer = new Dealer(_here.Node, from);
        using var leaving = Inbox.Create(_system);
        using var elsewhere = Inbox.Create(_system);
        map.Region = elsewhere.Receiver;

        map.Started(Shard, map[0], leaving.Receiver);
        Deal(dealer);
        AssertGot(leaving);
        map.Leaves(Shard, leaving.Receiver);
        map.Stopped(Shard, map[0]);
        Deal(dealer);
        AssertGot(leaving);
        map.Leaves(Shard, null);
        Deal(dealer);
        Assert.IsType<ClaimAnswer>(elsewhere.Receive()); // an acknowledgement is of no use to anybody else
    }

    public async ValueTask DisposeAsync()
    {
        _here.Dispose();
        _there.Dispose();
        await _system.Terminate();
    }

    private static void Deal(Dealer dealer)
    {
        dealer.Deal(LinkStream.AcknowledgedFieldNumber, new ExpectationsAcknowledged { Shard = Shard, Ticket = 5 }.ToByteArray());
        dealer.Deal(LinkStream.ClaimAnswersFieldNumber, new ClaimAnswer { Shard = Shard, Number = 6 }.ToByteArray());
    }

    private static void AssertGot(Inbox inbox)
    {
        Assert.Equal(new ShardMessages.Acknowledged(5, Other), inbox.Receive());
        Assert.Equal(6u, Assert.IsType<ClaimAnswer>(inbox.Receive()).Number);
    }
}
