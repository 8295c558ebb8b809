using System.Text;
using FwCluster.Conntrack;
using FwCluster.Datapath.Shards;
using FwCluster.Packets;
using FwCluster.Referee.Packets;

namespace FwCluster.Cluster.Tests;

/// <summary>Shards that move take everything along.</summary>
[Collection(TestNode.Clusters)]
public sealed class HandoverTests
{
    private const int Sessions = 20;

    [Fact]
    public async Task ANodeThatLeavesHandsOver()
    {
        var nodes = await TestNode.ClusterAsync(3);
        try
        {
            await FillAsync(nodes[0]);
            await nodes[2].DisposeAsync();
            await TestNode.Until(() => nodes[0].Node.ShardsHere.Count + nodes[1].Node.ShardsHere.Count == 8, "shards were not taken over");
            await CheckAsync(nodes[0], nodes[1], nodes[..2]);
        }
        finally
        {
            foreach (var node in nodes[..2].Reverse()) await node.DisposeAsync();
        }
    }

    [Fact]
    public async Task ANodeThatJoinsIsHandedOverTo()
    {
        var nodes = (await TestNode.ClusterAsync(2)).ToList();
        try
        {
            await FillAsync(nodes[0]);
            nodes.Add(await TestNode.StartAsync(TestNode.Settings(nodes[0].Seed)));
            await TestNode.Until(() => nodes.All(n => n.Node.ShardsHere.Count >= 2) && nodes.Sum(n => n.Node.ShardsHere.Count) == 8,
                "shards were not handed over");
            await CheckAsync(nodes[0], nodes[2], nodes);
        }
        finally
        {
            for (var i = nodes.Count - 1; i >= 0; i--) await nodes[i].DisposeAsync();
        }
    }

    /// <summary>It asks the others' shards from then on, and has what it was granted; nothing is lost, and nothing comes to it until it may.</summary>
    [Fact]
    public async Task ANodeThatIsDrainedHandsOverAndStays()
    {
        var nodes = await TestNode.ClusterAsync(3);
        try
        {
            var drained = nodes[0]; // which has the coordinator, too
            await FillAsync(drained);
            var had = drained.Node.ShardsHere.Count;
            Assert.Equal(had, await drained.Node.DrainAsync(TestContext.Current.CancellationToken));
            await TestNode.Until(() => nodes[1].Node.ShardsHere.Count + nodes[2].Node.ShardsHere.Count == 8, "shards were not taken over");
            await CheckAsync(drained, nodes[1], nodes);
            Assert.Empty(drained.Node.ShardsHere);
            Assert.True(drained.Node.IsDraining);
            // It is not rebalanced to either; another one that is drained leaves all to the last, which has nobody to hand over to.
            await nodes[1].Node.DrainAsync(TestContext.Current.CancellationToken);
            await TestNode.Until(() => nodes[2].Node.ShardsHere.Count == 8, "shards were not taken over");
            await TestNode.Until(() => nodes.All(n => n.Node.Peers.Count == 2), "the nodes do not know each other");
            Assert.Null(await nodes[2].Node.DrainAsync(TestContext.Current.CancellationToken));
            drained.Node.Undrain();
            await TestNode.Until(() => drained.Node.ShardsHere.Count > 2, "no shard came back");
            Assert.Empty(nodes[1].Node.ShardsHere);
        }
        finally
        {
            foreach (var node in nodes.Reverse()) await node.DisposeAsync();
        }
    }

