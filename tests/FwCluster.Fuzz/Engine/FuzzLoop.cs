using System.Diagnostics;
using System.Globalization;

namespace FwCluster.Fuzz.Engine;

/// <summary>
/// What the process with the instrumented assemblies does: runs the seeds, then changed inputs, and keeps each that ran through code
/// as none before, to change it further. Ends with the time, or with the first finding.
/// </summary>
internal sealed class FuzzLoop : IDisposable
{
    /// <summary>The exit code after an exception that escaped a target.</summary>
    public const int FindingExitCode = 98;

    private const int ChangesOfOneInput = 128;
    private static readonly TimeSpan MinimizingTime = TimeSpan.FromSeconds(5);

    private readonly FuzzTarget _target;
    private readonly FuzzFolder _folder;
    private readonly InputRunner _runner;
    private readonly Coverage _coverage;
    private readonly CurrentInput _current;
    private readonly Corpus _corpus;
    private readonly Mutator _mutator;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private long _executions;

    public FuzzLoop(FuzzTarget target, Coverage coverage, FuzzFolder folder, int seed)
    {
        _coverage = coverage;
        _target = target;
        _folder = folder;
        _runner = new InputRunner(target);
        _current = new CurrentInput(folder.CurrentInput, target.MaxInputBytes);
        var random = new Random(seed);
        _corpus = new Corpus(random);
        _mutator = new Mutator(random, [.. target.Dictionary], target.MaxInputBytes);
    }

    /// <summary>Runs for a time.</summary>
    /// <returns>0, or <see cref="FindingExitCode"/>.</returns>
    public int Run(TimeSpan time)
    {
        foreach (var input in _target.Seeds.Concat(_folder.ReadCorpus()))
        {
            // A seed longer than the limit still has a good beginning.
            if (!Try(input.AsSpan(0, Math.Min(input.Length, _target.MaxInputBytes)), out _)) return FindingExitCode;
        }
        var begin = _corpus.Count;
        while (_clock.Elapsed < time)
        {
            var parent = _corpus.Pick();
            for (var change = 0; change < ChangesOfOneInput && _clock.Elapsed < time; change++)
            {
                var input = _mutator.Mutate(parent, _corpus.Pick());
                if (!Try(input, out var isNew)) return FindingExitCode;
                if (isNew) parent = _corpus.Inputs[^1];
            }
        }
        _folder.AddToCorpus(_corpus.Inputs.Skip(begin));
        Report();
        return 0;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _runner.Dispose();
        _current.Dispose();
    }

    private bool Try(ReadOnlySpan<byte> input, out bool isNew)
    {
        _current.Write(input);
        _coverage.Begin();
        var problem = _runner.Run(input);
        _executions++;
        isNew = problem is null && _coverage.AddsAnything();
        if (isNew) _corpus.Add(input);
        if (problem is null) return true;
        Report();
        var smallest = Minimize(input, problem, out problem);
        _current.Write(smallest);
        Console.Error.WriteLine(problem);
        return false;
    }

    /// <summary>Leaves out what the same exception, from the same place, does not need.</summary>
    private byte[] Minimize(ReadOnlySpan<byte> input, Exception problem, out Exception smallestProblem)
    {
        var clock = Stopwatch.StartNew();
        var smallest = input.ToArray();
        smallestProblem = problem;
        var place = Place(problem);
        for (var piece = smallest.Length / 2; piece > 0; piece /= 2)
        {
            for (var start = 0; start + piece <= smallest.Length && clock.Elapsed < MinimizingTime;)
            {
                byte[] shorter = [.. smallest.AsSpan(0, start), .. smallest.AsSpan(start + piece)];
                _current.Write(shorter);
                if (_runner.Run(shorter) is { } again && Place(again) == place)
                {
                    smallest = shorter;
                    smallestProblem = again;
                }
                else
                {
                    start += piece;
                }
            }
        }
        return smallest;
    }

    private static string Place(Exception exception)
        => exception.GetType().Name + exception.StackTrace?.Split('\n', 2)[0].Split(" in ", 2)[0];

    private void Report() => Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{_executions} {_coverage.Edges} {_corpus.Count} {_clock.Elapsed.TotalSeconds:F1}"));
}
