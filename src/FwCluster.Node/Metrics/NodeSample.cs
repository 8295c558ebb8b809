using FwCluster.Conntrack;
using FwCluster.Node.Live;
using FwCluster.Node.State;
using FwCluster.Packets;

namespace FwCluster.Node.Metrics;

/// <summary>What the node was like at one moment, for the instruments to tell. Immutable.</summary>
internal sealed record NodeSample
{
    /// <summary>The gateway; what only counts is read from it as it is told.</summary>
    public required Gateway Gateway { get; init; }

    /// <summary>The ports, by lane.</summary>
    public required IReadOnlyList<PortCounts> Ports { get; init; }

    /// <summary>The tables that own connections, added up: what was counted by shards that went elsewhere stays in.</summary>
    public required TableCounts Owned { get; init; }

    /// <summary>The shards that are here, by number: entries.</summary>
    public required IReadOnlyList<(int Shard, ulong Entries)> Shards { get; init; }

    /// <summary>What shards have counted here, added up; null where there are none.</summary>
    public required ShardCounts? ShardWork { get; init; }

    /// <summary>Failures of tracking, of workers and shards together, by <see cref="TrackFailure"/>.</summary>
    public required IReadOnlyList<ulong> Failures { get; init; }

    /// <summary>Packets whose entry was found, by workers and shards together.</summary>
    public required ulong Found { get; init; }

    /// <summary>Entries that workers hold of their shards'; 0 where there are no shards.</summary>
    public required ulong Held { get; init; }

    /// <summary>What rules and policies have counted.</summary>
    public required IReadOnlyList<RuleSample> Rules { get; init; }

    /// <summary>Their labels, each as one text; another list where the rules are others.</summary>
    public required IReadOnlyList<string> RuleTags { get; init; }

    /// <summary>How many rules there are of each family, with or without a sample.</summary>
    public required IReadOnlyList<(IpFamily Family, long Count)> RuleNumbers { get; init; }
}

/// <summary>What one rule, or a chain's policy, has counted.</summary>
/// <param name="Tags">Family, table, chain, and which it is there.</param>
/// <param name="IsPolicy">A chain's policy.</param>
/// <param name="Packets">Packets.</param>
/// <param name="Bytes">Bytes.</param>
internal sealed record RuleSample(KeyValuePair<string, object?>[] Tags, bool IsPolicy, ulong Packets, ulong Bytes);
