namespace FwCluster.Rules.Extensions.Matches;

/// <summary>Where things are in a TCP header (RFC 9293 section 3.1).</summary>
internal static class TcpHeader
{
    /// <summary>Bytes of the header without options.</summary>
    public const int FixedLength = 20;

    /// <summary>Where the flag byte is.</summary>
    public const int FlagsOffset = 13;

    /// <summary>Bytes of the header with options, as it says itself: 0 to 60.</summary>
    public static int Length(ReadOnlySpan<byte> header) => (header[12] >> 4) * 4;
}
