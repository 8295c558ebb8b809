using FwCluster.Packets;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Capture.Drops;

/// <summary>A packet that was dropped, and why.</summary>
public readonly ref struct DroppedPacket
{
    /// <summary>The link-layer header it begins with; <see cref="LinkType.Raw"/> for none.</summary>
    public required LinkType Link { get; init; }

    /// <summary>Where it came in, or would have gone out; empty where that is not known.</summary>
    public InterfaceName Interface { get; init; }

    /// <summary>Its bytes, as many as there are.</summary>
    public required ReadOnlySpan<byte> Data { get; init; }

    /// <summary>Bytes it had on the wire.</summary>
    public required int WireLength { get; init; }

    /// <summary>When it was dropped, nanoseconds since the Unix epoch.</summary>
    public required long Time { get; init; }

    /// <summary>Why, in UTF-8; at most <see cref="DropSource.MaxReason"/> bytes are kept.</summary>
    public required ReadOnlySpan<byte> Reason { get; init; }
}
