using System.Globalization;
using System.Text.RegularExpressions;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Rules.Tests.Differential;

/// <summary>Packets and bytes of each policy and rule, one line each, so that two sides can be compared as text.</summary>
internal static partial class CounterListing
{
    // What the router itself sends, a REJECT's answer for one, meets these chains as well.
    private static readonly string[] Left = ["OUTPUT"];

    /// <summary>What iptables-save -c printed.</summary>
    public static List<string> OfKernel(string saved)
    {
        var lines = new List<string>();
        var table = "";
        var positions = new Dictionary<string, int>();
        foreach (var line in saved.Split('\n'))
        {
            if (line.StartsWith('*'))
            {
                (table, positions) = (line[1..], []);
            }
            else if (PolicyLine().Match(line) is { Success: true } policy && policy.Groups["policy"].Value != "-")
            {
                Add(lines, table, policy.Groups["chain"].Value, 0, policy.Groups["packets"].Value, policy.Groups["bytes"].Value);
            }
            else if (RuleLine().Match(line) is { Success: true } rule)
            {
                var chain = rule.Groups["chain"].Value;
                var position = positions[chain] = positions.GetValueOrDefault(chain) + 1;
                Add(lines, table, chain, position, rule.Groups["packets"].Value, rule.Groups["bytes"].Value);
            }
        }
        lines.Sort(StringComparer.Ordinal);
        return lines;
    }

    /// <summary>What the engine counted.</summary>
    public static List<string> OfEngine(CompiledRuleset rules, RuleCounterSet counters)
    {
        var lines = new List<string>();
        for (var c = 0; c < rules.Chains.Length; c++)
        {
            var chain = rules.Chains[c];
            for (var position = chain.Model.Hook is null ? 1 : 0; position <= chain.Rules.Length; position++)
            {
                var count = counters.Read(c, position);
                Add(lines, chain.Table.Name(), chain.Name, position,
                    count.Packets.ToString(CultureInfo.InvariantCulture), count.Bytes.ToString(CultureInfo.InvariantCulture));
            }
        }
        lines.Sort(StringComparer.Ordinal);
        return lines;
    }

    private static void Add(List<string> lines, string table, string chain, int position, string packets, string bytes)
    {
        if (!Left.Contains(chain)) lines.Add($"{table} {chain} {(position == 0 ? "policy" : $"{position:0000}")}: {packets} packets, {bytes} bytes");
    }

    [GeneratedRegex(@"^:(?<chain>\S+) (?<policy>\S+) \[(?<packets>\d+):(?<bytes>\d+)\]$")]
    private static partial Regex PolicyLine();

    [GeneratedRegex(@"^\[(?<packets>\d+):(?<bytes>\d+)\] -A (?<chain>\S+)")]
    private static partial Regex RuleLine();
}
