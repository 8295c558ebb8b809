using FwCluster.Cluster.Wire;

namespace FwCluster.Cluster.Shards;

/// <summary>What a shard's actor is told inside its process, beside <see cref="ShardPart"/>.</summary>
internal static class ShardMessages
{
    /// <summary>Time passes.</summary>
    public sealed class Tick
    {
        public static readonly Tick Instance = new();
    }

    /// <summary>A node is gone, and all its workers.</summary>
    public sealed record NodeGone(int Node);

    /// <summary>Cluster Sharding moves the shard elsewhere.</summary>
    public sealed class Stop
    {
        public static readonly Stop Instance = new();
    }

    /// <summary>To the gate: the shard has begun here, or ended.</summary>
    public sealed record Placed(int Shard, bool IsHere);

    /// <summary>To the gate: replies for another node's workers, as fields of a <c>ShardReplies</c>; <paramref name="Whole"/>, where set, has one part
    /// less to wait for.</summary>
    public sealed record Replies(int Node, WireWriter? Written, RemoteBatch? Whole);
}
