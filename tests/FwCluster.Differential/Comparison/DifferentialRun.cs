using FwCluster.Differential.Engines;
using FwCluster.Differential.Generation;

namespace FwCluster.Differential.Comparison;

/// <summary>
/// Sends generated sequences to two trackers until a number of packets or a time is reached. Sequences come in batches that share
/// settings and tables; their addresses keep them apart, so the tables are read once a batch.
/// </summary>
public sealed class DifferentialRun(ITrackingEngine first, ITrackingEngine second, ulong seed, IKnownDifferences? known = null)
{
    private const int SequencesPerBatch = 100;
    private readonly SequenceComparer _comparer = new(first, second, known);

    /// <summary>Packets sent so far, both trackers counted once.</summary>
    public long Packets { get; private set; }

    /// <summary>Sequences sent so far.</summary>
    public long Sequences { get; private set; }

    /// <summary>How often each state was the answer.</summary>
    public long[] States { get; } = new long[8];

    /// <summary>Differences found so far, minimized.</summary>
    public List<Difference> Differences { get; } = [];

    /// <summary>Differences that came again with their batch, but not when their sequence was sent alone.</summary>
    public List<string> Unexplained { get; } = [];

    /// <summary>Differences that did not come again at all: a pause of the machine between the two trackers' turns does that.</summary>
    public List<string> Passing { get; } = [];

    /// <summary>True while nothing was found that counts.</summary>
    public bool Agrees => Differences.Count + Unexplained.Count == 0;

    /// <summary>Runs until it is enough, or so many differences were found.</summary>
    public void Run(long packets, TimeSpan time, int differences = 1, Action? progress = null)
    {
        var end = DateTime.UtcNow + time;
        for (var number = 0; Packets < packets && DateTime.UtcNow < end && Differences.Count + Unexplained.Count < differences; number++)
        {
            var batch = new Batch(seed, number);
            var found = Send(batch, States);
            Packets += batch.Sequences.Sum(sequence => sequence.Count);
            Sequences += batch.Sequences.Count;
            Explain(batch, found, differences);
            progress?.Invoke();
        }
    }

    /// <summary>Sends a batch; what differs, by the sequence it concerns (-1: by none).</summary>
    private SortedDictionary<int, string> Send(Batch batch, long[]? counts)
    {
        var found = new SortedDictionary<int, string>();
        _comparer.Reset(batch.Options);
        for (var i = 0; i < batch.Sequences.Count; i++)
        {
            if (_comparer.Send(batch.Options, batch.Sequences[i], counts) is { } difference) found[i] = difference.Script();
        }
        foreach (var (tuple, what) in _comparer.CompareTables())
        {
            // An expectation may leave the source open.
            var scene = Scene.NumberOf(tuple.Family, tuple.Source == default ? tuple.Destination : tuple.Source);
            found.TryAdd(batch.IndexOf(scene), what);
        }
        return found;
    }

    private void Explain(Batch batch, SortedDictionary<int, string> found, int limit)
    {
        SortedDictionary<int, string>? again = null;
        foreach (var (index, what) in found)
        {
            if (Differences.Count + Unexplained.Count >= limit) return;
            if (index >= 0 && Minimizer.Minimize(_comparer, batch.Options, batch.Sequences[index]) is { } smallest)
            {
                Differences.Add(smallest);
                continue;
            }
            if (again is null)
            {
                first.Restart(batch.Options);
                second.Restart(batch.Options);
                again = Send(batch, counts: null);
            }
            (again.ContainsKey(index) ? Unexplained : Passing).Add($"batch {batch.Number}, sequence {index}:\n{what}");
        }
    }

    /// <summary>Sequences with common settings; made from the seed and the batch's number alone.</summary>
    private sealed class Batch
    {
        public Batch(ulong seed, int number)
        {
            Number = number;
            var random = new Random((int)(seed * 0x9E37_79B9_7F4A_7C15 >> 33) ^ number * 7919);
            Options = TrackingOptions.Draw(random);
            for (var i = 0; i < SequencesPerBatch; i++) Sequences.Add(SequenceGenerator.Generate(random, FirstScene + i));
        }

        public int Number { get; }

        public TrackingOptions Options { get; }

        public List<List<byte[]>> Sequences { get; } = [];

        private int FirstScene => Number * SequencesPerBatch % (Scene.Numbers - SequencesPerBatch);

        public int IndexOf(int scene)
            => scene - FirstScene is var index and >= 0 and < SequencesPerBatch ? index : -1;
    }
}
