using System.Globalization;
using FwCluster.Differential.Comparison;
using FwCluster.Differential.Engines;
using FwCluster.Referee;

namespace FwCluster.Differential.Tests;

/// <summary>Generated packets dealt to three workers, whose connections are in four shards: states and tables are those of one kernel that saw them all.</summary>
public sealed class DealtDifferentialTests(ITestOutputHelper output)
{
    private const string SeedVariable = "FWCLUSTER_SEED";

    [KernelTheory]
    [InlineData(Dealing.InTurn)]
    [InlineData(Dealing.AtRandom)]
    [InlineData(Dealing.ByDirection)]
    [InlineData(Dealing.ByConnection)]
    [InlineData(Dealing.AtRandomWhileShardsMove)]
    public void Decides_as_one_kernel(Dealing dealing)
    {
        var given = Environment.GetEnvironmentVariable(SeedVariable);
        var seed = given is null ? (ulong)Random.Shared.NextInt64(1L << 40) : ulong.Parse(given, CultureInfo.InvariantCulture);
        output.WriteLine($"seed {seed}; {SeedVariable}={seed} repeats it");
        using var kernel = new KernelEngine();
        using var engine = new DealtEngine(dealing);
        var run = new DifferentialRun(kernel, engine, seed);
        run.Run(packets: 1_000_000, TimeSpan.FromSeconds(8));
        output.WriteLine($"{run.Packets} packets, {run.Sequences} sequences");
        Assert.True(run.Agrees,
            $"seed {seed}\n{string.Join('\n', run.Differences.Select(difference => difference.Script()))}{string.Join('\n', run.Unexplained)}");
        Assert.True(run.States[(int)TrackedState.Related] > 0, "no packet was RELATED");
    }
}
