namespace FwCluster.Conntrack;

/// <summary>Lengths of time as the table counts them: nanoseconds.</summary>
internal static class Duration
{
    /// <summary>Converts a setting.</summary>
    public static long Nanoseconds(TimeSpan span) => span.Ticks * TimeSpan.NanosecondsPerTick;

    /// <summary>Whole seconds.</summary>
    public static long Seconds(long seconds) => seconds * 1_000_000_000;
}
