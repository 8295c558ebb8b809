using FwCluster.Differential.Engines;
using FwCluster.Packets;
using FwCluster.Referee;

namespace FwCluster.Differential.Comparison;

/// <summary>Tells differences between two trackers that are meant to be from those that are faults.</summary>
public interface IKnownDifferences
{
    /// <summary>Two trackers differ on the packet that was sent last.</summary>
    /// <returns>What such a difference is called; null for one that is not meant to be.</returns>
    string? Name(TrackedState first, TrackedState second);

    /// <summary>Two trackers differ in what they have of a connection.</summary>
    /// <returns>What such a difference is called; null for one that is not meant to be.</returns>
    string? Name(ConnectionSummary first, ConnectionSummary second);

    /// <summary>True where a known difference has let the two trackers' entries of this tuple go different ways.</summary>
    bool IsApart(FlowTuple tuple);
}
