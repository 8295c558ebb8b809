using FwCluster.Conntrack;

namespace FwCluster.Cluster.Tests;

/// <summary>Workers and shards on several nodes.</summary>
public sealed class ClusterShardLinkTests
{
    [Fact]
    public async Task OneNodeAnswersItself()
    {
        await using var node = (await TestNode.ClusterAsync(1))[0];
        var answers = await node.AskAsync([.. Enumerable.Range(1, 500).Select(i => TestNode.Ask((uint)i))]);
        Assert.All(answers.Values, a => Assert.Equal(ConntrackState.New, a.State));
        Assert.Equal(8, answers.Values.Select(a => a.Entry.Mark).Distinct().Count());
        Assert.Equal(0, node.Node.Statistics.QuestionsElsewhere);
        Assert.Equal(0, node.Node.Statistics.BatchesSent);
    }

    [Fact]
    public async Task EachNodeIsAskedOnceForABatch()
    {
        var nodes = await TestNode.ClusterAsync(3);
        try
        {
            await TestNode.Until(() => nodes.All(n => n.Node.ShardsHere.Count >= 2), "the shards were not spread");
            await TestNode.Until(() => nodes.All(n => n.Node.KnowsAllShards), "a shard has no place");
            foreach (var node in nodes)
            {
                var before = node.Node.Statistics.BatchesSent;
                var answers = await node.AskAsync([.. Enumerable.Range(1, 200).Select(i => TestNode.Ask((uint)i))]);
                Assert.Equal(200, answers.Count);
                Assert.All(answers, a => Assert.Equal(TestNode.Ask(a.Key).Tuple, a.Value.Entry.Original));
                Assert.InRange(node.Node.Statistics.BatchesSent - before, 2, 2);
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
    public async Task AShardIsTheSameFromEveryNode()
    {
        var nodes = await TestNode.ClusterAsync(2);
        try
        {
            var questions = Enumerable.Range(1, 100).Select(i => TestNode.Ask((uint)i)).ToArray();
            var first = await nodes[0].AskAsync(questions);
            var second = await nodes[1].AskAsync(questions);
            Assert.All(first, a => Assert.Equal(a.Value.Entry.Mark, second[a.Key].Entry.Mark));
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
        for (uint i = 1; i <= 10; i++) Assert.True(node.Link.TrySend(TestNode.Ask(i), default));
        Assert.False(node.Link.TrySend(TestNode.Ask(11), default));
        Assert.True(node.Link.TrySend(TestNode.Ask(12) with { Kind = Datapath.Shards.ShardRequestKind.Report }, default));
        Assert.Equal(1, node.Node.Statistics.Refused);
    }

    [Fact]
    public async Task ANodeThatLeavesIsReplaced()
    {
        var nodes = await TestNode.ClusterAsync(2);
        try
        {
            await TestNode.Until(() => nodes.All(n => n.Node.ShardsHere.Count >= 3), "the shards were not spread");
            var holder = nodes[1];
            await holder.AskAsync([.. Enumerable.Range(1, 100).Select(i => TestNode.Ask((uint)i))]);
            EchoShard.Gone.Clear();
            await holder.DisposeAsync();
            await TestNode.Until(() => nodes[0].Node.ShardsHere.Count == 8, "shards were not taken over");
            Assert.Equal(100, (await nodes[0].AskAsync([.. Enumerable.Range(1, 100).Select(i => TestNode.Ask((uint)i))])).Count);
            await TestNode.Until(() => !EchoShard.Gone.IsEmpty, "nobody was told that the worker is gone");
        }
        finally
        {
            await nodes[0].DisposeAsync();
        }
    }
}
