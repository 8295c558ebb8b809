using System.Text.RegularExpressions;
using FwCluster.Packets;
using FwCluster.Referee;
using FwCluster.Referee.Lab;
using FwCluster.Rules.Tests.Generation;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Tests.TextTests;

/// <summary>What iptables refuses is refused, and what it takes is taken, but for the differences that are listed here with their reasons.</summary>
public sealed partial class RefusalTests : IDisposable
{
    private readonly NetworkLab _lab = new();

    public void Dispose() => _lab.Dispose();

    [KernelFact]
    public void Each_command_is_taken_or_refused_as_by_iptables()
    {
        var space = _lab.AddNamespace("r");
        var wrong = new List<string>();
        foreach (var line in Commands.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var (table, rule) = line.StartsWith('*') ? (line[1..line.IndexOf(' ', StringComparison.Ordinal)], line[(line.IndexOf(' ', StringComparison.Ordinal) + 1)..]) : ("filter", line);
            Compare(space, IpFamily.IPv4, table, rule, wrong);
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [KernelTheory]
    [InlineData(IpFamily.IPv4)]
    [InlineData(IpFamily.IPv6)]
    public void Broken_rules_are_taken_or_refused_as_by_iptables(IpFamily family)
    {
        var space = _lab.AddNamespace("r");
        var wrong = new List<string>();
        var end = DateTime.UtcNow + Bounds.KernelTime;
        for (var seed = Bounds.Seed; DateTime.UtcNow < end && wrong.Count < 30; seed++)
        {
            var draw = new Draw(seed, family);
            var table = draw.Pick("filter", "mangle", "raw");
            var generator = new RulesetGenerator(draw);
            string Rule() => generator.Rule(table, "OUTPUT", []);
            Compare(space, family, table, $"-A OUTPUT {Break(draw, Rule(), Rule())}", wrong);
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    private static void Compare(NetworkNamespace space, IpFamily family, string table, string rule, List<string> wrong)
    {
        var text = $"*{table}\n{rule}\nCOMMIT\n";
        var prefix = family == IpFamily.IPv4 ? "iptables" : "ip6tables";
        var theirs = space.TryExecute(prefix + "-restore", [], text);
        // At -h and -V it leaves off, says that all is well, and has done nothing.
        if (theirs.Output.Length > 0) return;
        var ours = RulesetReader.Read(text, "rule", family);
        if (theirs.ExitCode == 0 && !ours.Succeeded && !ours.Errors.All(e => StricterWithReason().IsMatch(e.Message)))
            wrong.Add($"iptables takes, we refuse: {rule}\n  {string.Join("\n  ", ours.Errors)}");
        if (theirs.ExitCode != 0 && ours.Succeeded && !MilderWithReason().IsMatch(theirs.Error))
            wrong.Add($"iptables refuses, we take: {rule}\n  {theirs.Error.Trim().ReplaceLineEndings(" | ")}\n  {RulesetWriter.Write(ours.Of(family)!)}");
        if (theirs.ExitCode != 0 || !ours.Succeeded || LosesSomething().IsMatch(rule)) return;
        var saved = KernelTextTests.WithoutComments(space.Execute($"{prefix}-save -t {table}"));
        var canonical = RulesetWriter.Write(ours.Of(family)!);
        if (saved != canonical) wrong.Add($"different canonical form of: {rule}\n  iptables-save: {Rules(saved)}\n  ours:          {Rules(canonical)}");
    }

    private static string Rules(string text) => string.Join(" | ", text.Split('\n').Where(l => l.StartsWith("-A", StringComparison.Ordinal)));

    // Takes a word out, doubles it, swaps two, puts one of another rule in, cuts one, or changes a character of one.
    private static string Break(Draw draw, string rule, string other)
    {
        var words = rule.Split(' ', StringSplitOptions.RemoveEmptyEntries).ToList();
        var others = other.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        for (var n = draw.Random.Next(1, 3); n > 0 && words.Count > 0; n--)
        {
            var i = draw.Random.Next(words.Count);
            var word = words[i];
            switch (draw.Random.Next(7))
            {
                case 0:
                    words.RemoveAt(i);
                    break;
                case 1:
                    words.Insert(i, word);
                    break;
                case 2:
                    var j = draw.Random.Next(words.Count);
                    (words[i], words[j]) = (words[j], words[i]);
                    break;
                case 3 when others.Length > 0:
                    words.Insert(i, others[draw.Random.Next(others.Length)]);
                    break;
                case 4:
                    words[i] = word[..draw.Random.Next(word.Length)];
                    break;
                case 5:
                    words.Insert(i, "!");
                    break;
                case 6 when word.Length > 0:
                    var at = draw.Random.Next(word.Length);
                    words[i] = word[..at] + draw.Pick("0", "9", "x", ",", ":", "/", "-", "!", "=") + word[(at + 1)..];
                    break;
            }
        }
        return string.Join(' ', words);
    }

    // We refuse, iptables takes:
    //   names of hosts and networks, and addresses in unusual notations, since what they mean may differ from one node to the next;
    //   ranges that begin after their end, and conditions that hold for no packet, since a rule that never matches is a mistake;
    //   masks that are no prefix where iptables takes them for all ones; texts that it cuts off; lists with nothing between two commas;
    //   ports above 65535, of which iptables takes the lower 16 bits in places; times, days, rates and bursts with something behind or
    //   missing that it overlooks; an unclosed quote; a match whose -p is turned round by "!", which iptables takes for tcp and udp, and the kernel for neither.
    [GeneratedRegex("""is not an IPv[46] (address|mask)|begins with 0|begins after its end|no port is outside|mask of .* is not a prefix|the text has|"" is not a|no flag is looked at|(tcp|udp) needs -p|is not a DiffServ class|quote is not closed|interface has no name|has more than two parts|neither a port|^(time|limit|hashlimit|connlimit): """)]
    private static partial Regex StricterWithReason();

    // We take, iptables refuses:
    //   an option before the -p that it needs, since nothing is unclear about it;
    //   "! -s 0.0.0.0/0", which iptables takes with its older interface to the kernel, and cannot say in nftables.
    [GeneratedRegex("multiport (needs|only works)|RULE_APPEND failed \\(Invalid argument\\)")]
    private static partial Regex MilderWithReason();

    // iptables-save loses a range of ICMP codes, and one of two tcp or udp matches.
    [GeneratedRegex(@"icmp.*/\d*:|-m tcp.*-m tcp|-m udp.*-m udp|(tcp|udp|-p 6).*(-m tcp|-m udp)")]
    private static partial Regex LosesSomething();
}
