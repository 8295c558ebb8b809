namespace FwCluster.Cluster;

/// <summary>Another member, as this node knows it.</summary>
public sealed record ClusterPeer
{
    /// <summary>Where the members reach it, an address and a port.</summary>
    public required string Address { get; init; }

    /// <summary>Its name, as control clients know it; its address where it has told none.</summary>
    public required string Name { get; init; }

    /// <summary>Where its control plane can be asked; empty where it cannot.</summary>
    public required string Control { get; init; }

    /// <summary>It has told about itself; what else is known comes from the membership.</summary>
    public required bool HasGreeted { get; init; }

    /// <summary>What it does, see <see cref="ClusterRoles"/>.</summary>
    public required IReadOnlyList<string> Roles { get; init; }

    /// <summary>It answers, as far as the members know.</summary>
    public required bool IsReachable { get; init; }

    /// <summary>It is about to leave.</summary>
    public required bool IsLeaving { get; init; }
}
