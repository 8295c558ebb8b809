using System.Globalization;
using System.Text.RegularExpressions;
using FwCluster.Packets;
using FwCluster.Referee;
using FwCluster.Referee.Lab;
using FwCluster.Rules.Tests.Generation;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Tests.TextTests;

/// <summary>What iptables itself makes of the same text: it is the referee of the language.</summary>
public sealed class KernelTextTests : IDisposable
{
    private readonly NetworkLab _lab = new();

    public void Dispose() => _lab.Dispose();

    [KernelTheory]
    [InlineData(IpFamily.IPv4)]
    [InlineData(IpFamily.IPv6)]
    public void Canonical_form_is_what_iptables_save_prints(IpFamily family)
    {
        var space = _lab.AddNamespace("s");
        var prefix = family == IpFamily.IPv4 ? "iptables" : "ip6tables";
        var end = DateTime.UtcNow + Bounds.KernelTime;
        for (var seed = Bounds.Seed; DateTime.UtcNow < end; seed++)
        {
            var text = new RulesetGenerator(new(seed, family)).Text(40, "raw", "mangle", "filter");
            var restored = space.TryExecute(prefix + "-restore", ["-c"], text);
            Assert.True(restored.ExitCode == 0, $"seed {seed}: {Refusal(restored.Error)}{Line(text, restored.Error)}");
            // ip6tables 1.8.9 forgets the counters that it is given (its ipv6_post_parse leaves them out): ours are compared without.
            var withCounters = family == IpFamily.IPv4;
            var saved = WithoutComments(space.Execute($"{prefix}-save{(withCounters ? " -c" : "")}"));
            var result = RulesetReader.Read(text, "generated", family);
            Assert.True(result.Succeeded, $"seed {seed}: {string.Join('\n', result.Errors.Select(e => e.Format()))}");
            var ours = RulesetWriter.Write(result.Of(family)!, withCounters);
            if (ours != saved) Assert.Fail(Difference(seed, saved, ours));

            // What iptables wrote reads back as the same ruleset.
            var again = RulesetReader.Read(saved, "saved", family);
            Assert.True(again.Succeeded, $"seed {seed}: {string.Join('\n', again.Errors.Select(e => e.Format()))}");
            Assert.Equal(saved, RulesetWriter.Write(again.Of(family)!, withCounters));
        }
    }

    internal static string WithoutComments(string text)
        => string.Concat(text.Split('\n').Where(l => l.Length > 0 && l[0] != '#').Select(l => l + "\n"));

    private static string Difference(int seed, string theirs, string ours)
    {
        var (left, right) = (theirs.Split('\n'), ours.Split('\n'));
        var missing = left.Except(right).Take(20).Select(l => "iptables-save: " + l);
        var added = right.Except(left).Take(20).Select(l => "ours:          " + l);
        return $"seed {seed}\n{string.Join('\n', missing)}\n{string.Join('\n', added)}\n(or the order differs)";
    }

    // Without warnings that come before it.
    private static string Refusal(string error)
        => string.Concat(error.Split('\n').Where(l => !l.Contains("reversed", StringComparison.Ordinal)).Select(l => l + "\n"));

    // The line of the text that a message of iptables names.
    private static string Line(string text, string message)
        => Regex.Match(message, @"line:? (\d+)") is { Success: true } match
            ? text.Split('\n')[int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) - 1] : text;
}
