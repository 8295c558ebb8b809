namespace FwCluster.Datapath.Shards;

/// <summary>What a shard has counted. Written by whoever runs it.</summary>
public sealed class ShardStatistics
{
    /// <summary>Questions asked.</summary>
    public ulong Questions { get; internal set; }

    /// <summary>Connections let to one worker.</summary>
    public ulong Granted { get; internal set; }

    /// <summary>Connections called back.</summary>
    public ulong Recalled { get; internal set; }

    /// <summary>Connections that came to be shared.</summary>
    public ulong Shared { get; internal set; }

    /// <summary>Words that did not come in time: returns, confirmations, acknowledgements, claims.</summary>
    public ulong Impatience { get; internal set; }

    /// <summary>Expectations of other shards' connections that were claimed, and granted.</summary>
    public ulong Claimed { get; internal set; }
}
