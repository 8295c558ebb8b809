using FwCluster.Conntrack;
using FwCluster.Datapath.Shards;

namespace FwCluster.Cluster.Tests;

/// <summary>Workers and shards on several nodes.</summary>
[Collection(TestNode.Clusters)]
public sealed class ClusterShardLinkTests
{
    [Fact]
    public async Task OneNodeAnswersItself()
    {
        await using var node = (await TestNode.ClusterAsync(1))[0];
        var answers = await node.AskAsync(TestNode.Connections(500));
        Assert.All(answers.Values, a => Assert.Equal((ConntrackState.New, true, GrantKind.Exclusive), (a.State, a.HasEntry, a.Entry.Grant)));
        Assert.Equal(0, node.Node.Statistics.QuestionsElsewhere);
        Assert.Equal(0, node.Node.Statistics.BatchesSent);
        var entries = 0;
        foreach (var shard in node.Node.ShardsHere)
        {
            var here = await node.Node.InspectAsync(shard, s => s.Connections.Count);
            Assert.InRange(here, 1, 499);
            entries += here;
        }
        Assert.Equal(500, entries);
    }

    [Fact]
    public async Task EachNodeIsAskedOnceForABatch()
    {
        var nodes = await TestNode.ClusterAsync(3);
        try
        {
            var begin = 0;
            foreach (var node in nodes)
            {
                var before = node.Node.Statistics.BatchesSent;
                var answers = await node.AskAsync([.. TestNode.Connections(begin + 200).Skip(begin)]);
                begin += 200;
                Assert.All(answers, a => Assert.Equal(TestNode.TupleOf(TestNode.Syn(a.Key)), a.Value.Entry.Original));
                Assert.All(answers.Values, a => Assert.Equal((ConntrackState.New, GrantKind.Exclusive), (a.State, a.Entry.Grant)));
                Assert.Equal(2, node.Node.Statistics.BatchesSent - before);
                Assert.InRange(node.Node.Statistics.QuestionsElsewhere, 1, 199);
            }
            Assert.All(nodes, n => Assert.Equal(0, n.Node.Statistics.Broken));
        }
        finally
        {
            foreach (var node in nodes.Reverse()) await node.DisposeAsync();
        }
    }

    [Fact]
    public async Task AConnectionThatAnotherNodeHoldsIsCalledBack()
    {
        var nodes = await TestNode.ClusterAsync(2);
        try
        {
            var (first, second) = (nodes[0], nodes[1]);
            var held = await first.AskAsync(TestNode.Connections(20));
            foreach (var (connection, answer) in held)
            {
                Assert.True(second.Send(connection, TestNode.Syn(connection)));
                second.Link.Flush();
                await TestNode.Until(() =>
                {
                    if (!first.Link.TryReceive(out var told)) return false;
                    first.Told.Enqueue(told);
                    return true;
                }, "the holder was not told");
                var recall = first.Told.Dequeue();
                Assert.Equal((ShardReplyKind.Recall, TestNode.TupleOf(TestNode.Syn(connection))), (recall.Kind, recall.Tuple));
                var entry = answer.Entry;
                entry.Mark = connection;
                Assert.True(first.Link.TrySend(new ShardRequest
                {
                    Kind = ShardRequestKind.Return, Id = recall.Id, Tuple = recall.Tuple, HasEntry = true, Entry = entry,
                }, default));
                first.Link.Flush();
                var again = (await second.ReceiveAsync(1))[connection];
                Assert.Equal((ConntrackState.New, Direction.Original), (again.State, again.Direction));
            }
        }
        finally
        {
            foreach (var node in nodes.Reverse()) await node.DisposeAsync();
        }
    }

    [Fact]
    public async Task TooManyQuestionsAreRefused()
    {
        await using var node = await TestNode.StartAsync(TestNode.Settings() with { MaxQuestions = 10 });
        for (uint i = 1; i <= 10; i++) Assert.True(node.Send(i, TestNode.Syn(i)));
        Assert.False(node.Send(11, TestNode.Syn(11)));
        Assert.True(node.Link.TrySend(new ShardRequest { Kind = ShardRequestKind.Report, Tuple = TestNode.TupleOf(TestNode.Syn(1)) }, default));
        Assert.Equal(1, node.Node.Statistics.Refused);
    }

    [Fact]
    public async Task WhatADeadNodeWasAskedIsAskedAgain()
    {
        var nodes = await TestNode.ClusterAsync(3, more: "akka.cluster.failure-detector.acceptable-heartbeat-pause = 1s");
        try
        {
            await nodes[2].DieAsync(); // nobody has noticed yet
            foreach (var connection in TestNode.Connections(200)) Assert.True(nodes[0].Send(connection, TestNode.Syn(connection)));
            nodes[0].Link.Flush();
            Assert.All((await nodes[0].ReceiveAsync(200)).Values, a => Assert.Equal(ConntrackState.New, a.State));
            Assert.InRange(nodes[0].Node.Statistics.AskedAgain, 1, 200);
            Assert.Equal(8, nodes[0].Node.ShardsHere.Count + nodes[1].Node.ShardsHere.Count);
        }
        finally
        {
            foreach (var node in nodes.Take(2).Reverse()) await node.DisposeAsync();
        }
    }

    [Fact]
    public async Task ANodeThatLeavesIsReplaced()
    {
        var nodes = await TestNode.ClusterAsync(2);
        var (stays, leaves) = (nodes[0], nodes[1]);
        try
        {
            await leaves.AskAsync(TestNode.Connections(100)); // it holds them all now
            await leaves.DisposeAsync();
            await TestNode.Until(() => stays.Node.ShardsHere.Count == 8, "shards were not taken over");
            // What it held of the shards that were here all the time has come back: nobody is asked to return it.
            Assert.All((await stays.AskAsync(TestNode.Connections(100))).Values, a => Assert.Equal(ConntrackState.New, a.State));
            Assert.Empty(stays.Told);
        }
        finally
        {
            await stays.DisposeAsync();
        }
    }
}
