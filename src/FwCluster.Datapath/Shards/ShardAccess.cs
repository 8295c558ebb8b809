namespace FwCluster.Datapath.Shards;

/// <summary>What a worker needs to have shards decide what it cannot.</summary>
/// <param name="Link">The way to them.</param>
/// <param name="Verdicts">Where verdicts on held packets go.</param>
public sealed record ShardAccess(IShardLink Link, IVerdictPort Verdicts)
{
    /// <summary>What other shards' connections expect; null where there is one shard, which knows.</summary>
    public IExpectationDirectory? Directory { get; init; }

    /// <summary>Packets that may wait for an answer, at least 1: beyond, packets without a granted connection are dropped and counted
    /// (<see cref="Conntrack.TrackFailure.Overload"/>), those with one go on.</summary>
    public int MaxHeld { get; init; } = 4096;

    /// <summary>How long a packet waits before it is dropped and counted (<see cref="Conntrack.TrackFailure.Unanswered"/>).</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(2);
}
