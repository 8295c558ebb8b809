namespace FwCluster.Packets;

/// <summary>Reads the headers of an IP packet. Does not allocate; never throws for what a packet holds.</summary>
public static class PacketDecoder
{
    /// <summary>
    /// Decodes the packet that begins at <paramref name="packet"/>[0].
    /// </summary>
    /// <param name="packet">The bytes at hand, from the IP header on; may be fewer than the packet had on the wire (a snap length), and
    /// may have link-layer padding behind it.</param>
    /// <param name="wireLength">Bytes the packet had on the wire from the IP header on, padding included.</param>
    /// <param name="headers">The headers; its content is defined only when the result is <see cref="DecodeResult.Ok"/>.</param>
    public static DecodeResult Decode(ReadOnlySpan<byte> packet, int wireLength, out PacketHeaders headers)
        => throw new NotImplementedException();
}

/// <summary>What came of decoding: the checks of the kernel's <c>ip_rcv_core</c> and <c>ip6_rcv_core</c>.</summary>
public enum DecodeResult : byte
{
    /// <summary>An IP packet; its transport may still be malformed.</summary>
    Ok,

    /// <summary>Neither IPv4 nor IPv6.</summary>
    NotIp,

    /// <summary>The kernel's stack drops it before netfilter sees it: a header or total length that lies, a bad header checksum.</summary>
    BadHeader,
}
