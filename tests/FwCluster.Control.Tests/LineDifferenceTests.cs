using System.Text.RegularExpressions;
using CsCheck;
using FwCluster.Control.Rulesets;

namespace FwCluster.Control.Tests;

/// <summary>Differences: whatever the texts, the old one with the difference applied is the new one.</summary>
public sealed partial class LineDifferenceTests
{
    [Fact]
    public void TheOldTextWithTheDifferenceIsTheNewText()
    {
        var line = Gen.Int[0, 12].Select(i => $"line {i}");
        Gen.Select(line.List[0, 40], line.List[0, 40]).Sample(
            (before, after) => Patch(before, LineDifference.Between("x", Join(before), Join(after))).SequenceEqual(after), iter: 20_000);
    }

    [Fact]
    public void OneLineMoreIsOneLineOfDifference()
    {
        var before = Enumerable.Range(0, 20_000).Select(i => $"-A FORWARD -s 10.{i / 250}.{i % 250}.0/24 -j DROP").ToList();
        var after = before.ToList();
        after.Insert(9_000, "-A FORWARD -j LOG");
        var difference = LineDifference.Between("ipv4", Join(before), Join(after));
        Assert.Equal(9, difference.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length - 1);
        Assert.Contains("\n@@ -8998,6 +8998,7 @@\n", difference, StringComparison.Ordinal);
        Assert.Equal("", LineDifference.Between("ipv4", Join(before), Join(before)));
    }

    private static string Join(IEnumerable<string> lines) => string.Concat(lines.Select(l => l + "\n"));

    private static List<string> Patch(List<string> before, string difference)
    {
        var (after, at) = (new List<string>(), 0);
        foreach (var line in difference.Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(2))
        {
            if (Hunk().Match(line) is { Success: true } hunk)
            {
                var from = int.Parse(hunk.Groups[1].Value) - (hunk.Groups[2].Value == "0" ? 0 : 1);
                after.AddRange(before[at..from]);
                at = from;
                continue;
            }
            if (line[0] != '+') Assert.Equal(before[at++], line[1..]);
            if (line[0] != '-') after.Add(line[1..]);
        }
        after.AddRange(before[at..]);
        return after;
    }

    [GeneratedRegex(@"^@@ -(\d+),(\d+) \+\d+,\d+ @@$")]
    private static partial Regex Hunk();
}
