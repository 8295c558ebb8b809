namespace FwCluster.Packets.Fragments;

/// <summary>The limits of reassembly. The defaults are the kernel's.</summary>
public sealed record ReassemblyOptions
{
    /// <summary>How long an IPv4 datagram may be incomplete (net.ipv4.ipfrag_time): 30 seconds.</summary>
    public TimeSpan IPv4Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long an IPv6 datagram may be incomplete (net.netfilter.nf_conntrack_frag6_timeout): 60 seconds.</summary>
    public TimeSpan IPv6Timeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Bytes of memory that IPv4 fragments may hold (net.ipv4.ipfrag_high_thresh): 4 MiB. Above it fragments are dropped. Zero
    /// drops all.</summary>
    public long IPv4MemoryLimit { get; init; } = 4 << 20;

    /// <summary>Bytes of memory that IPv6 fragments may hold (net.netfilter.nf_conntrack_frag6_high_thresh): 4 MiB.</summary>
    public long IPv6MemoryLimit { get; init; } = 4 << 20;

    /// <summary>IPv4: how many other fragments of the same sender may come between two of one datagram
    /// (net.ipv4.ipfrag_max_dist): 64. Zero for no limit.</summary>
    public int IPv4MaximumDistance { get; init; } = 64;
}
