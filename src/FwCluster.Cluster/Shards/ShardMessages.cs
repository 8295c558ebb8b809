using FwCluster.Cluster.Nodes;
using FwCluster.Datapath.Shards;

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

    /// <summary>A node's directory of expectations is empty, or may have missed some.</summary>
    public sealed record DirectoryWanted(Node Node);

    /// <summary>A node has a batch of announcements.</summary>
    /// <param name="Ticket">The batch.</param>
    /// <param name="Node">The number that the node's start drew.</param>
    public sealed record Acknowledged(ulong Ticket, int Node);

    /// <summary>Time is over for a batch of announcements.</summary>
    public sealed record AnnouncementOver(ulong Ticket);

    /// <summary>Somebody of this process wants to know something of the shard.</summary>
    public sealed record Inspect(Action<Shard> Look);

    /// <summary>Cluster Sharding moves the shard elsewhere.</summary>
    public sealed class Stop
    {
        public static readonly Stop Instance = new();
    }

    /// <summary>From the gate: nothing more comes to the shard by it.</summary>
    public sealed class Unplaced
    {
        public static readonly Unplaced Instance = new();
    }

    /// <summary>To the gate: the shard has begun here, leaves, or has ended.</summary>
    public sealed record Placed(int Shard, bool IsHere, bool HasEnded = false);

    /// <summary>To the gate: this node shall have no shards, or may have some again.</summary>
    public sealed record Drain(bool IsDraining);
}
