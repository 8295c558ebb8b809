namespace FwCluster.Packets;

/// <summary>What came of decoding: the checks of the kernel's <c>ip_rcv_core</c> and <c>ip6_rcv_core</c>.</summary>
public enum DecodeResult : byte
{
    /// <summary>An IP packet; its transport may still be malformed.</summary>
    Ok,

    /// <summary>Neither IPv4 nor IPv6.</summary>
    NotIp,

    /// <summary>The kernel's stack drops it before netfilter sees it: a header or total length that lies, a bad header checksum,
    /// IPv6 addresses or hop-by-hop options that no packet may have.</summary>
    BadHeader,
}
