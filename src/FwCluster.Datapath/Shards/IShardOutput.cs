namespace FwCluster.Datapath.Shards;

/// <summary>Where a shard's replies go.</summary>
public interface IShardOutput
{
    /// <summary>Sends a reply to a worker.</summary>
    /// <param name="holder">The worker's number, as it came with its requests.</param>
    /// <param name="reply">The reply; it is copied.</param>
    void Reply(int holder, in ShardReply reply);
}
