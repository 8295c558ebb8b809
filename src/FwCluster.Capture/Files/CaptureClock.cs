namespace FwCluster.Capture.Files;

/// <summary>How an interface's time stamps count (pcapng <c>if_tsresol</c> and <c>if_tsoffset</c>).</summary>
/// <param name="Resolution">As <c>if_tsresol</c>: ticks of 10^-n seconds, or of 2^-n where the highest bit is set.</param>
/// <param name="OffsetSeconds">Seconds added to every time stamp.</param>
public readonly record struct CaptureClock(byte Resolution, long OffsetSeconds)
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    /// <summary>Microseconds: pcap's, and pcapng's default.</summary>
    public static CaptureClock Microseconds { get; } = new(6, 0);

    /// <summary>Nanoseconds.</summary>
    public static CaptureClock Nanoseconds { get; } = new(9, 0);

    /// <summary>A time stamp as nanoseconds since the Unix epoch; one beyond what 63 bits hold (the year 2262) stays there.</summary>
    public long ToNanoseconds(ulong ticks)
    {
        var exponent = Resolution & 0x7f;
        Int128 time;
        if ((Resolution & 0x80) != 0)
            time = exponent > 94 ? 0 : (Int128)(((UInt128)ticks * NanosecondsPerSecond) >> exponent);
        else if (exponent <= 9)
            time = (Int128)((UInt128)ticks * PowerOfTen(9 - exponent));
        else
            time = exponent - 9 > 19 ? 0 : (Int128)(ticks / PowerOfTen(exponent - 9));
        time += (Int128)OffsetSeconds * NanosecondsPerSecond;
        return (long)Int128.Clamp(time, 0, long.MaxValue);
    }

    private static ulong PowerOfTen(int exponent)
    {
        var power = 1UL;
        for (; exponent > 0; exponent--) power *= 10;
        return power;
    }
}