    /// <summary>What is announced is expected everywhere when it is answered, and whoever claims it has it, also while the shards of both are on their way.</summary>
    [Fact]
    public async Task ExpectationsAreKeptWhileShardsMove()
    {
        var nodes = await TestNode.ClusterAsync(3);
        try
        {
            var moving = Task.Run(async () =>
            {
                for (var moves = 0; moves < 12; moves++)
                {
                    await nodes[2].Node.DrainAsync(TestContext.Current.CancellationToken);
                    nodes[2].Node.Undrain();
                    await TestNode.Until(() => nodes[2].Node.ShardsHere.Count > 0, "it gets no shards again");
                }
            }, TestContext.Current.CancellationToken);
            for (ushort session = 1; !moving.IsCompleted; session++)
            {
                await ExpectationTests.AnnounceAsync(nodes[0], session);
                var packet = ExpectationTests.Data(session, 30000);
                var expectation = nodes[1].Node.Expectations.Find(TestNode.TupleOf(packet), 0, TestNode.Now());
                Assert.True(expectation.IsSet, $"session {session} is not expected");
                Assert.Equal(ConntrackState.Related, (await nodes[1].AskAsync(100_000u + session, packet, expectation)).State);
            }
            await moving;
            Assert.All(nodes, n => Assert.Equal(0, n.Node.Statistics.ExpectationWaitsOver));
        }
        finally
        {
            foreach (var node in nodes.Reverse()) await node.DisposeAsync();
        }
    }

    /// <summary>What the other one had is not placed anew yet, and the last one waits for no place: there is none.</summary>
    [Fact]
    public async Task TheLastTwoLeaveOneRightAfterTheOther()
    {
        var nodes = await TestNode.ClusterAsync(2);
        await FillAsync(nodes[0]);
        await nodes[1].DisposeAsync();
        await nodes[0].DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(12), TestContext.Current.CancellationToken);
    }

    private static async Task FillAsync(TestNode node)
    {
        await node.AskAsync([.. TestNode.Connections(1300).Skip(300)]); // all held by the node
        for (ushort session = 0; session < Sessions; session++) await ExpectationTests.AnnounceAsync(node, session);
    }

    private static async Task CheckAsync(TestNode holder, TestNode other, IEnumerable<TestNode> nodes)
    {
        var entries = 0;
        foreach (var node in nodes)
        {
            foreach (var shard in node.Node.ShardsHere) entries += await node.Node.InspectAsync(shard, s => s.Connections.Count);
        }
        Assert.Equal(1000 + Sessions, entries);

        // Who holds a connection is known where it went.
        holder.Told.Clear();
        foreach (var connection in Enumerable.Range(301, 100)) Assert.True(other.Send((uint)connection, TestNode.Syn((uint)connection)));
        other.Link.Flush();
        await TestNode.Until(() =>
        {
            while (holder.Link.TryReceive(out var told)) holder.Told.Enqueue(told);
            return holder.Told.Count >= 100;
        }, "the holder was not asked to return all connections");
        Assert.All(holder.Told, told => Assert.Equal(ShardReplyKind.Recall, told.Kind));

        // What was expected is expected still, once.
        for (ushort session = 0; session < Sessions; session++)
        {
            var data = ExpectationTests.Data(session, 30000);
            var expectation = other.Node.Expectations.Find(TestNode.TupleOf(data), 0, TestNode.Now());
            Assert.True(expectation.IsSet);
            Assert.Equal(ConntrackState.Related, (await other.AskAsync(200_000u + session, data, expectation)).State);
            Assert.Equal(ConntrackState.New, (await other.AskAsync(300_000u + session, ExpectationTests.Data(session, 30001), expectation)).State);
        }

        // And control connections are read on from where they were.
        for (ushort session = 0; session < Sessions; session++)
        {
            var line = Encoding.ASCII.GetBytes($"227 Entering Passive Mode (10,1,0,1,200,{session}).\r\n");
            var first = Encoding.ASCII.GetByteCount($"220 here\r\n227 Entering Passive Mode (10,1,0,1,{(40000 + session) >> 8},{(40000 + session) & 255}).\r\n");
            var packet = PacketBuilder.Tcp(ExpectationTests.ToClient, 21, (ushort)(2000 + session), TcpFlags.Ack | TcpFlags.Psh, 501 + (uint)first, 107, payload: line);
            Assert.Equal(ConntrackState.Established, (await holder.AskAsync(400_000u + session, packet)).State);
            var data = PacketBuilder.Tcp(ExpectationTests.ToServer, 30000, (ushort)(200 << 8 | session), TcpFlags.Syn, 1);
            Assert.True(other.Node.Expectations.Find(TestNode.TupleOf(data), 0, TestNode.Now()).IsSet);
        }
    }
}
