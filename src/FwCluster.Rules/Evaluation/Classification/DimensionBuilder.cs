using System.Numerics;

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
    private readonly List<Event> _events = [];

    private DimensionBuilder(PacketField field, IReadOnlyList<RuleConstraints> rules)
    {
        _field = field;
        _words = (rules.Count + 63) / 64;
        _chunks = (_words + 63) / 64;
        _rowBudget = Math.Max(RowWordsAtLeast, RowWordsPerRule * rules.Count);
        _free = new ulong[_words];
        for (var rule = 0; rule < rules.Count; rule++)
        {
            if (rules[rule][field] is not { } ranges)
            {
                _free[rule / 64] |= 1UL << rule;
                continue;
            }
            foreach (var range in ranges)
            {
                _events.Add(new(range.First, rule, true));
                if (range.Last != UInt128.MaxValue) _events.Add(new(range.Last + 1, rule, false));
            }
        }
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
        _events.Sort((a, b) => a.At.CompareTo(b.At));
        // A row may hold more rules than those of its interval, never fewer: where the rows would take too much, neighbours share one.
        for (var neighbours = 1; ; neighbours *= 2)
        {
            if (Sweep(neighbours) is { } dimension) return dimension;
        }
    }

    private Dimension? Sweep(int neighbours)
    {
        var rows = new RowSet(_words, _chunks, neighbours >= _events.Count ? int.MaxValue : _rowBudget);
        var boundaries = new List<UInt128>();
        var rowOfInterval = new List<int>();
        var active = new ulong[_words];
        var union = new ulong[_words];
        if (rows.Add(active) is not { } none) return null;
        rowOfInterval.Add(none);
        for (var next = 0; next < _events.Count;)
        {
            boundaries.Add(_events[next].At);
            for (var joined = 0; joined < neighbours && next < _events.Count; joined++)
            {
                for (var at = _events[next].At; next < _events.Count && _events[next].At == at; next++) _events[next].Apply(active);
                if (joined == 0) active.CopyTo(union, 0);
                else Or(union, active);
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
        return new Dimension(
            _field, new IntervalIndex([.. boundaries]), [.. rowOfInterval], rowOfInterval.Average(rows.WordsOf), rows.ToArray(), _free,
            Summary(_free, _chunks));
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

    private static void Or(ulong[] target, ulong[] source)
    {
        for (var w = 0; w < target.Length; w++) target[w] |= source[w];
    }

    private readonly record struct Event(UInt128 At, int Rule, bool Begins)
    {
        public void Apply(ulong[] active)
        {
            if (Begins) active[Rule / 64] |= 1UL << Rule;
            else active[Rule / 64] &= ~(1UL << Rule);
        }
    }

    /// <summary>Rows under construction; equal ones are kept once.</summary>
    private sealed class RowSet(int words, int chunks, int budget)
    {
        private readonly List<ulong> _rows = [];
        private readonly Dictionary<ulong, List<(int Start, int Length)>> _byHash = [];
        private readonly ulong[] _row = new ulong[chunks + words];

        /// <summary>Adds a set; its start, or null where the budget is used up.</summary>
        public int? Add(ulong[] set)
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

        private int Pack(ulong[] set)
        {
            Array.Clear(_row, 0, chunks);
            var length = chunks;
            for (var w = 0; w < set.Length; w++)
            {
                if (set[w] == 0) continue;
                _row[w / 64] |= 1UL << w;
                _row[length++] = set[w];
            }
            return length;
        }
    }
}
