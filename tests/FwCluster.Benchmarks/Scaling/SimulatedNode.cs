using System.Diagnostics;
using FwCluster.Cluster.Wire;
using FwCluster.Conntrack;
using FwCluster.Conntrack.Helpers;
using FwCluster.Datapath;
using FwCluster.Datapath.Shards;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;

namespace FwCluster.Benchmarks.Scaling;

/// <summary>A node: one worker, its shards, its directory, and what it has to say to each other node this turn.</summary>
internal sealed class SimulatedNode : IShardLink, IVerdictPort
{
    private readonly SimulatedCluster _cluster;
    private readonly Dictionary<int, SimulatedShard> _shards = [];
    private readonly Dictionary<int, WireWriter> _requests = [];
    private readonly Dictionary<int, WireWriter> _replies = [];
    private readonly Queue<ShardReply> _inbox = new();
    private readonly int _number;

    public SimulatedNode(SimulatedCluster cluster, int number, ConntrackSettings settings, IReadOnlyList<ConnectionHelper> helpers)
    {
        (_cluster, _number) = (cluster, number);
        var rules = ActiveRuleset.From(CompiledRuleset.Compile(Ruleset.Empty(IpFamily.IPv4)));
        Worker = new PacketWorker(rules, ActiveRuleset.From(CompiledRuleset.Compile(Ruleset.Empty(IpFamily.IPv6))), new ConnectionTable(settings, helpers),
            HostAddresses.None, shards: new ShardAccess(this, this) { Directory = Directory, MaxHeld = 1 << 20 });
        for (var shard = number; shard < cluster.Shards; shard++)
        {
            if (cluster.Shards / 4 is var nodes && shard % nodes == number) _shards.Add(shard, new SimulatedShard(cluster, this, shard, settings, helpers));
        }
    }

    public PacketWorker Worker { get; }

    public ExpectationDirectory Directory { get; } = new();

    public int Number => _number;

    public IEnumerable<SimulatedShard> Shards => _shards.Values;

    /// <summary>Told of each verdict.</summary>
    public Action<PacketOutcome>? Decided { get; set; }

    public SimulatedShard Shard(int number) => _shards[number];

    public void Receive(byte[] packet)
    {
        var start = Stopwatch.GetTimestamp();
        var outcome = Worker.Process(new PacketInput
        {
            Link = LinkType.Raw, Frame = packet, WireLength = packet.Length, Time = _cluster.Now, Way = PacketWay.Forward,
        });
        _cluster.Costs.Workers += SimulatedCluster.Since(start);
        if (outcome.Fate != PacketFate.Held) Decided?.Invoke(outcome);
    }

    public void Idle() => Worker.Idle(_cluster.Now, 1 << 30);

    /// <summary>Takes the replies that have come, and sends what this turn made the node say.</summary>
    public void Finish(bool tick)
    {
        var start = Stopwatch.GetTimestamp();
        Worker.Advance(_cluster.Now);
        _cluster.Costs.Workers += SimulatedCluster.Since(start);
        foreach (var shard in _shards.Values) shard.Finish(tick);
        Flush();
        foreach (var (node, writer) in _replies)
        {
            if (writer.Length > 0) Post(node, writer, (to, bytes) => to.TakeReplies(bytes));
        }
    }

    /// <summary>Sends a worker's reply on its way.</summary>
    public void Reply(int shard, int worker, in ShardReply reply)
    {
        if (worker == _number)
        {
            _inbox.Enqueue(reply);
            return;
        }
        var start = Stopwatch.GetTimestamp();
        _cluster.Codec.Write(Writer(_replies, worker), shard, 0, in reply, _cluster.Now);
        _cluster.Costs.Codec += SimulatedCluster.Since(start);
        _cluster.Costs.Items++;
    }

    public bool TrySend(in ShardRequest request, ReadOnlySpan<byte> packet)
    {
        var shard = (int)(_cluster.Hash.Of(request.Tuple) % (ulong)_cluster.Shards);
        var node = _cluster.NodeOf(shard);
        if (node == this)
        {
            Take(shard, _number, in request, packet);
            return true;
        }
        var start = Stopwatch.GetTimestamp();
        _cluster.Codec.Write(Writer(_requests, node.Number), shard, 0, in request, packet, _cluster.Now);
        _cluster.Costs.Codec += SimulatedCluster.Since(start);
        _cluster.Costs.Items++;
        return true;
    }

    public void Flush()
    {
        foreach (var (node, writer) in _requests)
        {
            if (writer.Length > 0) Post(node, writer, (to, bytes) => to.TakeRequests(_number, bytes));
        }
    }

    public bool TryReceive(out ShardReply reply) => _inbox.TryDequeue(out reply);

    public void Decide(in PacketInput input, in PacketOutcome outcome) => Decided?.Invoke(outcome);

    private static WireWriter Writer(Dictionary<int, WireWriter> writers, int node)
        => writers.TryGetValue(node, out var writer) ? writer : writers[node] = new WireWriter();

    private void Post(int node, WireWriter writer, Action<SimulatedNode, byte[]> take)
    {
        var bytes = writer.ToArray();
        writer.Clear();
        _cluster.Costs.Messages++;
        _cluster.Costs.Bytes += bytes.Length;
        _cluster.Send(() => take(_cluster.Nodes[node], bytes));
    }

    private void TakeRequests(int from, byte[] message)
    {
        var start = Stopwatch.GetTimestamp();
        var reader = new RequestsReader(message, _cluster.Codec, _cluster.Now);
        while (reader.Next())
        {
            _cluster.Costs.Codec += SimulatedCluster.Since(start);
            Take(reader.Shard, from, in reader.Request, reader.Packet);
            start = Stopwatch.GetTimestamp();
        }
        if (reader.IsBroken) throw new InvalidOperationException("a broken message");
    }

    private void Take(int shard, int from, in ShardRequest request, ReadOnlySpan<byte> packet)
    {
        var start = Stopwatch.GetTimestamp();
        var codec = _cluster.Costs.Codec;
        _shards[shard].Shard.Take(from, in request, packet, _cluster.Now);
        _cluster.Costs.Shards += SimulatedCluster.Since(start) - (_cluster.Costs.Codec - codec); // replies are written meanwhile
    }

    private void TakeReplies(byte[] message)
    {
        var start = Stopwatch.GetTimestamp();
        var reader = new WireReader(message);
        while (reader.Next())
        {
            if (!_cluster.Codec.TryRead(reader.Bytes, _cluster.Now, out ShardReply reply, out _, out _)) throw new InvalidOperationException("a broken reply");
            _inbox.Enqueue(reply);
        }
        _cluster.Costs.Codec += SimulatedCluster.Since(start);
    }
}
