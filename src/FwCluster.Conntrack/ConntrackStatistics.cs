namespace FwCluster.Conntrack;

/// <summary>What a table has counted, as <c>conntrack -S</c>. Written by the table's owner.</summary>
public sealed class ConntrackStatistics
{
    private readonly ulong[] _failures = new ulong[Enum.GetValues<TrackFailure>().Length];

    /// <summary>Entries confirmed.</summary>
    public ulong Inserted { get; private set; }

    /// <summary>Entries removed, for whatever reason.</summary>
    public ulong Removed { get; private set; }

    /// <summary>Entries removed before their time because the table was full.</summary>
    public ulong EarlyDropped { get; private set; }

    /// <summary>Packets whose entry was found.</summary>
    public ulong Found { get; private set; }

    /// <summary>Expectations noted.</summary>
    public ulong ExpectationsCreated { get; private set; }

    /// <summary>Connections that an expectation made RELATED.</summary>
    public ulong ExpectationsMatched { get; private set; }

    /// <summary>Packets that failed for this reason.</summary>
    public ulong this[TrackFailure failure] => _failures[(int)failure];

    internal void Count(TrackFailure failure) => _failures[(int)failure]++;

    internal void CountFound() => Found++;

    internal void CountInserted() => Inserted++;

    internal void CountRemoved() => Removed++;

    internal void CountEarlyDrop() => EarlyDropped++;

    internal void CountExpectation() => ExpectationsCreated++;

    internal void CountExpectationMatch() => ExpectationsMatched++;
}
