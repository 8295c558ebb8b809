namespace FwCluster.Packets;

/// <summary>
/// The TCP options that tracking and rules ask for, read as the kernel's conntrack reads them (<c>tcp_options</c> and
/// <c>tcp_sack</c> in nf_conntrack_proto_tcp.c): a silly length ends the walk. Does not allocate.
/// </summary>
public static class TcpOptions
{
    /// <summary>The window scale option's shift count, capped at 14 (RFC 7323 section 2.3), or -1 where there is none; and whether SACK
    /// is permitted.</summary>
    /// <param name="options">The bytes between the fixed header and the payload.</param>
    /// <param name="sackPermitted">True where the option is there.</param>
    public static int WindowScale(ReadOnlySpan<byte> options, out bool sackPermitted) => throw new NotImplementedException();

    /// <summary>The highest right edge of the SACK blocks, where one lies after <paramref name="acknowledgment"/> in sequence space;
    /// else <paramref name="acknowledgment"/>.</summary>
    public static uint HighestSack(ReadOnlySpan<byte> options, uint acknowledgment) => throw new NotImplementedException();

    /// <summary>The MSS option's value (RFC 9293 section 3.7.1), or -1.</summary>
    public static int MaximumSegmentSize(ReadOnlySpan<byte> options) => throw new NotImplementedException();

    /// <summary>True where an option of this kind is there, read as xt_tcpudp's <c>tcp_find_option</c>.</summary>
    public static bool Contains(ReadOnlySpan<byte> options, byte kind) => throw new NotImplementedException();
}
