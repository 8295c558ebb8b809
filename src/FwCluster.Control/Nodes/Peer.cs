namespace FwCluster.Control.Nodes;

/// <summary>Another node, as the cluster knows it.</summary>
public sealed record Peer
{
    /// <summary>Its name: that of its certificate, too.</summary>
    public required string Name { get; init; }

    /// <summary>Where the cluster's members reach it, an address and a port.</summary>
    public required string Address { get; init; }

    /// <summary>Where its control plane can be asked; null where it cannot.</summary>
    public required Uri? Control { get; init; }

    /// <summary>Why it cannot be asked, where that is known without trying; null where it is not.</summary>
    public string? Problem { get; init; }

    /// <summary>What it does: capture, conntrack, control.</summary>
    public IReadOnlyList<string> Roles { get; init; } = [];
}
