namespace FwCluster.Datapath.Shards;

/// <summary>
/// A worker's way to the shards, wherever they are: on another thread, or on other nodes. Used on the worker's thread alone. What is said is
/// gathered, and goes with <see cref="Flush"/>: one batch for each place that has shards.
/// </summary>
public interface IShardLink
{
    /// <summary>Adds a request to the batch of its shard's place.</summary>
    /// <param name="request">The request; it is copied.</param>
    /// <param name="packet">The packet that it asks about, from the IP header on, as far as tracking reads; copied as well.</param>
    /// <returns>False where a question finds no room: too many wait already. Other requests always find some.</returns>
    bool TrySend(in ShardRequest request, ReadOnlySpan<byte> packet);

    /// <summary>Sends what was gathered.</summary>
    void Flush();

    /// <summary>Takes the next of the replies that have come.</summary>
    /// <returns>False where there is none now. <see cref="IShardLink"/>s tell by other means when there may be one.</returns>
    bool TryReceive(out ShardReply reply);
}
