using System.Numerics;
using System.Runtime.CompilerServices;

namespace FwCluster.Rules.Evaluation.Classification;

/// <summary>
/// Tells which rules of a chain a packet could match, in order, without looking at the others: aggregated bit vectors (Baboescu and
/// Varghese, 2001). It is a filter alone: what it lets through is then matched in full, so it may let through too much, never too
/// little. Immutable.
/// </summary>
internal sealed class ChainClassifier
{
    /// <summary>Fewer rules than these are walked as quickly.</summary>
    public const int WorthwhileRules = 16;

    // Fields, at most eight (PacketField).
    private readonly Dimension[] _dimensions;
    private readonly int _chunks;

    // Anchors: fields of which each rule restricts at least one, but for the rules of _alwaysSummary's words. A candidate is in an anchor's
    // row or in such a word, so that only those words are looked at.
    private readonly bool[] _isAnchor;
    private readonly ulong[] _alwaysSummary;

    private ChainClassifier(Dimension[] dimensions, bool[] isAnchor, int chunks, ulong[] alwaysSummary)
    {
        _dimensions = dimensions;
        _isAnchor = isAnchor;
        _chunks = chunks;
        _alwaysSummary = alwaysSummary;
    }

    /// <summary>A classifier for a chain, or null where none would help.</summary>
    /// <param name="rules">What each rule demands, in order.</param>
    public static ChainClassifier? Build(IReadOnlyList<RuleConstraints> rules)
    {
        if (rules.Count < WorthwhileRules) return null;
        var dimensions = Enum.GetValues<PacketField>()
            .Select(field => DimensionBuilder.Build(field, rules))
            .OfType<Dimension>()
            .ToArray();
        if (dimensions.Length == 0) return null;
        var words = (rules.Count + 63) / 64;
        var always = new ulong[words];
        Array.Fill(always, ulong.MaxValue);
        var isAnchor = ChooseAnchors(dimensions, always);
        var chunks = (words + 63) / 64;
        return new ChainClassifier(dimensions, isAnchor, chunks, DimensionBuilder.Summary(always, chunks));
    }

    /// <summary>Of the fields in order of their rows' length, takes as many as leave the fewest words to be looked at: those rows' own,
    /// and those in which some rule leaves all of these fields free (<paramref name="always"/>).</summary>
    private static bool[] ChooseAnchors(Dimension[] dimensions, ulong[] always)
    {
        var order = Enumerable.Range(0, dimensions.Length).OrderBy(d => dimensions[d].MeanRowWords).ToArray();
        var (best, taken, rows) = ((double)always.Length, 0, 0.0);
        var left = always.ToArray();
        for (var i = 0; i < order.Length; i++)
        {
            rows += dimensions[order[i]].MeanRowWords;
            for (var w = 0; w < left.Length; w++) left[w] &= dimensions[order[i]].Free[w];
            var cost = rows + left.Count(w => w != 0);
            if (cost >= best) continue;
            (best, taken) = (cost, i + 1);
            left.CopyTo(always, 0);
        }
        var isAnchor = new bool[dimensions.Length];
        foreach (var d in order.Take(taken)) isAnchor[d] = true;
        return isAnchor;
    }

    /// <summary>Candidates of one packet, from rule <paramref name="from"/> (its index) on.</summary>
    public void Start(ref readonly PacketContext packet, int from, out Candidates candidates)
    {
        Unsafe.SkipInit(out candidates);
        var chunk = from / 4096;
        candidates.Chunk = chunk - 1;
        candidates.Started = false;
        candidates.Words = 0;
        candidates.Rules = 0;
        for (var d = 0; d < _dimensions.Length; d++)
        {
            var dimension = _dimensions[d];
            var row = dimension.RowOf(in packet);
            candidates.Row[d] = row;
            var packed = row + _chunks;
            for (var c = 0; c < chunk; c++) packed += BitOperations.PopCount(dimension.Rows[row + c]);
            candidates.Packed[d] = packed;
        }
        if (from == 0) return;
        if (!NextChunk(ref candidates)) return;
        var word = from / 64;
        candidates.Words &= ulong.MaxValue << word;
        if ((candidates.Words & 1UL << word) == 0) return;
        candidates.Words &= ~(1UL << word);
        candidates.Word = word;
        candidates.Rules = RulesOf(ref candidates, word) & ulong.MaxValue << from;
    }

    /// <summary>The index of the next candidate, or -1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Next(ref Candidates candidates)
    {
        while (candidates.Rules == 0)
        {
            if (!NextWord(ref candidates)) return -1;
        }
        var rule = candidates.Word * 64 + BitOperations.TrailingZeroCount(candidates.Rules);
        candidates.Rules &= candidates.Rules - 1;
        return rule;
    }

    private bool NextWord(ref Candidates candidates)
    {
        while (candidates.Words == 0)
        {
            if (!NextChunk(ref candidates)) return false;
        }
        candidates.Word = candidates.Chunk * 64 + BitOperations.TrailingZeroCount(candidates.Words);
        candidates.Words &= candidates.Words - 1;
        candidates.Rules = RulesOf(ref candidates, candidates.Word);
        return true;
    }

    /// <summary>Goes to the next 4096 rules: the words there in which every field has a rule left.</summary>
    private bool NextChunk(ref Candidates candidates)
    {
        var chunk = candidates.Chunk + 1;
        if (chunk >= _chunks) return false;
        // The first chunk has its packed words where Start said; each further one behind the words of the one before.
        var started = candidates.Started;
        var every = ulong.MaxValue;
        var some = _alwaysSummary[chunk];
        for (var d = 0; d < _dimensions.Length; d++)
        {
            var dimension = _dimensions[d];
            var row = candidates.Row[d];
            if (started) candidates.Packed[d] += BitOperations.PopCount(dimension.Rows[row + chunk - 1]);
            var summary = dimension.Rows[row + chunk];
            if (_isAnchor[d]) some |= summary;
            every &= summary | dimension.FreeSummary[chunk];
        }
        candidates.Started = true;
        candidates.Chunk = chunk;
        candidates.Words = every & some;
        return true;
    }

    /// <summary>The rules of one word that every field allows.</summary>
    private ulong RulesOf(ref Candidates candidates, int word)
    {
        var rules = ulong.MaxValue;
        for (var d = 0; d < _dimensions.Length; d++)
        {
            var dimension = _dimensions[d];
            var allowed = dimension.Free[word];
            var summary = dimension.Rows[candidates.Row[d] + candidates.Chunk];
            if ((summary >> word & 1) != 0)
                allowed |= dimension.Rows[candidates.Packed[d] + BitOperations.PopCount(summary & (1UL << word) - 1)];
            rules &= allowed;
        }
        return rules;
    }
}

/// <summary>How far a walk over the candidates of one packet has come.</summary>
internal struct Candidates
{
    /// <summary>The 4096 rules at hand.</summary>
    public int Chunk;

    /// <summary>The first chunk was entered.</summary>
    public bool Started;

    /// <summary>Words of the chunk still to be looked at.</summary>
    public ulong Words;

    /// <summary>The word at hand.</summary>
    public int Word;

    /// <summary>Candidates left in the word.</summary>
    public ulong Rules;

    /// <summary>For each field, where its row begins.</summary>
    public PerField Row;

    /// <summary>For each field, where the row's words of the chunk begin.</summary>
    public PerField Packed;

    /// <summary>One number for each field.</summary>
    [InlineArray((int)PacketField.State + 1)]
    public struct PerField
    {
        private int _first;
    }
}
