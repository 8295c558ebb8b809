using FwCluster.Referee;

namespace FwCluster.Differential.Engines;

/// <summary>Something that tracks connections: the kernel, or the product.</summary>
public interface ITrackingEngine : IDisposable
{
    /// <summary>What messages call it.</summary>
    string Name { get; }

    /// <summary>Forgets all connections and expectations and takes new settings. Held fragments may stay.</summary>
    void Reset(TrackingOptions options);

    /// <summary>Forgets everything, held fragments too.</summary>
    void Restart(TrackingOptions options);

    /// <summary>Tracks a packet that the rules accept.</summary>
    TrackedState Send(ReadOnlySpan<byte> packet);

    /// <summary>The tables as they are.</summary>
    TrackingSnapshot Snapshot();
}
