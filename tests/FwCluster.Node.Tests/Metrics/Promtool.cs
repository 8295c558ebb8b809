using FwCluster.Referee;
using FwCluster.Referee.Lab;

namespace FwCluster.Node.Tests.Metrics;

/// <summary>Prometheus' own checker, of the machine or as unpack-promtool.sh unpacks it.</summary>
internal static class Promtool
{
    private static readonly string Unpacked = Path.Combine(Repository.Root, "artifacts", "promtool", "usr", "bin", "promtool");

    /// <summary>Why it cannot be asked; null where it can.</summary>
    public static string? WhyNot { get; } = Command.TryRun("env", [Program, "--version"]) is { ExitCode: 0 } ? null : "there is no promtool: tests/FwCluster.Node.Tests/unpack-promtool.sh";

    private static string Program => File.Exists(Unpacked) ? Unpacked : "promtool";

    /// <summary>Runs it; what it finds wrong fails the test.</summary>
    public static string Run(string[] words, string? input = null)
    {
        var result = Command.TryRun(Program, words, input);
        Assert.True(result.ExitCode == 0, result.Output + result.Error);
        return result.Output + result.Error;
    }

    /// <summary>What it says of metrics, good or bad.</summary>
    public static string[] CheckMetrics(string metrics)
    {
        var result = Command.TryRun(Program, ["check", "metrics"], metrics);
        return (result.Output + result.Error).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
