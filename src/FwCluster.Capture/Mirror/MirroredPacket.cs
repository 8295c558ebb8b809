using FwCluster.Packets;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Capture.Mirror;

/// <summary>A copy of a packet.</summary>
public readonly struct MirroredPacket
{
    /// <summary>The interface it was seen on; empty where the port listens on all.</summary>
    public InterfaceName Interface { get; internal init; }

    /// <summary>The link-layer header it begins with.</summary>
    public LinkType Link { get; internal init; }

    /// <summary>Its bytes, from the link-layer header on.</summary>
    public ReadOnlySpan<byte> Bytes => Buffer.AsSpan(0, Length);

    internal byte[] Buffer { get; init; }

    internal int Length { get; init; }

    /// <summary>Bytes it had on the wire.</summary>
    public int WireLength { get; internal init; }

    /// <summary>When it was seen, nanoseconds since the Unix epoch.</summary>
    public long Time { get; internal init; }
}
