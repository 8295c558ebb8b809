using FwCluster.Api.V1;

namespace FwCluster.Control.Nodes;

/// <summary>What is known of the node of this process besides its workers.</summary>
public sealed record LocalNodeOptions
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>What it does: capture, conntrack, control.</summary>
    public IReadOnlyList<string> Roles { get; init; } = ["capture", "conntrack", "control"];

    /// <summary>Since when it runs.</summary>
    public DateTimeOffset Started { get; init; } = DateTimeOffset.UtcNow;

    /// <summary>Why packets are not being decided as they should be; null where they are.</summary>
    public Func<string?> Problem { get; init; } = () => null;

    /// <summary>Its ports, and what they could not take.</summary>
    public Func<IReadOnlyList<CapturePort>> Ports { get; init; } = () => [];
}
