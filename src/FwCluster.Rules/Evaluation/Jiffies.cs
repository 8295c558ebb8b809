namespace FwCluster.Rules.Evaluation;

/// <summary>The kernel's coarse clock, by which it measures rates: 250 ticks a second, as distributions build it (CONFIG_HZ).</summary>
internal static class Jiffies
{
    /// <summary>Ticks a second.</summary>
    public const ulong Hz = 250;

    private const ulong NanosecondsPerJiffy = 1_000_000_000 / Hz;
    private const ulong MillisecondsPerJiffy = 1000 / Hz;

    /// <summary>The tick of a time in nanoseconds since the Unix epoch.</summary>
    public static ulong At(long now) => (ulong)now / NanosecondsPerJiffy;

    /// <summary>Ticks of a duration, rounded up (<c>msecs_to_jiffies</c>).</summary>
    public static ulong FromMilliseconds(uint milliseconds) => (milliseconds + MillisecondsPerJiffy - 1) / MillisecondsPerJiffy;
}
