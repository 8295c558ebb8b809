namespace FwCluster.Packets.Fragments;

/// <summary>A sender of IPv4 fragments, to see how many came between two of one datagram (the kernel's inet_peer.rid). It lives as long as a
/// queue refers to it.</summary>
internal sealed class FragmentSource(FragmentKey key)
{
    public FragmentKey Key { get; } = key;

    /// <summary>Fragments that came from this sender.</summary>
    public uint Count { get; set; }

    /// <summary>Queues that refer to it.</summary>
    public int Queues { get; set; }
}
