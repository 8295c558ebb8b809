using System.Text.RegularExpressions;
using FwCluster.Referee;
using FwCluster.Referee.Lab;

namespace FwCluster.Node.Tests;

/// <summary>The demonstration, as a person starts it.</summary>
[Collection(DaemonTests.Name)]
public sealed partial class LiveDemoTests
{
    private static readonly Lazy<string> Printed = new(RunDemo);

    [KernelFact]
    public void TheDataConnectionIsRelatedOnceInEachUpload()
    {
        var runs = Printed.Value.Split("== ")[1..];
        Assert.Equal(2, runs.Length);
        // In INPUT where the client opened it, in OUTPUT where the server did.
        Assert.Equal(["1 60", "0 0"], Counters(runs[0], "state RELATED"));
        Assert.Equal(["0 0", "1 60"], Counters(runs[1], "state RELATED"));
        // One login each, of INPUT; nothing new leaves.
        foreach (var run in runs)
        {
            Assert.Equal(["1 60", "0 0"], Counters(run, "state NEW"));
            Assert.Equal(3, Regex.Count(run, @"\(policy ACCEPT 0 packets, 0 bytes\)"));
            Assert.DoesNotContain("0 0", Counters(run, "state ESTABLISHED"));
        }
    }

    [KernelFact]
    public void ItPrintsWhatTheReadmeShows()
    {
        var readme = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));
        var shown = Shown().Match(readme);
        Assert.True(shown.Success, "README.md shows the demonstration's output");
        Assert.Equal(WithoutTrailingBlanks(shown.Groups["output"].Value), WithoutTrailingBlanks(Established().Replace(Printed.Value, "       n        n ACCEPT$1")));
    }

    [KernelFact]
    public void ItLeavesNoNamespaceAndNoFileBehindWhenItFails()
    {
        var temporary = Directory.CreateTempSubdirectory("fwtd").FullName;
        try
        {
            // A daemon that ends at once.
            var result = Command.TryRun("env", [$"TMPDIR={temporary}", "FWCLUSTERD=/bin/false", "bash", "-c",
                "\"$0\" & wait $!; status=$?; ls /run/netns | grep -E \"^fwt[sc]$!\\$\"; exit $status", Script], timeout: TimeSpan.FromMinutes(1));
            Assert.Equal(1, result.ExitCode);
            Assert.Contains("fwclusterd ended before it was ready", result.Error, StringComparison.Ordinal);
            Assert.Empty(result.Output);
            Assert.Empty(Directory.EnumerateFileSystemEntries(temporary));
        }
        finally
        {
            Directory.Delete(temporary, recursive: true);
        }
    }

    private static string Script => Path.Combine(Repository.Root, "examples", "live", "demo.sh");

    private static string RunDemo()
        => Command.Run("env", [$"FWCLUSTERD={Daemon.Program}", Script], timeout: TimeSpan.FromMinutes(2));

    private static string[] Counters(string listing, string rule)
        => [.. listing.Split('\n').Where(line => line.TrimEnd().EndsWith(rule, StringComparison.Ordinal))
            .Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[..2]))];

    private static string WithoutTrailingBlanks(string text) => string.Join('\n', text.Split('\n').Select(line => line.TrimEnd()));

    // How many segments and acknowledgements an upload takes differs from run to run.
    [GeneratedRegex(@"^ *\d+ +\d+ ACCEPT(.*state ESTABLISHED)", RegexOptions.Multiline)]
    private static partial Regex Established();

    [GeneratedRegex(@"^```\nsudo examples/live/demo\.sh\n```\n[^`]*?<!-- prints, with n for what differs from run to run -->\n```\n(?<output>.*?)^```\n",
        RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Shown();
}
