using System.Collections.Immutable;
using FwCluster.Conntrack;

namespace FwCluster.Node.State;

/// <summary>What one table has and has counted, read on its thread.</summary>
/// <param name="Entries">Entries in the table.</param>
/// <param name="Found">Packets whose entry was found.</param>
/// <param name="Inserted">Entries confirmed.</param>
/// <param name="Removed">Entries removed.</param>
/// <param name="EarlyDropped">Entries removed before their time.</param>
/// <param name="ExpectationsCreated">Expectations noted.</param>
/// <param name="ExpectationsMatched">Expectations met.</param>
/// <param name="Failures">Failures by <see cref="TrackFailure"/>.</param>
internal sealed record TableCounts(ulong Entries, ulong Found, ulong Inserted, ulong Removed, ulong EarlyDropped, ulong ExpectationsCreated,
    ulong ExpectationsMatched, ImmutableArray<ulong> Failures)
{
    /// <summary>Reads them.</summary>
    public static TableCounts Read(ConnectionTable table)
    {
        var statistics = table.Statistics;
        return new((ulong)table.Count, statistics.Found, statistics.Inserted, statistics.Removed, statistics.EarlyDropped, statistics.ExpectationsCreated,
            statistics.ExpectationsMatched, [.. Enum.GetValues<TrackFailure>().Select(failure => statistics[failure])]);
    }
}
