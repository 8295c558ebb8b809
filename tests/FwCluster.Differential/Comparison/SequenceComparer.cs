using FwCluster.Differential.Engines;
using FwCluster.Packets;
using FwCluster.Referee;

namespace FwCluster.Differential.Comparison;

/// <summary>Sends packets to two trackers in step and finds where they differ.</summary>
/// <param name="first">One tracker.</param>
/// <param name="second">The other.</param>
/// <param name="known">Tells differences that are meant to be; null where none are.</param>
public sealed class SequenceComparer(ITrackingEngine first, ITrackingEngine second, IKnownDifferences? known = null)
{
    /// <summary>Resets both to empty tables.</summary>
    public void Reset(TrackingOptions options)
    {
        first.Reset(options);
        second.Reset(options);
    }

    /// <summary>Sends the packets; null where the states were the same throughout, else what happened up to the difference.</summary>
    public Difference? Send(TrackingOptions options, IReadOnlyList<byte[]> packets, long[]? counts = null)
        => Send(options, packets, counts, out _);

    private Difference? Send(TrackingOptions options, IReadOnlyList<byte[]> packets, long[]? counts,
        out List<(TrackedState First, TrackedState Second)> states)
    {
        ArgumentNullException.ThrowIfNull(packets);
        states = new List<(TrackedState First, TrackedState Second)>(packets.Count);
        foreach (var packet in packets)
        {
            var one = first.Send(packet);
            var two = second.Send(packet);
            states.Add((one, two));
            if (counts is not null) counts[(int)one]++;
            if (one != two && known?.Name(one, two) is null)
            {
                return new Difference(options, [.. packets.Take(states.Count)],
                    $"packet {states.Count}: {first.Name} says {Name(one)}, {second.Name} says {Name(two)}")
                { States = Names(states) };
            }
        }
        return null;
    }

    /// <summary>Differences of the tables, each with a tuple that it concerns.</summary>
    public List<(FlowTuple Tuple, string What)> CompareTables()
    {
        var one = first.Snapshot();
        var two = second.Snapshot();
        var differences = new List<(FlowTuple, string)>();
        Compare(one.Connections, two.Connections, connection => connection.Original, (a, b) => a.SameAs(b) || known?.Name(a, b) is not null, differences);
        Compare(one.Expectations, two.Expectations, expectation => expectation.Tuple, (a, b) => a.SameAs(b), differences);
        return differences;
    }

    /// <summary>From nothing: sends the packets, then compares the tables. Null where all is the same.</summary>
    public Difference? Replay(TrackingOptions options, IReadOnlyList<byte[]> packets)
    {
        if (packets.Any(IsFragment))
        {
            // Only a restart forgets held fragments.
            first.Restart(options);
            second.Restart(options);
            }
        else
        {
            Reset(options);
        }

        if (Send(options, packets, counts: null, out var states) is { } difference) return difference;
        var tables = CompareTables();
        if (tables.Count == 0) return null;
        return new Difference(options, packets, string.Join('\n', tables.Select(table => table.What))) { States = Names(states) };
    }

    private void Compare<T>(IReadOnlyList<T> one, IReadOnlyList<T> two, Func<T, FlowTuple> key, Func<T, T, bool> same,
        List<(FlowTuple Tuple, string What)> differences)
        where T : class
    {
        var left = one.ToLookup(key);
        var right = two.ToLookup(key);
        foreach (var tuple in left.Select(group => group.Key).Union(right.Select(group => group.Key)))
        {
            var a = left[tuple].ToList();
            var b = right[tuple].ToList();
            if (a.Count == 1 && b.Count == 1 && same(a[0], b[0])) continue;
            if (a.Count == b.Count && a.All(x => b.Any(y => same(x, y)))) continue;
            if (known?.IsApart(tuple) == true) continue;
            differences.Add((tuple, $"{first.Name} has  {Join(a)}\n{second.Name} has  {Join(b)}"));
        }
    }

    private static string Join<T>(List<T> items) => items.Count == 0 ? "nothing" : string.Join(" and ", items);

    private static bool IsFragment(byte[] packet)
        => packet.Length >= 20 && (packet[0] >> 4 == 4 ? (packet[6] & 0x3f | packet[7]) != 0 : packet.Length >= 40 && packet[6] is 44 or 0 or 43 or 60);

    private static List<(string, string)> Names(List<(TrackedState First, TrackedState Second)> states)
        => [.. states.Select(pair => (Name(pair.First), Name(pair.Second)))];

    private static string Name(TrackedState state) => state == TrackedState.None ? "-" : state.ToString().ToUpperInvariant();
}
