namespace FwCluster.Node.Live;

/// <summary>The clock that tracking goes by.</summary>
internal static class UnixTime
{
    /// <summary>Nanoseconds since the Unix epoch.</summary>
    public static long Now => (DateTime.UtcNow - DateTime.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick;
}
