using FwCluster.Capture.Files;
using FwCluster.Cli.Output;
using FwCluster.Conntrack;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;

namespace FwCluster.Cli.Replay;

/// <summary><c>fwctl replay</c> from its options to its exit code.</summary>
internal static class ReplayRun
{
    /// <summary>Runs it.</summary>
    /// <param name="options">What was asked for.</param>
    /// <param name="output">Where results go.</param>
    /// <param name="error">Where messages go.</param>
    /// <exception cref="FwctlException">It cannot begin.</exception>
    public static int Run(ReplayOptions options, TextWriter output, TextWriter error)
    {
        if (new[] { options.Capture, options.Rules, options.Rules6, options.Sets }.Count(path => path == "-") > 1)
            throw new FwctlException("only one of the capture, the rules and the sets can come from the standard input");
        var (rules, rules6) = RuleFiles.ReadBoth(options.Rules, options.Rules6, options.Sets, error);
        using var reader = Open(options.Capture);
        using var replayer = new Replayer(options, reader, Compile(rules, IpFamily.IPv4), Compile(rules6, IpFamily.IPv6));
        using var interruption = new Interruption();

        var json = new JsonReport(output, replayer, options);
        IPacketPrinter? lines = !options.Packets ? null : options.Json ? json : new TextPacketPrinter(output);
        ReplayProgress.Run(reader.Length, isOutputQuiet: lines is null, progress => replayer.Run(lines, progress, interruption));

        var seen = replayer.Worker.Statistics;
        var showIPv6 = rules6 is not null || seen.IPv6 > 0;
        var showIPv4 = rules is not null || seen.IPv4 > 0 || !showIPv6;
        Report(options.Json ? json : new TextReport(output, replayer, options, showIPv4, showIPv6), replayer, options);
        output.Flush();
        return Messages(replayer, options, error);
    }

    private static void Report(IReport report, Replayer replayer, ReplayOptions options)
    {
        var (table, now) = (replayer.Worker.Connections, replayer.Worker.Now);
        if (options.ListsChains) report.Chains();
        if (options.Connections)
        {
            var living = table.Connections(now).ToList();
            var references = new Dictionary<int, int>();
            foreach (var index in living)
            {
                ref var connection = ref table[index];
                if ((connection.Status & ConnectionStatus.Expected) == 0 || connection.Master < 0) continue;
                if (table[connection.Master].Generation != connection.MasterGeneration) continue;
                references[connection.Master] = references.GetValueOrDefault(connection.Master) + 1;
            }
            report.Connections([.. living.OrderBy(index => table[index].Started).Select(index => (index, references.GetValueOrDefault(index)))]);
        }
        if (options.Expectations) report.Expectations([.. table.Expectations(now)]);
    }

    /// <summary>Says on the standard error what the person should know besides the results.</summary>
    private static int Messages(Replayer replayer, ReplayOptions options, TextWriter error)
    {
        var capture = options.Capture == "-" ? "the capture from the standard input" : options.Capture;
        foreach (var link in replayer.UnknownLinks)
        {
            error.WriteLine($"fwctl: {capture} has frames of link type {(int)link}, which is not read: they count as not IP "
                + "(read are Ethernet, raw IP, Linux cooked, BSD loopback)");
        }
        if (WantsLocal(replayer))
        {
            error.WriteLine("fwctl: without --local every packet is one to forward, and the rules are in INPUT and OUTPUT only: "
                + "give the address of the firewall's host by --local");
        }
        if (replayer.Break is { } broken)
        {
            error.WriteLine($"fwctl: {capture} {broken}; {Packets(replayer.PacketCount)} before it {(replayer.PacketCount == 1 ? "was" : "were")} replayed");
            return ExitCode.BrokenCapture;
        }
        if (!replayer.WasInterrupted) return ExitCode.Ok;
        error.WriteLine($"fwctl: stopped after {Packets(replayer.PacketCount)}");
        return ExitCode.Interrupted;
    }

    private static string Packets(long count) => count == 1 ? "1 packet" : $"{count} packets";

    /// <summary>True where rules that nothing could reach make it likely that <c>--local</c> was forgotten.</summary>
    private static bool WantsLocal(Replayer replayer)
    {
        if (!replayer.Host.IsEmpty) return false;
        foreach (var (rules, packets) in new[] { (replayer.IPv4, replayer.Worker.Statistics.IPv4), (replayer.IPv6, replayer.Worker.Statistics.IPv6) })
        {
            if (packets > 0 && HasRules(rules.Rules, Hook.Input, Hook.Output) && !HasRules(rules.Rules, Hook.Forward, Hook.PreRouting, Hook.PostRouting))
                return true;
        }
        return false;
    }

    private static bool HasRules(CompiledRuleset rules, params ReadOnlySpan<Hook> hooks)
    {
        foreach (var chain in rules.Chains)
        {
            if (chain.Model.Hook is { } hook && hooks.Contains(hook) && chain.Rules.Length > 0) return true;
        }
        return false;
    }

    private static CompiledRuleset Compile(Ruleset? rules, IpFamily family) => CompiledRuleset.Compile(RuleFiles.WithFilter(rules, family));

    private static CaptureFileReader Open(string path)
    {
        try
        {
            return CaptureFileReader.Open(path);
        }
        catch (CaptureFormatException e)
        {
            throw new FwctlException($"{(path == "-" ? "the standard input" : path)} is not a capture: {e.Message}", e)
            {
                ExitCode = ExitCode.BrokenCapture,
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FwctlException(FileMessage.For("cannot read", path, e), e) { ExitCode = ExitCode.BrokenCapture };
        }
    }
}
