namespace FwCluster.Node.Metrics;

/// <summary>
/// The sum of counters whose owners come and go, as shards do. What one had counted when it was last seen stays in the sum, so that the sum never
/// falls: a fall would be taken for a restart.
/// </summary>
/// <param name="width">Counters of each owner.</param>
internal sealed class GrowingSum(int width)
{
    private readonly ulong[] _gone = new ulong[width];
    private Dictionary<int, ulong[]> _seen = [];

    /// <summary>Takes what the owners say now, by number; those that are not among them are gone, and one that counts from 0 began anew.</summary>
    /// <returns>The sum.</returns>
    public ulong[] Take(IEnumerable<KeyValuePair<int, ulong[]>> owners)
    {
        var now = new Dictionary<int, ulong[]>(owners);
        foreach (var (owner, before) in _seen)
        {
            if (now.TryGetValue(owner, out var row) && !HasFallen(before, row)) continue;
            for (var i = 0; i < width; i++) _gone[i] += before[i];
        }
        _seen = now;
        var sum = (ulong[])_gone.Clone();
        foreach (var row in now.Values)
            for (var i = 0; i < width; i++)
                sum[i] += row[i];
        return sum;
    }

    private static bool HasFallen(ulong[] before, ulong[] now)
    {
        for (var i = 0; i < before.Length; i++)
            if (now[i] < before[i])
                return true;
        return false;
    }
}
