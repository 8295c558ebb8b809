using System.Diagnostics;
using FwCluster.Differential.Comparison;
using FwCluster.Differential.Engines;
using FwCluster.Differential.Generation;
using FwCluster.Referee;

namespace FwCluster.Differential.Tests;

/// <summary>What the kernel does only because time passes, with time passing: short timeouts, and packets seconds apart.</summary>
/// <remarks>
/// Packets go in bursts, 1.5 seconds apart, and timeouts are 1, 2, 4 or 5 seconds: whatever burst a timeout began in, it ends half a
/// second away from every other. Helpers are left out: the kernel forgets the expectation of an expired control connection
/// when its collector comes by, which is at no certain time.
/// </remarks>
public sealed class TimeoutDifferentialTests(ITestOutputHelper output)
{
    private const int Sequences = 400;
    private const int Bursts = 9;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(0.4);

    private static readonly TrackingOptions Options = new()
    {
        TcpMaxRetransmissions = 2,
        Timeouts = new Dictionary<string, int>
        {
            ["tcp_timeout_syn_sent"] = 2,
            ["tcp_timeout_syn_recv"] = 4,
            ["tcp_timeout_established"] = 5,
            ["tcp_timeout_fin_wait"] = 2,
            ["tcp_timeout_close_wait"] = 4,
            ["tcp_timeout_last_ack"] = 1,
            ["tcp_timeout_time_wait"] = 2,
            ["tcp_timeout_close"] = 1,
            ["tcp_timeout_max_retrans"] = 2,
            ["tcp_timeout_unacknowledged"] = 4,
            ["udp_timeout"] = 2,
            ["udp_timeout_stream"] = 4,
            ["icmp_timeout"] = 2,
            ["icmpv6_timeout"] = 4,
            ["generic_timeout"] = 2,
        },
    };

    [KernelFact]
    public void Forgets_as_the_kernel()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        // Burst by burst, what each sequence sends in it.
        var parts = Enumerable.Range(0, Bursts).Select(_ => new List<byte[]>[Sequences]).ToArray();
        for (var i = 0; i < Sequences; i++)
        {
            foreach (var part in parts) part[i] = [];
            var burst = 0;
            foreach (var packet in SequenceGenerator.Generate(random, i, withHelpers: false))
            {
                if (random.Next(4) == 0) burst = Math.Min(burst + random.Next(1, 4), Bursts - 1);
                parts[burst][i].Add(packet);
            }
        }

        using var kernel = new KernelEngine();
        using var engine = new ConntrackEngine();
        var comparer = new SequenceComparer(kernel, engine);
        for (var attempt = 0; attempt < 3; attempt++)
        {
            if (SendInTime(comparer, parts, out var difference))
            {
                Assert.True(difference is null, $"seed {seed}, {difference}");
                return;
            }
            output.WriteLine("too late for a burst: the machine paused; once more");
        }
        Assert.Skip("the machine is too busy for times to mean anything");
    }

    /// <summary>False where a burst took so long that timeouts may have ended within it.</summary>
    private static bool SendInTime(SequenceComparer comparer, List<byte[]>[][] parts, out string? difference)
    {
        difference = null;
        comparer.Reset(Options);
        var watch = Stopwatch.StartNew();
        for (var burst = 0; burst < Bursts; burst++)
        {
            var wait = Pause * burst - watch.Elapsed;
            if (wait > TimeSpan.Zero) Thread.Sleep(wait);
            for (var i = 0; i < Sequences && difference is null; i++)
            {
                if (comparer.Send(Options, parts[burst][i]) is not { } found) continue;
                difference = $"sequence {i}, burst {burst}; bursts before it:\n"
                    + string.Join('\n', Enumerable.Range(0, burst).Select(earlier => $"{earlier}: {PacketText.Of(parts[earlier][i])}"))
                    + $"\n{found.Script()}";
            }
            var tables = comparer.CompareTables();
            if (tables.Count > 0) difference ??= $"after burst {burst}:\n{string.Join('\n', tables.Select(table => table.What))}";
            if (watch.Elapsed - Pause * burst > Margin) return false;
            if (difference is not null) return true;
        }
        return true;
    }
}
