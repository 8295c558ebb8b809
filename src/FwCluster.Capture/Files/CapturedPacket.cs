namespace FwCluster.Capture.Files;

/// <summary>A packet of a capture. Its bytes are the reader's: valid until the next one is read.</summary>
public readonly ref struct CapturedPacket
{
    /// <summary>Its place in the capture, 1-based, as Wireshark counts.</summary>
    public required long Number { get; init; }

    /// <summary>When it was captured, nanoseconds since the Unix epoch; 0 where the capture does not say.</summary>
    public required long Timestamp { get; init; }

    /// <summary>Where it was captured.</summary>
    public required CaptureInterface Interface { get; init; }

    /// <summary>The frame, link-layer header first, as many bytes as were kept.</summary>
    public required ReadOnlySpan<byte> Data { get; init; }

    /// <summary>Bytes the frame had on the wire.</summary>
    public required uint WireLength { get; init; }
}
