using System.Diagnostics.CodeAnalysis;
using Akka.Actor;
using FwCluster.Cluster.Links;
using FwCluster.Conntrack.Table;
using FwCluster.Packets;

namespace FwCluster.Cluster.Nodes;

/// <summary>
/// Which nodes there are and which shards they have, as far as this process knows. Read on the workers' threads without a lock; written by the
/// gate alone. Knowing wrong costs a detour, for the node that is asked knows better.
/// </summary>
internal sealed class NodeMap(int shards, TupleHash hash)
{
    private readonly Node?[] _owners = new Node?[shards];
    private readonly IActorRef?[] _here = new IActorRef?[shards];
    private readonly IActorRef?[] _leaving = new IActorRef?[shards];
    private readonly object _added = new();
    private volatile Node[] _nodes = [];
    private volatile IActorRef? _region;
    private int _changes;

    /// <summary>How many shards the cluster has.</summary>
    public int Shards => shards;

    /// <summary>Counts what has changed; what was asked of a node may then have been lost.</summary>
    public int Changes => Volatile.Read(ref _changes);

    /// <summary>Whoever finds any shard, slowly; null before this node is a member.</summary>
    public IActorRef? Region
    {
        get => _region;
        set => _region = value;
    }

    /// <summary>All nodes that were ever met, by number.</summary>
    public IReadOnlyList<Node> Nodes => _nodes;

    /// <summary>The shard of a connection, from a tuple of either direction.</summary>
    // The high bits: the low ones choose the bucket in the shard's table.
    public int ShardOf(in FlowTuple tuple) => (int)((hash.Of(tuple) >> 32) * (ulong)shards >> 32);

    /// <summary>The node that has a shard; null where that is not known.</summary>
    public Node? Owner(int shard) => Volatile.Read(ref _owners[shard]);

    /// <summary>The shard itself, where it is here.</summary>
    public IActorRef? Here(int shard) => Volatile.Read(ref _here[shard]);

    /// <summary>The shard where it is here, else whoever finds it; null where there is no such shard, or nobody.</summary>
    public IActorRef? ToShard(uint shard) => shard < shards ? Here((int)shard) ?? Region : null;

    /// <summary>Who waits here for what a shard has asked: the shard, also while it leaves; null where it is not here.</summary>
    public IActorRef? WaitsHere(uint shard) => shard < shards ? Here((int)shard) ?? Volatile.Read(ref _leaving[shard]) : null;

    /// <summary>Who waits for what a shard has asked: the shard here, also while it leaves, else whoever finds it; null where there is no such shard, or nobody.</summary>
    public IActorRef? Waits(uint shard) => WaitsHere(shard) ?? ToShard(shard);

    /// <summary>A node by this process's number.</summary>
    public Node this[int number] => _nodes[number];

    /// <summary>A member by the number its start drew.</summary>
    public bool TryGet(int uid, [NotNullWhen(true)] out Node? node)
    {
        node = Array.Find(_nodes, n => n.Uid == uid && !n.IsGone);
        return node is not null;
    }

    /// <summary>A member by the number its start drew, which may not be known yet.</summary>
    /// <param name="uid">The number.</param>
    /// <param name="time">The longest wait for it.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <returns>The node; null where none was added in time.</returns>
    public Node? Await(int uid, TimeSpan time, CancellationToken cancellation)
    {
        var end = Environment.TickCount64 + (long)time.TotalMilliseconds;
        using var registration = cancellation.Register(WakeAwaiting);
        lock (_added)
        {
            Node? node;
            while (!TryGet(uid, out node) && !cancellation.IsCancellationRequested && end - Environment.TickCount64 is > 0 and var rest) Monitor.Wait(_added, (int)rest);
            return node;
        }
    }

    /// <summary>Adds a node.</summary>
    public Node Add(int uid, Address address, IActorRef gate, Link? link)
    {
        var node = new Node(_nodes.Length, uid, address, gate, link);
        _nodes = [.. _nodes, node];
        WakeAwaiting();
        return node;
    }

    /// <summary>A shard is on a node now.</summary>
    public void Started(int shard, Node node, IActorRef? here = null)
    {
        Volatile.Write(ref _here[shard], here);
        Volatile.Write(ref _owners[shard], node);
        Interlocked.Increment(ref _changes);
    }

    /// <summary>A shard that is no longer here waits for answers yet; null where it has ended.</summary>
    public void Leaves(int shard, IActorRef? actor) => Volatile.Write(ref _leaving[shard], actor);

    /// <summary>Some shard is here, or has not ended yet.</summary>
    public bool HasShards => Enumerable.Range(0, shards).Any(shard => WaitsHere((uint)shard) is not null);

    /// <summary>A node says that it has a shard. Not believed of one that is here: the word was on its way while the shard moved.</summary>
    public void Said(int shard, Node node)
    {
        if (Here(shard) is null) Started(shard, node);
    }

    /// <summary>A shard is no longer on a node.</summary>
    public void Stopped(int shard, Node node)
    {
        if (Owner(shard) != node) return; // the news of its new place came first
        Volatile.Write(ref _owners[shard], null);
        Volatile.Write(ref _here[shard], null);
        Interlocked.Increment(ref _changes);
    }

    /// <summary>A node is gone, and its shards with it.</summary>
    public void Gone(Node node)
    {
        node.IsGone = true;
        node.Link?.Dispose();
        for (var shard = 0; shard < shards; shard++) Stopped(shard, node);
    }

    private void WakeAwaiting()
    {
        lock (_added) Monitor.PulseAll(_added);
    }
}
