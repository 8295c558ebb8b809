using Akka.Configuration;
using FwCluster.Conntrack;
using FwCluster.Conntrack.Helpers;
using FwCluster.Datapath.Shards;
using FwCluster.Packets;
using FwCluster.Referee.Packets;

namespace FwCluster.Cluster.Tests;

/// <summary>A node with one worker, in this process, on a loopback port.</summary>
internal sealed class TestNode : IAsyncDisposable
{
    /// <summary>Tests of which each has a cluster in this process run one after another: side by side they would take a busy node for a dead
    /// one.</summary>
    public const string Clusters = "clusters";

    public const string Key = "000102030405060708090a0b0c0d0e0f";

    private readonly SemaphoreSlim _woken = new(0);
    private readonly Dictionary<FlowKey, ShardReply> _control = [];

    private TestNode(ClusterNode node)
    {
        Node = node;
        Link = node.OpenLink(0, () => _woken.Release());
    }

    public ClusterNode Node { get; }

    public IShardLink Link { get; }

    /// <summary>Recalls and revocations that came between the answers.</summary>
    public Queue<ShardReply> Told { get; } = new();

    public string Seed => $"{Node.Address.Host}:{Node.Address.Port}";

    public static ClusterSettings Settings(params string[] seeds)
        => new()
        {
            // However slow this machine is just now, nobody gives up waiting.
            Key = Key, Port = 0, LinkPort = 0, Shards = 8, Seeds = seeds, ExpectationWait = TimeSpan.FromSeconds(10), Sharing = new ShardSettings { Patience = TimeSpan.FromSeconds(20) },
        };

    public static async Task<TestNode> StartAsync(ClusterSettings settings, string? more = null)
    {
        Assert.True(ConnectionHelpers.TryCreate("ftp,tftp", out var helpers, out _));
        // The machine that runs tests may have other things to do; shards find their places at once.
        var quiet = ConfigurationFactory.ParseString("""
            akka {
              loglevel = OFF
              cluster.failure-detector.acceptable-heartbeat-pause = 5s
              cluster.sharding { rebalance-interval = 300ms, least-shard-allocation-strategy.rebalance-relative-limit = 1.0 }
            }
            """);
        if (more is not null) quiet = ConfigurationFactory.ParseString(more).WithFallback(quiet);
        var node = await ClusterNode.StartAsync(settings, helpers, _ => new ConnectionTable(new ConntrackSettings(), helpers), Now, quiet, log: null,
            TestContext.Current.CancellationToken);
        return new TestNode(node);
    }

    /// <summary>Nodes that have found each other, and every shard.</summary>
    public static async Task<TestNode[]> ClusterAsync(int nodes, Func<int, ClusterSettings, ClusterSettings>? change = null, string? more = null)
    {
        var started = new List<TestNode>();
        for (var i = 0; i < nodes; i++)
        {
            var settings = Settings([.. started.Take(1).Select(n => n.Seed)]);
            started.Add(await StartAsync(change?.Invoke(i, settings) ?? settings, more));
        }
        foreach (var node in started) await node.Node.Joined.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        await Until(() => AreSpread(started), "the shards were not spread");
        return [.. started];
    }

    private static bool AreSpread(List<TestNode> nodes)
    {
        var counts = nodes.Select(n => n.Node.ShardsHere.Count).ToList();
        return nodes.All(n => n.Node.KnowsAllShards && n.Node.HasLinks) && counts.Sum() == Settings().Shards && counts.Max() - counts.Min() <= 1;
    }

    /// <summary>Asks about the first segments of connections and waits for the answers.</summary>
    public async Task<Dictionary<uint, ShardReply>> AskAsync(params uint[] connections)
    {
        foreach (var connection in connections) Assert.True(Send(connection, Syn(connection)));
        Link.Flush();
        return await ReceiveAsync(connections.Length);
    }

    /// <summary>Asks about one packet and waits for its answer.</summary>
    public async Task<ShardReply> AskAsync(uint id, byte[] packet, ExpectationId expectation = default)
    {
        Assert.True(Send(id, packet, expectation));
        Link.Flush();
        return (await ReceiveAsync(1))[id];
    }

    public bool Send(uint id, byte[] packet, ExpectationId expectation = default)
    {
        Assert.Equal(DecodeResult.Ok, PacketDecoder.Decode(packet, packet.Length, out var headers));
        // A control connection goes back with each of its packets, as if each announced something.
        _control.Remove(FlowKey.Of(headers.Tuple), out var held);
        return Link.TrySend(new ShardRequest
        {
            HasEntry = held.HasEntry, Entry = held.Entry, Helper = held.Helper, Kind = ShardRequestKind.Ask, Id = id, Tuple = headers.Tuple, WireLength = packet.Length, Expectation = expectation,
            Accepts = AcceptedStates.New | AcceptedStates.Established | AcceptedStates.Related,
        }, packet);
    }

    public async Task<Dictionary<uint, ShardReply>> ReceiveAsync(int count, int seconds = 30)
    {
        var answers = new Dictionary<uint, ShardReply>();
        var end = DateTime.UtcNow.AddSeconds(seconds);
        while (answers.Count < count)
        {
            while (Link.TryReceive(out var reply))
            {
                if (reply.Kind is ShardReplyKind.Answer or ShardReplyKind.Confirmed) answers[reply.Id] = reply;
                else Told.Enqueue(reply);
                if (reply is { HasEntry: true, Entry.Helper: not 0 }) _control[FlowKey.Of(reply.Entry.Original)] = reply;
            }
            if (answers.Count >= count) break;
            Assert.True(DateTime.UtcNow < end, $"{answers.Count} of {count} answers came");
            await _woken.WaitAsync(50, TestContext.Current.CancellationToken);
        }
        return answers;
    }

    /// <summary>The first segment of one connection of many.</summary>
    public static byte[] Syn(uint connection) => PacketBuilder.Tcp(PacketAddresses.Parse($"10.0.{connection / 50000}.1", "10.1.0.1"),
        (ushort)(1024 + connection % 50000), 80, TcpFlags.Syn, sequence: 1000);

    public static FlowTuple TupleOf(byte[] packet)
    {
        Assert.Equal(DecodeResult.Ok, PacketDecoder.Decode(packet, packet.Length, out var headers));
        return headers.Tuple;
    }

    public static uint[] Connections(int count) => [.. Enumerable.Range(1, count).Select(i => (uint)i)];

    public static async Task Until(Func<bool> condition, string otherwise, int seconds = 30)
    {
        var end = DateTime.UtcNow.AddSeconds(seconds);
        while (!condition())
        {
            Assert.True(DateTime.UtcNow < end, otherwise);
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    public static long Now() => (DateTime.UtcNow - DateTime.UnixEpoch).Ticks * 100;

    /// <summary>Ends without a word to the others.</summary>
    public Task DieAsync() => Node.System.Terminate();

    public async ValueTask DisposeAsync()
    {
        await Node.DisposeAsync();
        _woken.Dispose();
    }
}
