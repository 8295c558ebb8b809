using System.Globalization;
using System.Text;

namespace FwCluster.Control.Rulesets;

/// <summary>
/// The difference of two texts as a unified diff. Lines that both have once are the fixed points (patience diff), so it takes n log n steps
/// whatever the texts are; it is always right, and not always the shortest there is.
/// </summary>
public static class LineDifference
{
    private const int Context = 3;

    /// <summary>Compares two texts.</summary>
    /// <param name="name">What they are, for the diff's head.</param>
    /// <param name="before">The old text.</param>
    /// <param name="after">The new text.</param>
    /// <returns>A unified diff; empty where they are equal.</returns>
    public static string Between(string name, string before, string after)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        if (before == after) return "";
        var (old, next) = (Lines(before), Lines(after));
        var edits = new List<Edit>();
        Compare(old, 0, old.Length, next, 0, next.Length, edits);
        var text = new StringBuilder($"--- {name}\n+++ {name}\n");
        WriteHunks(text, edits);
        return text.ToString();
    }

    private static string[] Lines(string text)
    {
        var lines = text.Split('\n');
        return lines is [.., ""] ? lines[..^1] : lines;
    }

    private static void Compare(string[] old, int oldFrom, int oldTo, string[] next, int nextFrom, int nextTo, List<Edit> edits)
    {
        // What both begin and end with is most of it when a few rules of many change, and needs no search.
        for (; oldFrom < oldTo && nextFrom < nextTo && old[oldFrom] == next[nextFrom]; oldFrom++, nextFrom++) edits.Add(new(' ', oldFrom, nextFrom, old[oldFrom]));
        var end = oldTo;
        while (oldFrom < oldTo && nextFrom < nextTo && old[oldTo - 1] == next[nextTo - 1]) (oldTo, nextTo) = (oldTo - 1, nextTo - 1);
        // Without recursion: a text of nothing but fixed points would nest as deep as it is long.
        foreach (var (oldAt, nextAt) in FixedPoints(old, oldFrom, oldTo, next, nextFrom, nextTo).Append((oldTo, nextTo)))
        {
            Gap(old, oldFrom, oldAt, next, nextFrom, nextAt, edits);
            if (oldAt < oldTo || nextAt < nextTo) edits.Add(new(' ', oldAt, nextAt, old[oldAt]));
            (oldFrom, nextFrom) = (oldAt + 1, nextAt + 1);
        }
        for (; oldTo < end; oldTo++, nextTo++) edits.Add(new(' ', oldTo, nextTo, old[oldTo]));
    }

    /// <summary>Between two fixed points: what is equal from the front and from the back stays, the rest goes and comes.</summary>
    private static void Gap(string[] old, int oldFrom, int oldTo, string[] next, int nextFrom, int nextTo, List<Edit> edits)
    {
        for (; oldFrom < oldTo && nextFrom < nextTo && old[oldFrom] == next[nextFrom]; oldFrom++, nextFrom++) edits.Add(new(' ', oldFrom, nextFrom, old[oldFrom]));
        var same = 0;
        while (oldFrom < oldTo - same && nextFrom < nextTo - same && old[oldTo - 1 - same] == next[nextTo - 1 - same]) same++;
        for (var i = oldFrom; i < oldTo - same; i++) edits.Add(new('-', i, nextFrom, old[i]));
        for (var i = nextFrom; i < nextTo - same; i++) edits.Add(new('+', oldTo - same, i, next[i]));
        for (var i = same; i > 0; i--) edits.Add(new(' ', oldTo - i, nextTo - i, old[oldTo - i]));
    }

    /// <summary>Lines that both texts have exactly once, as many as are in the same order in both: the longest increasing sequence.</summary>
    private static List<(int Old, int Next)> FixedPoints(string[] old, int oldFrom, int oldTo, string[] next, int nextFrom, int nextTo)
    {
        var places = new Dictionary<string, (int Old, int OldCount, int Next, int NextCount)>(StringComparer.Ordinal);
        for (var i = oldFrom; i < oldTo; i++) places[old[i]] = (i, places.GetValueOrDefault(old[i]).OldCount + 1, -1, 0);
        for (var i = nextFrom; i < nextTo; i++)
            if (places.TryGetValue(next[i], out var place))
                places[next[i]] = place with { Next = i, NextCount = place.NextCount + 1 };
        var both = places.Values.Where(p => p is { OldCount: 1, NextCount: 1 }).OrderBy(p => p.Old).ToArray();

        var ends = new List<int>(); // of sequences of each length, the one that ends lowest
        var previous = new int[both.Length];
        for (var i = 0; i < both.Length; i++)
        {
            var (low, high) = (0, ends.Count);
            while (low < high)
            {
                var middle = (low + high) / 2;
                if (both[ends[middle]].Next < both[i].Next) low = middle + 1;
                else high = middle;
            }
            previous[i] = low > 0 ? ends[low - 1] : -1;
            if (low == ends.Count) ends.Add(i);
            else ends[low] = i;
        }
        var points = new List<(int, int)>(ends.Count);
        for (var i = ends.Count > 0 ? ends[^1] : -1; i >= 0; i = previous[i]) points.Add((both[i].Old, both[i].Next));
        points.Reverse();
        return points;
    }

    private static void WriteHunks(StringBuilder text, List<Edit> edits)
    {
        for (var i = 0; i < edits.Count;)
        {
            if (edits[i].Sign == ' ')
            {
                i++;
                continue;
            }
            var from = Math.Max(0, i - Context);
            var end = i;
            for (var same = 0; end < edits.Count && same <= 2 * Context; end++) same = edits[end].Sign == ' ' ? same + 1 : 0;
            var to = end;
            while (to > i && edits[to - 1].Sign == ' ') to--;
            to = Math.Min(edits.Count, to + Context);
            WriteHunk(text, edits, from, to);
            i = to;
        }
    }

    private static void WriteHunk(StringBuilder text, List<Edit> edits, int from, int to)
    {
        var (olds, nexts) = (0, 0);
        for (var i = from; i < to; i++)
        {
            if (edits[i].Sign != '+') olds++;
            if (edits[i].Sign != '-') nexts++;
        }
        // Where a side has no line, the line before it is named, as diff -u does.
        text.Append(CultureInfo.InvariantCulture, $"@@ -{edits[from].Old + (olds > 0 ? 1 : 0)},{olds} +{edits[from].Next + (nexts > 0 ? 1 : 0)},{nexts} @@\n");
        for (var i = from; i < to; i++) text.Append(edits[i].Sign).Append(edits[i].Line).Append('\n');
    }

    private readonly record struct Edit(char Sign, int Old, int Next, string Line);
}
