using System.Globalization;
using System.Text.RegularExpressions;
using FwCluster.EndToEnd.Tests.Cluster;
using FwCluster.EndToEnd.Tests.Documents;
using FwCluster.Referee;
using FwCluster.Referee.Lab;

namespace FwCluster.EndToEnd.Tests;

/// <summary>The README's tour, as it is pasted: its blocks, one after the other, into one shell.</summary>
[Collection(ClusterTests.Name)]
public sealed partial class TourTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    [KernelFact]
    public void TheTourWorksAsItIsWritten()
    {
        var blocks = Document.Of("README.md").Blocks.Where(block => block.Language == "bash").Select(block => block.Text).ToList();
        Assert.Equal(9, blocks.Count);
        // What the first one builds, the suite has built.
        Assert.All(blocks[0].TrimEnd().Split('\n'), line => Assert.StartsWith("dotnet build src/FwCluster.", line, StringComparison.Ordinal));
        var home = Directory.CreateTempSubdirectory("fwt-tour-").FullName;
        try
        {
            // Who is root already, on a machine without sudo, has it for this.
            Directory.CreateDirectory(Path.Combine(home, "bin"));
            File.WriteAllText(Path.Combine(home, "bin", "sudo"), "#!/bin/sh\n[ \"$1\" = -E ] && shift\nexec \"$@\"\n");
            Command.Run("chmod", ["755", Path.Combine(home, "bin", "sudo")]);
            File.WriteAllText(Path.Combine(home, "pasted"), string.Concat(blocks.Skip(1)));
            // A shell that reads from a pipe leaves what comes behind a command to that command, as a terminal does.
            var result = Command.TryRun("env", ["-C", Repository.Root, $"HOME={home}", "bash", "-c", "cat \"$0/pasted\" | PATH=\"$0/bin:$PATH\" bash", home], timeout: Patience);
            var all = result.Output + result.Error;
            Assert.True(result.ExitCode == 0, all);
            foreach (Match problem in Problem().Matches(result.Error)) Assert.Fail($"{problem.Value}\n{all}");
            Assert.Equal(3, Regex.Count(result.Output, "^gateway1 +healthy ", RegexOptions.Multiline));
            Assert.Single(Regex.Matches(result.Error, "^generation 1 is in force$", RegexOptions.Multiline));
            Assert.Equal(4, Regex.Count(result.Output, ", 2 received, 0% packet loss", RegexOptions.Multiline));
            Assert.Contains("-A INPUT -p icmp -m icmp --icmp-type 8 -j ACCEPT", result.Output, StringComparison.Ordinal); // asked of another one
            Assert.Contains("nothing else passes", result.Output, StringComparison.Ordinal);
            // Six pings, of which each gateway had two: the first of each was new, and the second, where it did not come before the answer, established.
            Assert.Equal(6, Counting().Matches(result.Output).Sum(rule => int.Parse(rule.Groups["packets"].ValueSpan, CultureInfo.InvariantCulture)));
            Assert.Equal(4, Regex.Count(result.Output, @"^icmp +1 \d+ src=10\.9\.0\.254 dst=10\.9\.0\.\d ", RegexOptions.Multiline));
            Assert.Equal(2, Regex.Count(result.Output, @"^icmp +1 \d+ src=10\.9\.0\.254 dst=10\.9\.0\.3 ", RegexOptions.Multiline));
            Assert.Matches(@"(?m)^[1-9]\d* shards moved$", result.Error);
            Assert.Matches(@"(?m)^gateway2 +draining +1 +0 ", result.Output);
            Assert.Matches(@"(?m)^sum +64 +\d+ ", result.Output);
        }
        finally
        {
            Directory.Delete(home, recursive: true);
        }
    }

    [GeneratedRegex(@"^ +(?<packets>\d+) +\d+ ACCEPT .* (icmptype 8|state RELATED,ESTABLISHED) *$", RegexOptions.Multiline)]
    private static partial Regex Counting();

    [GeneratedRegex("^(fwctl: |hosts.sh: |bash: ).*$", RegexOptions.Multiline)]
    private static partial Regex Problem();
}
