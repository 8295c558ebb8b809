namespace FwCluster.Capture.Files;

/// <summary>Where a capture breaks off, and why.</summary>
/// <param name="Packet">Number of the packet that could not be read, 1-based.</param>
/// <param name="Offset">Bytes from the start of the capture to the record that is broken.</param>
/// <param name="Reason">What is wrong with it, as a clause: <c>the record of 100 bytes ends after 20</c>.</param>
public sealed record CaptureBreak(long Packet, long Offset, string Reason)
{
    /// <inheritdoc/>
    public override string ToString() => $"breaks at packet {Packet}, byte {Offset}: {Reason}";
}
