using FwCluster.Datapath.Shards;

namespace FwCluster.Cluster.Shards;

/// <summary>The deciding part of a shard: no clock, no thread. Called by its actor alone.</summary>
public interface IShard
{
    /// <summary>Takes what a worker says; replies go to the shard's output, now or later.</summary>
    /// <param name="holder">The worker's number.</param>
    /// <param name="request">What it says.</param>
    /// <param name="packet">The packet that it asks about, from the IP header on; empty for other requests.</param>
    /// <param name="now">Nanoseconds since the Unix epoch.</param>
    void Take(int holder, in ShardRequest request, ReadOnlySpan<byte> packet, long now);

    /// <summary>Does what time brings: entries that end, recalls that nobody answers.</summary>
    void Tick(long now);

    /// <summary>A worker is no more, and what it held comes back unseen.</summary>
    void HolderGone(int holder, long now);
}

/// <summary>Makes a shard when Cluster Sharding places it here.</summary>
/// <param name="shard">Its number, from 0.</param>
/// <param name="output">Where its replies go.</param>
public delegate IShard ShardFactory(int shard, IShardOutput output);
