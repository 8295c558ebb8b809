using System.Globalization;
using FwCluster.Differential.Comparison;
using FwCluster.Differential.Engines;
using FwCluster.Referee;

namespace FwCluster.Differential.Tests;

/// <summary>Workers that share connections: what differs from one kernel that sees all their packets is what docs/clustering.md names, and nothing else.</summary>
public sealed class SharingDifferentialTests(ITestOutputHelper output)
{
    private const string SeedVariable = "FWCLUSTER_SEED";

    [KernelTheory]
    [InlineData(Dealing.InTurn)]
    [InlineData(Dealing.AtRandom)]
    [InlineData(Dealing.ByDirection)]
    public void Differs_from_one_kernel_as_documented(Dealing dealing)
    {
        var given = Environment.GetEnvironmentVariable(SeedVariable);
        var seed = given is null ? (ulong)Random.Shared.NextInt64(1L << 40) : ulong.Parse(given, CultureInfo.InvariantCulture);
        output.WriteLine($"seed {seed}; {SeedVariable}={seed} repeats it");
        using var kernel = new KernelEngine();
        using var engine = new DealtEngine(dealing, shares: true);
        var known = new SharingDifferences(engine);
        var run = new DifferentialRun(kernel, engine, seed, known);
        run.Run(packets: 1_000_000, TimeSpan.FromSeconds(8));
        output.WriteLine($"{run.Packets} packets, {run.Sequences} sequences: {string.Join(", ", known.Times)}");
        Assert.True(run.Agrees,
            $"seed {seed}\n{string.Join('\n', run.Differences.Select(difference => difference.Script()))}{string.Join('\n', run.Unexplained)}");
        Assert.True(known.Times.GetValueOrDefault(SharingDifferences.Window) > 0, "nothing was shared that a window would have stopped");
    }

    [KernelTheory]
    [InlineData(Dealing.InTurn)]
    [InlineData(Dealing.ByConnection)]
    public void What_is_not_shared_does_not_differ(Dealing dealing)
    {
        using var kernel = new KernelEngine();
        using var engine = new DealtEngine(dealing, shares: dealing == Dealing.ByConnection);
        var known = new SharingDifferences(engine);
        var run = new DifferentialRun(kernel, engine, seed: 4, known);
        run.Run(packets: 10_000, TimeSpan.FromSeconds(20));
        Assert.True(run.Agrees, string.Join('\n', run.Differences.Select(difference => difference.Script())));
        Assert.Empty(known.Times);
    }
}
