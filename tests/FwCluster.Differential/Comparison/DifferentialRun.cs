using FwCluster.Differential.Engines;
using FwCluster.Differential.Generation;

namespace FwCluster.Differential.Comparison;

/// <summary>
/// Sends generated sequences to two trackers until a number of packets or a time is reached. Sequences come in batches that share
/// settings and tables; their addresses keep them apart, so the tables are read once a batch.
/// </summary>
public sealed class DifferentialRun(ITrackingEngine first, ITrackingEngine second, ulong seed)
{
    private const int SequencesPerBatch = 100;
    private readonly SequenceComparer _comparer = new(first, second);

    /// <summary>Packets sent so far, both trackers counted once.</summary>
    public long Packets { get; private set; }

    /// <summary>Sequences sent so far.</summary>
    public long Sequences { get; private set; }

    /// <summary>How often each state was the answer.</summary>
    public long[] States { get; } = new long[8];

    /// <summary>Differences found so far, minimized.</summary>
    public List<Difference> Differences { get; } = [];

    /// <summary>Differences that did not come again when their sequence was sent from empty tables.</summary>
    public List<string> Fleeting { get; } = [];

    /// <summary>Runs until it is enough, or so many differences were found.</summary>
    public void Run(long packets, TimeSpan time, int differences = 1, Action? progress = null)
    {
        var end = DateTime.UtcNow + time;
        for (var batch = 0; Packets < packets && DateTime.UtcNow < end && Differences.Count < differences; batch++)
        {
            RunBatch(batch, differences);
            progress?.Invoke();
        }
    }

    private void RunBatch(int batch, int limit)
    {
        // A batch depends on the seed and its number alone.
        var random = new Random((int)(seed * 0x9E37_79B9_7F4A_7C15 >> 33) ^ batch * 7919);
        var options = TrackingOptions.Draw(random);
        _comparer.Reset(options);
        var sequences = new List<List<byte[]>>(SequencesPerBatch);
        var differ = new HashSet<int>();
        var said = new Dictionary<int, string>();
        for (var i = 0; i < SequencesPerBatch; i++)
        {
            var packets = SequenceGenerator.Generate(random, batch * SequencesPerBatch + i);
            sequences.Add(packets);
            if (_comparer.Send(options, packets, States) is { } difference)
            {
                differ.Add(i);
                said[i] = difference.Script();
            }
            Packets += packets.Count;
            Sequences++;
        }

        foreach (var (tuple, what) in _comparer.CompareTables())
        {
            // The scene's number is in every address of it.
            var number = tuple.Family == FwCluster.Packets.IpFamily.IPv4 ? (int)(tuple.Source.Low >> 2 & 0x3fffff) : (int)(uint)tuple.Source.High;
            if (tuple.Source == default) number = tuple.Family == FwCluster.Packets.IpFamily.IPv4 ? (int)(tuple.Destination.Low >> 2 & 0x3fffff) : (int)(uint)tuple.Destination.High;
            var index = number - (batch * SequencesPerBatch & 0x3fffff);
            if (index is >= 0 and < SequencesPerBatch) differ.Add(index);
            else Fleeting.Add($"batch {batch}, of no sequence:\n{what}");
            said.TryAdd(index, what);
        }

        foreach (var index in differ.Order())
        {
            if (Differences.Count >= limit) return;
            if (Minimizer.Minimize(_comparer, options, sequences[index]) is { } smallest) Differences.Add(smallest);
            else Fleeting.Add($"batch {batch}, sequence {index}:\n{said[index]}");
        }
    }
}
