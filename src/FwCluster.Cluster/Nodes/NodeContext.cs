using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Event;
using FwCluster.Cluster.Links;
using FwCluster.Cluster.Security;
using FwCluster.Cluster.Shards;
using FwCluster.Cluster.Wire;
using FwCluster.Datapath.Shards;

namespace FwCluster.Cluster.Nodes;

/// <summary>What the actors of one process share: knowledge that only grows or is read, and memory that is used again.</summary>
internal sealed class NodeContext(ClusterSettings settings, NodeMap map, ShardCodec codec, Func<long> clock, ClusterStatistics statistics)
{
    private const int Kept = 256;

    private volatile ReplyInbox?[] _inboxes = new ReplyInbox?[Holder.MaxWorker + 1];
    private IActorRef? _gate;
    private volatile bool _isLeaving;
    private volatile IReadOnlyList<(string Host, int Port)> _seeds = [];

    /// <summary>The cluster's settings.</summary>
    public ClusterSettings Settings => settings;

    /// <summary>Nodes and shards.</summary>
    public NodeMap Map => map;

    /// <summary>Requests and replies to bytes and back.</summary>
    public ShardCodec Codec => codec;

    /// <summary>The time, nanoseconds since the Unix epoch.</summary>
    public long Now => clock();

    /// <summary>This node is about to leave: no shard is wanted here any more.</summary>
    public bool IsLeaving
    {
        get => _isLeaving;
        set => _isLeaving = value;
    }

    /// <summary>The nodes that the seeds name, by the addresses that were found last; this one among them or not.</summary>
    public IReadOnlyList<(string Host, int Port)> Seeds
    {
        get => _seeds;
        set => _seeds = value;
    }

    /// <summary>Where the others' links come in.</summary>
    public required LinkListener Links { get; init; }

    /// <summary>By which nodes prove to each other who they are; null for clear text.</summary>
    public required ClusterCertificates? Certificates { get; init; }

    /// <summary>The log of what is no actor.</summary>
    public required ILoggingAdapter Log { get; init; }

    /// <summary>What all shards' connections expect.</summary>
    public ExpectationDirectory Directory { get; } = new();

    /// <summary>What shards that were here have left for the node where they go on, in pieces.</summary>
    public ConcurrentDictionary<int, List<byte[]>> Left { get; } = new();

    /// <summary>What is counted.</summary>
    public ClusterStatistics Statistics => statistics;

    /// <summary>This node's gate.</summary>
    public IActorRef Gate
    {
        get => _gate ?? throw new InvalidOperationException("the gate has not been started");
        set => _gate = value;
    }

    /// <summary>Free <see cref="ShardPart"/>s.</summary>
    public Pool<ShardPart> Parts { get; } = new(Kept, part => part.Clear());

    /// <summary>Free <see cref="WorkerReplies"/>.</summary>
    public Pool<WorkerReplies> Replies { get; } = new(Kept, replies => replies.Clear());

    /// <summary>Free <see cref="WireWriter"/>s.</summary>
    public Pool<WireWriter> Writers { get; } = new(Kept, writer => writer.Clear());

    /// <summary>Workers that ask, from 0 to this less one.</summary>
    public int Workers { get; private set; }

    /// <summary>Makes room for a worker's replies.</summary>
    public ReplyInbox OpenInbox(int worker, Action wake)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(worker);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(worker, Holder.MaxWorker);
        var inbox = new ReplyInbox(Replies, wake);
        _inboxes[worker] = inbox;
        Workers = Math.Max(Workers, worker + 1);
        return inbox;
    }

    /// <summary>Wakes all workers: there may be something to ask again.</summary>
    public void WakeAll()
    {
        foreach (var inbox in _inboxes) inbox?.Wake();
    }

    /// <summary>Gives replies to a worker of this process.</summary>
    public void Deliver(int worker, WorkerReplies replies)
    {
        if (_inboxes[worker] is { } inbox) inbox.Deliver(replies);
        else Replies.Return(replies); // it was closed
    }
}
