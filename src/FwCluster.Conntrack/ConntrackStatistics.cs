namespace FwCluster.Conntrack;

/// <summary>What a table has counted, as <c>conntrack -S</c>. Written by the table's owner.</summary>
public sealed class ConntrackStatistics
{
    private readonly ulong[] _failures = new ulong[Enum.GetValues<TrackFailure>().Length];

    /// <summary>Entries confirmed.</summary>
    public ulong Inserted { get; internal set; }

    /// <summary>Entries removed, for whatever reason.</summary>
    public ulong Removed { get; internal set; }

    /// <summary>Entries removed before their time because the table was full.</summary>
    public ulong EarlyDropped { get; internal set; }

    /// <summary>Packets whose entry was found.</summary>
    public ulong Found { get; internal set; }

    /// <summary>Expectations noted.</summary>
    public ulong ExpectationsCreated { get; internal set; }

    /// <summary>Connections that an expectation made RELATED.</summary>
    public ulong ExpectationsMatched { get; internal set; }

    /// <summary>Packets that failed for this reason.</summary>
    public ulong this[TrackFailure failure] => _failures[(int)failure];

    internal void Count(TrackFailure failure) => _failures[(int)failure]++;
}
