using System.Runtime.CompilerServices;

namespace FwCluster.Rules.Evaluation.Classification;

/// <summary>
/// Finds the interval that a value lies in: boundaries b0 &lt; b1 &lt; ... cut the numbers into intervals 0 (below b0), 1 (from b0 to below
/// b1), and so on. Equal buckets over the boundaries' span narrow a search down to the few boundaries of one bucket, wherever in the
/// number space they crowd. Immutable.
/// </summary>
internal sealed class IntervalIndex
{
    private const int MaxBuckets = 1 << 16;

    private readonly UInt128[] _boundaries;
    private readonly ulong[]? _narrow;
    private readonly int[] _buckets;
    private readonly UInt128 _first;
    private readonly UInt128 _span;
    private readonly int _shift;

    /// <summary>Indexes boundaries.</summary>
    /// <param name="boundaries">Ascending, distinct, at least one.</param>
    public IntervalIndex(UInt128[] boundaries)
    {
        _boundaries = boundaries;
        _first = boundaries[0];
        _span = boundaries[^1] - _first;
        var wanted = Math.Min(2L * boundaries.Length, MaxBuckets);
        while (_shift < 127 && (_span >> _shift) >= (UInt128)wanted) _shift++;
        _buckets = new int[(int)(_span >> _shift) + 2];
        // _buckets[b] is the number of boundaries in buckets before b.
        foreach (var boundary in boundaries) _buckets[(int)((boundary - _first) >> _shift) + 1]++;
        for (var b = 1; b < _buckets.Length; b++) _buckets[b] += _buckets[b - 1];
        if (boundaries[^1] <= ulong.MaxValue) _narrow = Array.ConvertAll(boundaries, b => (ulong)b);
    }

    /// <summary>The interval of a value: the number of boundaries that are not above it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Find(ulong value)
    {
        // A boundary above 64 bits is above the value as well: the wide search is right for both.
        if (_narrow is not { } boundaries) return Find(new UInt128(0, value));
        var first = (ulong)_first;
        if (value < first) return 0;
        var offset = value - first;
        if (offset >= (ulong)_span) return boundaries.Length;
        var bucket = (int)(offset >> _shift);
        var low = _buckets[bucket];
        var high = _buckets[bucket + 1];
        while (low < high)
        {
            var middle = (int)((uint)(low + high) >> 1);
            if (boundaries[middle] <= value) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    /// <summary>The same for a value of more than 64 bits.</summary>
    public int Find(UInt128 value)
    {
        if (value < _first) return 0;
        var offset = value - _first;
        if (offset >= _span) return _boundaries.Length;
        var bucket = (int)(offset >> _shift);
        var low = _buckets[bucket];
        var high = _buckets[bucket + 1];
        while (low < high)
        {
            var middle = (int)((uint)(low + high) >> 1);
            if (_boundaries[middle] <= value) low = middle + 1;
            else high = middle;
        }
        return low;
    }
}
