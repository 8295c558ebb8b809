using System.Diagnostics;
using Spectre.Console;

namespace FwCluster.Benchmarks;

/// <summary>The engine beside its peers, in turn and in one run: what counts is the ratio.</summary>
public static class Comparison
{
    private const int Rounds = 5;

    /// <summary>Measures and prints the table.</summary>
    public static void Run()
    {
        const int connections = 10_000;
        var established = Traffic.Established(connections, 20);
        var handshakes = Traffic.Handshakes(connections);
        var shortOnes = Traffic.Short(50_000, 1_000);
        var engine = new Engine(RuleTexts.Exercise(gateway: false));
        using var bare = new KernelPeer(null);
        using var kernel = new KernelPeer(RuleTexts.Exercise(gateway: true));
        Require.All(engine.Run(handshakes), handshakes.Count);
        kernel.Run(handshakes);
        for (var i = 0; i < 50; i++) engine.Run(established); // compiled for speed by then

        var ours = new List<double>();
        var theirs = new List<double>();
        var oursShort = new List<double>();
        var theirsShort = new List<double>();
        var openVSwitch = new List<double>();
        for (var round = 0; round < Rounds; round++)
        {
            ours.Add(Timed(() => { for (var i = 0; i < 50; i++) engine.Run(established); }) / (50 * established.Count));
            theirs.Add(KernelCost(kernel, bare, established, 10));
            oursShort.Add(Timed(() => engine.Run(shortOnes)) / shortOnes.Count);
            theirsShort.Add(KernelCost(kernel, bare, shortOnes, 1));
            if (OpenVSwitchPeer.Program is not null) openVSwitch.Add(OpenVSwitchPeer.Run());
        }
        if (kernel.Counted() < handshakes.Count + Rounds * 10L * established.Count)
            throw new InvalidOperationException("the kernel's rules did not see the packets");

        var table = new Table().AddColumns("one core", "FwCluster", "peer", "ratio");
        Row("established TCP, 10,000 connections: kernel conntrack and rules", ours, theirs);
        Row("whole short connections, 8 packets: kernel conntrack and rules", oursShort, theirsShort);
        if (openVSwitch.Count > 0) Row("established: Open vSwitch userspace conntrack (UDP, tracking alone)", ours, openVSwitch);
        AnsiConsole.Write(table);
        if (openVSwitch.Count == 0) AnsiConsole.WriteLine("Open vSwitch: not measured; set OVSTEST to its tests/ovstest to do so.");
        AnsiConsole.WriteLine("Millions of packets a second, median of rounds taken in turn. The kernel's figure is what its conntrack and "
            + "rules add to forwarding; a packet of ours is decoded, tracked and run through the rules.");

        void Row(string what, List<double> our, List<double> peer)
        {
            var ratios = our.Zip(peer, (a, b) => b / a).Order().ToList();
            table.AddRow(what, $"{1e-6 / Median(our):f1}", $"{1e-6 / Median(peer):f2}", $"{ratios[0]:f1} .. {ratios[ratios.Count / 2]:f1} .. {ratios[^1]:f1}x");
        }
    }

    private static double KernelCost(KernelPeer kernel, KernelPeer bare, Traffic traffic, int times)
    {
        double with = 0, without = 0;
        for (var i = 0; i < times; i++)
        {
            with += kernel.Run(traffic) / times;
            without += bare.Run(traffic) / times;
        }
        return with - without;
    }

    private static double Timed(Action action)
    {
        var watch = Stopwatch.StartNew();
        action();
        return watch.Elapsed.TotalSeconds;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
