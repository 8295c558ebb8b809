namespace FwCluster.Cluster;

/// <summary>What a node does for its cluster; one may do several.</summary>
public static class ClusterRoles
{
    /// <summary>Has workers that decide packets.</summary>
    public const string Capture = "capture";

    /// <summary>Has shards of the connections.</summary>
    public const string Conntrack = "conntrack";

    /// <summary>Takes rulesets and questions from control clients.</summary>
    public const string Control = "control";

    /// <summary>All there are.</summary>
    public static IReadOnlyList<string> All { get; } = [Capture, Conntrack, Control];
}
