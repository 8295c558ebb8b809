using System.Collections.Immutable;

namespace FwCluster.Datapath;

/// <summary>
/// How long something took, counted by ranges. The worker adds, with two additions and no lock; anybody reads, and may see a count without its
/// sum or the other way round, which the next look sets right.
/// </summary>
public sealed class WaitTimes
{
    // Mutable, owned by the worker. One more than there are bounds: what took longer than all of them.
    private readonly long[] _counts = new long[Bounds.Length + 1];
    private readonly long[] _sums = new long[Bounds.Length + 1];

    /// <summary>The longest time of each range, nanoseconds, growing; the last range has no bound.</summary>
    public static ImmutableArray<long> Bounds { get; } =
    [
        25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000, 250_000_000,
        500_000_000, 1_000_000_000, 2_500_000_000,
    ];

    /// <summary>How many fell into a range, and how long they took together, nanoseconds.</summary>
    /// <param name="range">The index of its bound, or how many bounds there are for what took longer than all.</param>
    public (long Count, long Sum) this[int range] => (Volatile.Read(ref _counts[range]), Volatile.Read(ref _sums[range]));

    /// <summary>Counts one.</summary>
    /// <param name="nanoseconds">How long it took; a clock that went back makes it 0.</param>
    internal void Add(long nanoseconds)
    {
        if (nanoseconds < 0) nanoseconds = 0;
        var bounds = Bounds.AsSpan();
        var range = 0;
        while (range < bounds.Length && nanoseconds > bounds[range]) range++;
        _counts[range]++;
        _sums[range] += nanoseconds;
    }
}
