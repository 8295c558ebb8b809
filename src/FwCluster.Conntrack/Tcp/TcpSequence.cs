namespace FwCluster.Conntrack.Tcp;

/// <summary>Comparing sequence numbers modulo 2^32 (RFC 9293 section 3.4).</summary>
internal static class TcpSequence
{
    /// <summary><paramref name="a"/> lies before <paramref name="b"/>.</summary>
    public static bool Before(uint a, uint b) => (int)(a - b) < 0;

    /// <summary><paramref name="a"/> lies after <paramref name="b"/>.</summary>
    public static bool After(uint a, uint b) => (int)(b - a) < 0;
}
