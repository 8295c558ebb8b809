using FwCluster.Api.V1;
using FwCluster.Conntrack;

namespace FwCluster.Control.Nodes;

/// <summary>What is known of the node of this process besides its workers.</summary>
public sealed record LocalNodeOptions
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>What it does: capture, conntrack, control.</summary>
    public IReadOnlyList<string> Roles { get; init; } = ["capture", "conntrack", "control"];

    /// <summary>Where the cluster's members reach it; empty where it is on its own.</summary>
    public string Address { get; init; } = "";

    /// <summary>It has no shards, or hands them over, and gets none.</summary>
    public Func<bool> IsDraining { get; init; } = () => false;

    /// <summary>Has it hand over its shards, or (true) take some again; how many moved, or null where nobody else can have them.</summary>
    public Func<bool, CancellationToken, Task<int?>> Drain { get; init; } = (_, _) => Task.FromResult<int?>(null);

    /// <summary>Since when it runs.</summary>
    public DateTimeOffset Started { get; init; } = DateTimeOffset.UtcNow;

    /// <summary>Why packets are not being decided as they should be; null where they are.</summary>
    public Func<string?> Problem { get; init; } = () => null;

    /// <summary>Limits and timeouts of tracking that it was started with.</summary>
    public ConntrackSettings Tracking { get; init; } = ConntrackSettings.Default;

    /// <summary>Of a node's limits, those of each of its tables: entries and expectations.</summary>
    public Func<ConntrackSettings, (int Entries, int Expectations)> LimitsOfTable { get; init; } = settings => (settings.MaxEntries, settings.MaxExpectations);

    /// <summary>Held while workers switch to other rules.</summary>
    public SemaphoreSlim Switching { get; init; } = new(1);

    /// <summary>Its ports, and what they could not take.</summary>
    public Func<IReadOnlyList<CapturePort>> Ports { get; init; } = () => [];
}
