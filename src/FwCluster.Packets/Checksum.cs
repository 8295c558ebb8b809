namespace FwCluster.Packets;

/// <summary>The Internet checksum (RFC 1071).</summary>
public static class Checksum
{
    /// <summary>The ones' complement sum of <paramref name="data"/>, folded to 16 bits, not complemented.</summary>
    public static ushort Sum(ReadOnlySpan<byte> data) => throw new NotImplementedException();

    /// <summary>Checks the transport checksum (TCP, UDP, UDP-Lite, ICMP, ICMPv6; true for others and where the capture cut the packet short)
    /// of a packet that is not a fragment. An IPv4 UDP checksum of zero means "none" and is right.</summary>
    public static bool TransportIsValid(in PacketHeaders headers, ReadOnlySpan<byte> packet) => throw new NotImplementedException();

    /// <summary>Writes the right transport checksum into the packet (TCP, UDP, UDP-Lite, ICMP, ICMPv6).</summary>
    public static void WriteTransport(in PacketHeaders headers, Span<byte> packet) => throw new NotImplementedException();
}
