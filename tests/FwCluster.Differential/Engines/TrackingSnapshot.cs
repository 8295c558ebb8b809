namespace FwCluster.Differential.Engines;

/// <summary>The tables of a tracker.</summary>
public sealed record TrackingSnapshot(IReadOnlyList<ConnectionSummary> Connections, IReadOnlyList<ExpectationSummary> Expectations);
