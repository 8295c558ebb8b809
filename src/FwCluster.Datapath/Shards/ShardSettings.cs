namespace FwCluster.Datapath.Shards;

/// <summary>How long a shard waits for others, and when it lets several share a connection.</summary>
public sealed record ShardSettings
{
    /// <summary>How long a holder may take to return a connection, or a worker to confirm one, before the shard goes on without.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>After so many recalls a connection that several workers ask about is shared among them, at least 2.</summary>
    public int RecallsUntilShared { get; init; } = 2;
}
