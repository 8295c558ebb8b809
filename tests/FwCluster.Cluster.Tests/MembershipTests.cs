using System.Collections.Concurrent;
using FwCluster.Conntrack;
using FwCluster.Referee.Lab;
using Microsoft.Extensions.Logging;

namespace FwCluster.Cluster.Tests;

/// <summary>Who is let in.</summary>
[Collection(TestNode.Clusters)]
public sealed class MembershipTests
{
    [Fact]
    public async Task ANodeWithAnotherKeyIsNotLetIn()
    {
        await using var node = (await TestNode.ClusterAsync(1))[0];
        await using var stranger = await TestNode.StartAsync(TestNode.Settings(node.Seed) with { Key = new string('f', 32) });
        var problem = await Assert.ThrowsAsync<ClusterSettingsException>(
            () => stranger.Node.Joined.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        Assert.Contains("key", problem.Message, StringComparison.Ordinal);
        await stranger.Node.Ended.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Equal(8, node.Node.ShardsHere.Count);
    }

    [Fact]
    public async Task NodesShowEachOtherCertificates()
    {
        using var files = new CertificateFiles();
        var nodes = await TestNode.ClusterAsync(2, (i, settings) => files.Of(i, settings));
        try
        {
            Assert.StartsWith("akka.ssl.", nodes[0].Node.Address.Protocol, StringComparison.Ordinal);
            Assert.Equal(100, (await nodes[1].AskAsync(TestNode.Connections(100))).Count);
            Assert.NotEqual(0, nodes[1].Node.Statistics.QuestionsElsewhere);

            using var others = new CertificateFiles();
            await using var stranger = await TestNode.StartAsync(others.Of(0, TestNode.Settings(nodes[0].Seed)));
            // It does not believe them either, and goes on trying.
            await TestNode.Until(() => stranger.Node.Statistics.Distrusted >= 2, "the stranger believed");
            Assert.False(stranger.Node.Joined.IsCompleted);
            Assert.False(stranger.Node.Ended.IsCompleted);
        }
        finally
        {
            foreach (var node in nodes.Reverse()) await node.DisposeAsync();
        }
    }

    /// <summary>A member is started again with a certificate that nobody believes, or somebody else has its address: the others talk to it, as they do to
    /// every member, and are not ended by what it shows.</summary>
    [Fact]
    public async Task WhoShowsAWrongCertificateEndsNobodyElse()
    {
        using var files = new CertificateFiles();
        using var others = new CertificateFiles();
        var nodes = await TestNode.ClusterAsync(3, (i, settings) => files.Of(i % 2, settings));
        try
        {
            var address = nodes[2].Node.Address;
            await nodes[2].DieAsync();
            await using var stranger = await TestNode.StartAsync(others.Of(0, TestNode.Settings()) with { Port = address.Port!.Value });
            await TestNode.Until(() => nodes[0].Node.Statistics.Distrusted + nodes[1].Node.Statistics.Distrusted > 0, "nobody saw the wrong certificate");
            await TestNode.Until(() => nodes[0].Node.ShardsHere.Count + nodes[1].Node.ShardsHere.Count == 8, "shards were not taken over");
            Assert.Equal(100, (await nodes[1].AskAsync(TestNode.Connections(100))).Count);
            Assert.False(nodes[0].Node.Ended.IsCompleted || nodes[1].Node.Ended.IsCompleted);

            // Who saw it leaves as everybody does, and hands over.
            var leaves = nodes[0].Node.Statistics.Distrusted > 0 ? nodes[0] : nodes[1];
            var stays = leaves == nodes[0] ? nodes[1] : nodes[0];
            await leaves.Node.LeaveAsync().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
            Assert.True(leaves.Node.Ended.IsCompleted);
            await TestNode.Until(() => stays.Node.ShardsHere.Count == 8, "shards were not handed over");
            await TestNode.Until(() => stays.Node.Members == (1, 0), "the one that left is a member still");
            Assert.Equal(100, await EntriesAsync(stays));
        }
        finally
        {
            foreach (var node in nodes[..2]) await node.DisposeAsync();
        }
    }

    /// <summary>Names tell nodes apart: who has one of another node is not let in, but who takes the place of one that died is.</summary>
    [Fact]
    public async Task NoTwoNodesOfANameAreLetIn()
    {
        const string Soon = "akka.cluster.failure-detector.acceptable-heartbeat-pause = 2s";
        ClusterSettings Named(ClusterSettings settings, string name) => settings with { AgreesOnRules = true, NodeName = name };
        var nodes = await TestNode.ClusterAsync(3, (i, settings) => Named(settings, $"gate{i}"), Soon);
        try
        {
            await nodes[2].DieAsync();
            await using var heir = await TestNode.StartAsync(Named(TestNode.Settings(nodes[0].Seed), "gate2"), Soon);
            await heir.Node.Joined.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

            await using var stranger = await TestNode.StartAsync(Named(TestNode.Settings(nodes[0].Seed), "gate2"), Soon);
            var problem = await Assert.ThrowsAsync<NodeNameException>(
                () => stranger.Node.Joined.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
            Assert.StartsWith($"'gate2' is the name of the node {heir.Seed}", problem.Message, StringComparison.Ordinal);
            await stranger.Node.Ended.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
            await TestNode.Until(() => heir.Node.Members == (3, 0), "the stranger is a member still");
        }
        finally
        {
            foreach (var node in nodes[..2]) await node.DisposeAsync();
        }
    }

    [Fact]
    public async Task TheActorsLogWhereTheyAreTold()
    {
        var lines = new Lines();
        using var log = LoggerFactory.Create(builder => builder.AddProvider(lines));
        await using (await ClusterNode.StartAsync(TestNode.Settings(), [], _ => new ConnectionTable(new ConntrackSettings(), []), TestNode.Now,
            cancellation: TestContext.Current.CancellationToken, log: log))
            await TestNode.Until(() => lines.Any(line => line.Contains("Started up successfully", StringComparison.Ordinal)), "nothing was logged");
    }

    [Fact]
    public async Task ACertificateOfNobodyIsRefusedAtTheStart()
    {
        using var files = new CertificateFiles();
        using var others = new CertificateFiles();
        var settings = files.Of(0, TestNode.Settings());
        var problem = await Assert.ThrowsAsync<ClusterSettingsException>(
            () => TestNode.StartAsync(settings with { CertificateAuthority = others.Of(0, settings).CertificateAuthority }));
        Assert.Contains("would not be believed", problem.Message, StringComparison.Ordinal);
        problem = await Assert.ThrowsAsync<ClusterSettingsException>(() => TestNode.StartAsync(settings with { CertificateKey = files.Of(1, settings).CertificateKey }));
        Assert.Contains("tls", problem.Message, StringComparison.Ordinal);
    }

    private static async Task<int> EntriesAsync(TestNode node)
    {
        var entries = 0;
        foreach (var shard in node.Node.ShardsHere) entries += await node.Node.InspectAsync(shard, s => s.Connections.Count);
        return entries;
    }

    private sealed class Lines : ConcurrentQueue<string>, ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            => Enqueue(formatter(state, exception));

        public void Dispose()
        {
        }
    }

    /// <summary>Certificates of two nodes.</summary>
    private sealed class CertificateFiles : IDisposable
    {
        private readonly NodeCertificates _made = new();
        private readonly (string Certificate, string Key)[] _nodes;

        public CertificateFiles() => _nodes = [_made.Make(), _made.Make()];

        public ClusterSettings Of(int node, ClusterSettings settings)
            => settings with { Certificate = _nodes[node].Certificate, CertificateKey = _nodes[node].Key, CertificateAuthority = _made.Authority };

        public void Dispose() => _made.Dispose();
    }
}
