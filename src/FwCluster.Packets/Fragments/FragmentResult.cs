namespace FwCluster.Packets.Fragments;

/// <summary>What became of a packet that was given to the <see cref="Reassembler"/>.</summary>
public enum FragmentResult : byte
{
    /// <summary>The packet goes on as it is: not a fragment, or one that the kernel lets pass alone.</summary>
    Untouched,

    /// <summary>The fragment is kept until the others are here (or it was here already).</summary>
    Held,

    /// <summary>The fragment is dropped, perhaps with those that waited for it.</summary>
    Dropped,

    /// <summary>This was the last that was missing.</summary>
    Whole,
}

/// <summary>Why fragments were dropped.</summary>
public enum FragmentFailure : byte
{
    /// <summary>The memory limit is reached; the fragment was dropped.</summary>
    MemoryLimit,

    /// <summary>The datagram was not whole in time.</summary>
    Timeout,

    /// <summary>IPv4: too many other fragments of this sender came between two of one datagram; those before were dropped.</summary>
    Distance,

    /// <summary>The fragment overlaps another without being a repetition; the datagram was dropped.</summary>
    Overlap,

    /// <summary>The fragment contradicts another about where the datagram ends. IPv4: the datagram was dropped; IPv6: the fragment.</summary>
    EndMismatch,

    /// <summary>The fragment has no data. IPv4: the datagram was dropped; IPv6: the fragment.</summary>
    Empty,

    /// <summary>IPv6: a fragment that is not the last has a length that is not a multiple of 8; the datagram was dropped, and
    /// the fragment passed on alone.</summary>
    Alignment,

    /// <summary>The datagram would be longer than 65535 bytes.</summary>
    TooBig,

    /// <summary>The fragments' ECN fields cannot be those of one datagram (RFC 3168 section 5.3); the datagram was dropped.</summary>
    Ecn,

    /// <summary>IPv6: the packet ends within its fragment header; it was dropped.</summary>
    ShortHeader,
}
