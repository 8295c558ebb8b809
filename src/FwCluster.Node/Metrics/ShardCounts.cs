using FwCluster.Datapath.Shards;

namespace FwCluster.Node.Metrics;

/// <summary>What a shard, or several, have counted. See <see cref="ShardStatistics"/>.</summary>
internal sealed record ShardCounts(ulong Questions, ulong Granted, ulong Recalled, ulong Shared, ulong Impatience, ulong Claimed)
{
    /// <summary>Reads them, on the shard's thread.</summary>
    public static ShardCounts Read(ShardStatistics statistics)
        => new(statistics.Questions, statistics.Granted, statistics.Recalled, statistics.Shared, statistics.Impatience, statistics.Claimed);

    /// <summary>As a row of numbers.</summary>
    public ulong[] Row => [Questions, Granted, Recalled, Shared, Impatience, Claimed];

    /// <summary>From a row of numbers.</summary>
    public static ShardCounts Of(ReadOnlySpan<ulong> row) => new(row[0], row[1], row[2], row[3], row[4], row[5]);
}
