using FwCluster.Differential.Engines;

namespace FwCluster.Differential.Comparison;

/// <summary>Drops packets from a sequence while a difference stays (delta debugging), until each one left is needed.</summary>
public static class Minimizer
{
    /// <summary>The smallest sequence found; null where the difference does not come again from empty tables.</summary>
    public static Difference? Minimize(SequenceComparer comparer, TrackingOptions options, IReadOnlyList<byte[]> packets)
    {
        ArgumentNullException.ThrowIfNull(comparer);
        var best = comparer.Replay(options, packets);
        if (best is null) return null;
        for (var size = Math.Max(1, best.Packets.Count / 2); ; size = Math.Max(1, size / 2))
        {
            var shrunk = false;
            // From the end: what came last most often matters, what came before it often does not.
            for (var start = best.Packets.Count - size; start > -size; start -= size)
            {
                var from = Math.Max(0, start);
                var rest = best.Packets.Where((_, i) => i < from || i >= start + size).ToList();
                if (rest.Count == 0 || comparer.Replay(options, rest) is not { } smaller) continue;
                best = smaller;
                shrunk = true;
                start = Math.Min(start, best.Packets.Count);
            }
            if (size == 1 && !shrunk) break;
        }

        // Default settings are easier to read, where they show it too.
        var plain = new TrackingOptions { Timeouts = options.Timeouts };
        return comparer.Replay(plain, best.Packets) ?? best;
    }
}
