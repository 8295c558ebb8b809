using System.Diagnostics;
using System.Globalization;
using FwCluster.Differential.Comparison;
using FwCluster.Differential.Engines;
using FwCluster.Referee;

const string usage = """
    Sends generated packets through the running kernel's connection tracking and through FwCluster's, and compares
    states packet by packet and the tables after each sequence. Needs root.

      --packets N       how many packets (default 1000000)
      --seed S          repeats a run (default: a fresh one, printed)
      --differences N   stop after so many differences (default 1)
      --dealt HOW       three workers and four shards, packets dealt InTurn, AtRandom, ByDirection, ByConnection
                        or AtRandomWhileShardsMove
      --shares          with --dealt: connections that several workers meet are shared among them, liberal about windows;
                        the differences that come of it by design are counted
      --self            kernel against a second kernel: checks the comparison itself

    Exit status: 0 no difference, 1 differences (printed, minimized), 2 cannot run.
    """;

long packets = 1_000_000;
var differences = 1;
var seed = (ulong)Random.Shared.NextInt64(1L << 40);
var self = false;
var shares = false;
Dealing? dealing = null;
for (var i = 0; i < args.Length; i++)
{
    switch (args[i])
    {
        case "--packets" when i + 1 < args.Length && long.TryParse(args[i + 1], CultureInfo.InvariantCulture, out packets):
        case "--seed" when i + 1 < args.Length && ulong.TryParse(args[i + 1], CultureInfo.InvariantCulture, out seed):
        case "--differences" when i + 1 < args.Length && int.TryParse(args[i + 1], CultureInfo.InvariantCulture, out differences):
            i++;
            break;
        case "--dealt" when i + 1 < args.Length && Enum.TryParse<Dealing>(args[i + 1], out var how):
            dealing = how;
            i++;
            break;
        case "--shares":
            shares = true;
            break;
        case "--self":
            self = true;
            break;
        default:
            Console.Error.WriteLine(usage);
            return args[i] is "--help" or "-h" ? 0 : 2;
    }
}
if (KernelSupport.WhyNot is { } reason)
{
    Console.Error.WriteLine("cannot run: " + reason);
    return 2;
}

Console.WriteLine($"seed {seed}");
using ITrackingEngine kernel = new KernelEngine();
using ITrackingEngine engine = self ? new KernelEngine() : dealing is { } dealt ? new DealtEngine(dealt, shares: shares) : new ConntrackEngine();
var known = shares && engine is DealtEngine shared ? new SharingDifferences(shared) : null;
var run = new DifferentialRun(kernel, engine, seed, known);
var watch = Stopwatch.StartNew();
var shown = TimeSpan.Zero;
run.Run(packets, TimeSpan.MaxValue / 4, differences, () =>
{
    if (watch.Elapsed - shown < TimeSpan.FromSeconds(Console.IsOutputRedirected ? 10 : 0.5)) return;
    shown = watch.Elapsed;
    Progress(Console.IsOutputRedirected ? '\n' : '\r');
});
Progress('\n');
foreach (var difference in run.Differences) Console.WriteLine("\n" + difference.Script());
Console.WriteLine(string.Join(", ", Enumerable.Range(0, 6).Select(i => $"{(TrackedState)i} {run.States[i]:N0}")));
foreach (var (name, times) in known?.Times ?? []) Console.WriteLine($"{times,9:N0} x {name}");
foreach (var what in run.Unexplained) Console.WriteLine("\ndoes not come again when its sequence is sent alone: " + what);
if (run.Passing.Count > 0) Console.WriteLine($"{run.Passing.Count} differences did not come again: the machine paused");
Console.WriteLine(run.Agrees ? "no difference" : $"{run.Differences.Count + run.Unexplained.Count} differences; repeat with --seed {seed}");
return run.Agrees ? 0 : 1;

void Progress(char end) => Console.Write(string.Create(CultureInfo.InvariantCulture,
    $"{run.Packets:N0} of {packets:N0} packets, {run.Sequences:N0} sequences, {run.Packets / watch.Elapsed.TotalSeconds:N0} packets/s, "
    + $"{run.Differences.Count} differences {end}"));
