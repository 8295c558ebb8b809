using System.Numerics;
using System.Runtime.CompilerServices;

namespace FwCluster.Rules.Evaluation.Classification;

/// <summary>Builds a <see cref="Dimension"/> by sweeping over the boundaries of all rules' ranges.</summary>
internal sealed class DimensionBuilder
{
    // A chain's row space: distinct addresses take four words a rule; rules with wide, overlapping ranges would take words by the square.
    private const int RowWordsPerRule = 200;
    private const int RowWordsAtLeast = 1 << 14;

    private readonly PacketField _field;
    private readonly int _words;
    private readonly int _chunks;
    private readonly int _rowBudget;
    private readonly ulong[] _free;
    private readonly Event[] _events;

    private DimensionBuilder(PacketField field, IReadOnlyList<RuleConstraints> rules)
    {
        _field = field;
        _words = (rules.Count + 63) / 64;
        _chunks = (_words + 63) / 64;
        _rowBudget = Math.Max(RowWordsAtLeast, RowWordsPerRule * rules.Count);
        _free = new ulong[_words];
        var events = new List<Event>(2 * rules.Count);
        for (var rule = 0; rule < rules.Count; rule++)
        {
            if (rules[rule][field] is not { } ranges)
            {
                _free[rule / 64] |= 1UL << rule;
                continue;
            }
            foreach (var range in ranges)
            {
                events.Add(new(range.First, rule, true));
                if (range.Last != UInt128.MaxValue) events.Add(new(range.Last + 1, rule, false));
            }
        }
        _events = [.. events];
    }

    /// <summary>The dimension of a field, or null where no rule restricts it.</summary>
    public static Dimension? Build(PacketField field, IReadOnlyList<RuleConstraints> rules)
    {
        if (rules.All(r => r[field] is null)) return null;
        var builder = new DimensionBuilder(field, rules);
        return builder.Build();
    }

    private Dimension Build()
    {
        Sort(_events);
        // A row may hold more rules than those of its interval, never fewer: where the rows would take too much, neighbours share one.
        for (var neighbours = 1; ; neighbours *= 2)
        {
            if (Sweep(neighbours) is { } dimension) return dimension;
        }
    }

    // Rules change seldom: what takes steps by the thousand is compiled well the first time, and not when it has been slow often enough.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private Dimension? Sweep(int neighbours)
    {
        var rows = new RowSet(_words, _chunks, neighbours >= _events.Length ? int.MaxValue : _rowBudget);
        var boundaries = new List<UInt128>();
        var rowOfInterval = new List<int>();
        var active = new BitSet(_words, _chunks);
        var union = neighbours > 1 ? new BitSet(_words, _chunks) : active;
        if (rows.Add(active) is not { } none) return null;
        rowOfInterval.Add(none);
        for (var next = 0; next < _events.Length;)
        {
            boundaries.Add(_events[next].At);
            if (neighbours > 1) union.Clear();
            for (var joined = 0; joined < neighbours && next < _events.Length; joined++)
            {
                for (var at = _events[next].At; next < _events.Length && _events[next].At == at; next++) active.Set(_events[next].Rule, _events[next].Begins);
                if (neighbours > 1) union.Add(active);
            }
            if (rows.Add(union) is not { } row) return null;
            rowOfInterval.Add(row);
        }
        // A rule whose ranges contradict each other has no boundary; the field then has one interval, and no rule in it.
        if (boundaries.Count == 0)
        {
            boundaries.Add(0);
            rowOfInterval.Add(none);
        }
        var words = 0L;
        foreach (var row in rowOfInterval) words += rows.WordsOf(row);
        return new Dimension(
            _field, new IntervalIndex([.. boundaries]), [.. rowOfInterval], (double)words / rowOfInterval.Count, rows.ToArray(), _free, Summary(_free, _chunks));
    }

    /// <summary>Sorts by place, what is at the same place in any order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sort(Event[] events)
    {
        var (from, to) = (events, new Event[events.Length]);
        for (var width = 1; width < events.Length; width *= 2)
        {
            for (var start = 0; start < events.Length; start += 2 * width)
            {
                var (left, middle, end) = (start, Math.Min(start + width, events.Length), Math.Min(start + 2 * width, events.Length));
                var right = middle;
                for (var at = start; at < end; at++)
                    to[at] = left < middle && (right == end || from[left].At <= from[right].At) ? from[left++] : from[right++];
            }
            (from, to) = (to, from);
        }
        if (!ReferenceEquals(from, events)) from.CopyTo(events, 0);
    }

    internal static ulong[] Summary(ReadOnlySpan<ulong> words, int chunks)
    {
        var summary = new ulong[chunks];
        for (var w = 0; w < words.Length; w++)
        {
            if (words[w] != 0) summary[w / 64] |= 1UL << w;
        }
        return summary;
    }

    private readonly record struct Event(UInt128 At, int Rule, bool Begins);

    /// <summary>Rules as bits, and a bit for each word of them that is not zero.</summary>
    private sealed class BitSet(int words, int chunks)
    {
        public readonly ulong[] Words = new ulong[words];
        public readonly ulong[] Summary = new ulong[chunks];

        public void Set(int rule, bool isIn)
        {
            var word = rule / 64;
            if (isIn) Words[word] |= 1UL << rule;
            else Words[word] &= ~(1UL << rule);
            if (Words[word] != 0) Summary[word / 64] |= 1UL << word;
            else Summary[word / 64] &= ~(1UL << word);
        }

        public void Clear()
        {
            Array.Clear(Words);
            Array.Clear(Summary);
        }

        public void Add(BitSet other)
        {
            for (var w = 0; w < Words.Length; w++) Words[w] |= other.Words[w];
            for (var c = 0; c < Summary.Length; c++) Summary[c] |= other.Summary[c];
        }
    }

    /// <summary>Rows under construction; equal ones are kept once.</summary>
    private sealed class RowSet(int words, int chunks, int budget)
    {
        private readonly List<ulong> _rows = [];
        private readonly Dictionary<ulong, List<(int Start, int Length)>> _byHash = [];
        private readonly ulong[] _row = new ulong[chunks + words];

        /// <summary>Adds a set; its start, or null where the budget is used up.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public int? Add(BitSet set)
        {
            var length = Pack(set);
            var packed = _row.AsSpan(0, length);
            var hash = 14695981039346656037UL;
            foreach (var word in packed) hash = BitOperations.RotateLeft((hash ^ word) * 0x9E3779B97F4A7C15UL, 29);
            if (!_byHash.TryGetValue(hash, out var same)) _byHash.Add(hash, same = []);
            foreach (var (start, knownLength) in same)
            {
                var known = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_rows).Slice(start, knownLength);
                if (known.SequenceEqual(packed)) return start;
            }
            if (_rows.Count + length > budget) return null;
            same.Add((_rows.Count, length));
            var at = _rows.Count;
            _rows.AddRange(packed);
            return at;
        }

        public int WordsOf(int start)
        {
            var words = 0;
            for (var c = 0; c < chunks; c++) words += BitOperations.PopCount(_rows[start + c]);
            return words;
        }

        public ulong[] ToArray() => [.. _rows];

        private int Pack(BitSet set)
        {
            var length = set.Summary.Length;
            for (var c = 0; c < set.Summary.Length; c++)
            {
                _row[c] = set.Summary[c];
                for (var left = set.Summary[c]; left != 0; left &= left - 1) _row[length++] = set.Words[c * 64 + BitOperations.TrailingZeroCount(left)];
            }
            return length;
        }
    }
}
