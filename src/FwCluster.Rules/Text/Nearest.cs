namespace FwCluster.Rules.Text;

/// <summary>Finds what somebody who mistyped a name most likely meant.</summary>
public static class Nearest
{
    /// <summary>The candidate nearest to <paramref name="name"/>, or null where none is near: at most a third of its characters may differ, or be
    /// swapped with their neighbour.</summary>
    public static string? To(string name, IEnumerable<string> candidates)
    {
        string? best = null;
        var bestDistance = Math.Max(1, name.Length / 3) + 1;
        foreach (var candidate in candidates)
        {
            var distance = Distance(name, candidate);
            if (distance >= bestDistance) continue;
            (best, bestDistance) = (candidate, distance);
        }
        return best;
    }

    /// <summary>"did you mean X?" or null.</summary>
    public static string? Hint(string name, IEnumerable<string> candidates, string before = "")
        => To(name, candidates) is { } nearest ? $"did you mean \"{before}{nearest}\"?" : null;

    // Optimal string alignment; case does not count fully, so that "input" finds INPUT.
    private static int Distance(string a, string b)
    {
        if (string.Equals(a, b, StringComparison.OrdinalIgnoreCase)) return 0;
        if (a.Length > 64 || b.Length > 64) return int.MaxValue;
        var rows = new int[3][];
        for (var r = 0; r < 3; r++) rows[r] = new int[b.Length + 1];
        for (var j = 0; j <= b.Length; j++) rows[1][j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            var (before, last, current) = (rows[0], rows[1], rows[2]);
            current[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var same = char.ToUpperInvariant(a[i - 1]) == char.ToUpperInvariant(b[j - 1]);
                current[j] = Math.Min(Math.Min(last[j] + 1, current[j - 1] + 1), last[j - 1] + (same ? 0 : 1));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) current[j] = Math.Min(current[j], before[j - 2] + 1);
            }
            rows = [last, current, before];
        }
        return rows[1][b.Length];
    }
}
