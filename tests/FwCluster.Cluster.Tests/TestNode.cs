using System.Collections.Concurrent;
using Akka.Configuration;
using FwCluster.Cluster.Shards;
using FwCluster.Conntrack;
using FwCluster.Conntrack.Helpers;
using FwCluster.Datapath.Shards;
using FwCluster.Packets;

namespace FwCluster.Cluster.Tests;

/// <summary>A node with one worker, in this process, on a loopback port.</summary>
internal sealed class TestNode : IAsyncDisposable
{
    public const string Key = "000102030405060708090a0b0c0d0e0f";

    private readonly SemaphoreSlim _woken = new(0);

    private TestNode(ClusterNode node)
    {
        Node = node;
        Link = node.OpenLink(0, () => _woken.Release());
    }

    public ClusterNode Node { get; }

    public IShardLink Link { get; }

    public string Seed => $"{Node.Address.Host}:{Node.Address.Port}";

    public static ClusterSettings Settings(params string[] seeds)
        => new() { Key = Key, Port = 0, Shards = 8, Seeds = seeds };

    public static async Task<TestNode> StartAsync(ClusterSettings settings, ShardFactory? shards = null)
    {
        Assert.True(ConnectionHelpers.TryCreate("ftp,tftp", out var helpers, out _));
        var quiet = ConfigurationFactory.ParseString("akka.loglevel = WARNING");
        var node = await ClusterNode.StartAsync(settings, helpers, shards ?? ((number, output) => new EchoShard(number, output)), Now, quiet,
            TestContext.Current.CancellationToken);
        return new TestNode(node);
    }

    /// <summary>Nodes that have found each other, and every shard.</summary>
    public static async Task<TestNode[]> ClusterAsync(int nodes, Func<int, ClusterSettings, ClusterSettings>? change = null)
    {
        var started = new List<TestNode>();
        for (var i = 0; i < nodes; i++)
        {
            var settings = Settings([.. started.Take(1).Select(n => n.Seed)]);
            started.Add(await StartAsync(change?.Invoke(i, settings) ?? settings));
        }
        foreach (var node in started)
        {
            await node.Node.Joined.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
            await Until(() => node.Node.KnowsAllShards, "a shard has no place");
        }
        return [.. started];
    }

    /// <summary>Asks about each tuple and waits for the answers.</summary>
    public async Task<Dictionary<uint, ShardReply>> AskAsync(params ShardRequest[] requests)
    {
        byte[] packet = [1, 2, 3, 4];
        foreach (var request in requests) Assert.True(Link.TrySend(request, packet));
        Link.Flush();
        return await ReceiveAsync(requests.Length);
    }

    public async Task<Dictionary<uint, ShardReply>> ReceiveAsync(int count, int seconds = 30)
    {
        var answers = new Dictionary<uint, ShardReply>();
        var end = DateTime.UtcNow.AddSeconds(seconds);
        while (answers.Count < count)
        {
            while (Link.TryReceive(out var reply)) answers[reply.Id] = reply;
            if (answers.Count >= count) break;
            Assert.True(DateTime.UtcNow < end, $"{answers.Count} of {count} answers came");
            await _woken.WaitAsync(50, TestContext.Current.CancellationToken);
        }
        return answers;
    }

    public static ShardRequest Ask(uint id) => new()
    {
        Kind = ShardRequestKind.Ask, Id = id, Accepts = AcceptedStates.New, WireLength = 60,
        Tuple = new FlowTuple
        {
            Source = new IpAddress(0, 0x0a000001 + id / 50000), Destination = new IpAddress(0, 0x0a010001), SourcePort = (ushort)(1024 + id % 50000),
            DestinationPort = 80, Protocol = 6, Family = IpFamily.IPv4,
        },
    };

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

    public async ValueTask DisposeAsync()
    {
        await Node.DisposeAsync();
        _woken.Dispose();
    }
}

/// <summary>A shard that answers each question with an entry that shows who asked, and remembers what it was told.</summary>
internal sealed class EchoShard(int number, IShardOutput output) : IShard
{
    public static readonly ConcurrentQueue<(int Shard, int Holder)> Gone = new();

    public void Take(int holder, in ShardRequest request, ReadOnlySpan<byte> packet, long now)
    {
        if (request.Kind != ShardRequestKind.Ask) return;
        output.Reply(holder, new ShardReply
        {
            Kind = ShardReplyKind.Answer, Id = request.Id, State = ConntrackState.New, HasEntry = true,
            Entry = new Connection { Original = request.Tuple, Mark = (uint)number, Status = ConnectionStatus.Confirmed, Expires = now + 1_000_000_000, Grant = GrantKind.Exclusive },
        });
    }

    public void Tick(long now)
    {
    }

    public void HolderGone(int holder, long now) => Gone.Enqueue((number, holder));
}
