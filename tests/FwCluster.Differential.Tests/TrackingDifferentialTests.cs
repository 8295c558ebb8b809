using System.Globalization;
using FwCluster.Differential.Comparison;
using FwCluster.Differential.Engines;
using FwCluster.Referee;

namespace FwCluster.Differential.Tests;

/// <summary>Generated packets through the kernel's connection tracking and the engine's: no difference in states or tables.</summary>
public sealed class TrackingDifferentialTests(ITestOutputHelper output)
{
    /// <summary>Repeats a run: its seed, as a failing test printed it.</summary>
    private const string SeedVariable = "FWCLUSTER_SEED";

    [KernelFact]
    public void Decides_as_the_kernel()
    {
        var given = Environment.GetEnvironmentVariable(SeedVariable);
        var seed = given is null ? (ulong)Random.Shared.NextInt64(1L << 40) : ulong.Parse(given, CultureInfo.InvariantCulture);
        output.WriteLine($"seed {seed}; {SeedVariable}={seed} repeats it");
        using var kernel = new KernelEngine();
        using var engine = new ConntrackEngine();
        var run = new DifferentialRun(kernel, engine, seed);
        run.Run(packets: 2_000_000, TimeSpan.FromSeconds(45));
        output.WriteLine($"{run.Packets} packets, {run.Sequences} sequences");
        foreach (var what in run.Passing) output.WriteLine($"did not come again: {what}");
        Assert.True(run.Agrees,
            $"seed {seed}\n{string.Join('\n', run.Differences.Select(difference => difference.Script()))}{string.Join('\n', run.Unexplained)}");
        // Every state must have been reached, or the run has shown nothing.
        for (var state = TrackedState.None; state <= TrackedState.Untracked; state++)
            Assert.True(run.States[(int)state] > 0, $"no packet was {state}");
    }

    /// <summary>The generator is deterministic and the comparison is fair: the kernel does not differ from itself.</summary>
    [KernelFact]
    public void The_kernel_agrees_with_itself()
    {
        using var one = new KernelEngine();
        using var other = new KernelEngine();
        var run = new DifferentialRun(one, other, seed: 1);
        run.Run(packets: 20_000, TimeSpan.FromSeconds(30));
        Assert.Empty(run.Differences);
        Assert.Empty(run.Unexplained);
    }

    /// <summary>An engine that decides wrongly is found out, and the packets that show it are few.</summary>
    [KernelTheory]
    [InlineData(Mistake.NoLoosePickup)]
    [InlineData(Mistake.NoRstCheck)]
    [InlineData(Mistake.LateRetransmissionTimeout)]
    [InlineData(Mistake.NoChecksums)]
    public void Finds_a_mistake_and_minimizes_it(Mistake mistake)
    {
        using var kernel = new KernelEngine();
        using var engine = new MistakenEngine(mistake);
        var run = new DifferentialRun(kernel, engine, seed: 3);
        run.Run(packets: 500_000, TimeSpan.FromSeconds(60));
        var difference = Assert.Single(run.Differences);
        output.WriteLine(difference.Script());
        Assert.InRange(difference.Packets.Count, 1, 10);
        // Each packet that is left is needed.
        var comparer = new SequenceComparer(kernel, engine);
        for (var left = 0; left < difference.Packets.Count; left++)
        {
            var rest = difference.Packets.Where((_, i) => i != left).ToList();
            Assert.True(rest.Count == 0 || comparer.Replay(difference.Options, rest) is null, $"packet {left + 1} is not needed");
        }
    }

    /// <summary>What <see cref="MistakenEngine"/> does wrong.</summary>
    public enum Mistake
    {
        NoLoosePickup,
        NoRstCheck,
        LateRetransmissionTimeout,
        NoChecksums,
    }

    /// <summary>The engine with a setting that is not what it was told.</summary>
    private sealed class MistakenEngine(Mistake mistake) : ITrackingEngine
    {
        private readonly ConntrackEngine _engine = new();

        public string Name => "mistaken engine";

        public void Reset(TrackingOptions options) => _engine.Reset(Mistaken(options));

        public void Restart(TrackingOptions options) => _engine.Restart(Mistaken(options));

        public TrackedState Send(ReadOnlySpan<byte> packet) => _engine.Send(packet);

        public TrackingSnapshot Snapshot() => _engine.Snapshot();

        public void Dispose() => _engine.Dispose();

        private TrackingOptions Mistaken(TrackingOptions options) => mistake switch
        {
            Mistake.NoLoosePickup => options with { TcpLoose = false },
            Mistake.NoRstCheck => options with { TcpIgnoreInvalidRst = true },
            Mistake.LateRetransmissionTimeout => options with { TcpMaxRetransmissions = (byte)(options.TcpMaxRetransmissions + 1) },
            _ => options with { VerifyChecksums = false },
        };
    }
}
