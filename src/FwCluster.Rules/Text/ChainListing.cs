using System.Globalization;
using System.Text;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Extensions.Matches;
using FwCluster.Rules.Model;

namespace FwCluster.Rules.Text;

/// <summary>
/// Lists chains byte for byte as <c>iptables -L -v -n -x</c> of iptables 1.8.9 prints them (<c>print_header</c>, <c>print_rule_details</c>
/// and <c>print_ifaces</c> in xshared.c).
/// </summary>
public static class ChainListing
{
    private static readonly IpMatch AnyIPv4 = new() { Family = IpFamily.IPv4 };
    private static readonly IpMatch AnyIPv6 = new() { Family = IpFamily.IPv6 };

    /// <summary>Lists the chains of a table, an empty line between two.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="ruleset">The rules.</param>
    /// <param name="counters">What was counted.</param>
    /// <param name="table">The table; one that the ruleset does not have lists nothing.</param>
    public static void Write(TextWriter output, CompiledRuleset ruleset, RuleCounterSet counters, TableId table)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(ruleset);
        ArgumentNullException.ThrowIfNull(counters);
        var line = new StringBuilder();
        var isFirst = true;
        for (var c = 0; c < ruleset.Chains.Length; c++)
        {
            var chain = ruleset.Chains[c];
            if (chain.Table != table) continue;
            if (!isFirst) output.Write('\n');
            isFirst = false;
            WriteHeader(output, chain.Model, counters.Read(c, 0), References(ruleset, table, chain.Name));
            for (var r = 0; r < chain.Rules.Length; r++)
            {
                line.Clear();
                AppendRule(line, chain.Rules[r], counters.Read(c, r + 1), ruleset.Family);
                output.Write(line.Append('\n'));
            }
        }
    }

    private static int References(CompiledRuleset ruleset, TableId table, string name)
    {
        var references = 0;
        foreach (var chain in ruleset.Chains)
        {
            if (chain.Table == table) references += chain.Rules.Count(rule => rule.Chain == name);
        }
        return references;
    }

    private static void WriteHeader(TextWriter output, Chain chain, RuleCounters policy, int references)
    {
        output.Write(chain.Hook is null
            ? string.Create(CultureInfo.InvariantCulture, $"Chain {chain.Name} ({references} references)\n")
            : string.Create(CultureInfo.InvariantCulture,
                $"Chain {chain.Name} (policy {(chain.Policy == Verdict.Drop ? "DROP" : "ACCEPT")} {policy.Packets} packets, {policy.Bytes} bytes)\n"));
        output.Write($"{"pkts",8} {"bytes",10} {"target",-9}  prot opt {"in",-6} {"out",-6}  {"source",-19}  {"destination",-19} \n");
    }

    private static void AppendRule(StringBuilder line, Rule rule, RuleCounters counters, IpFamily family)
    {
        var ip = rule.Matches.OfType<IpMatch>().FirstOrDefault() ?? (family == IpFamily.IPv4 ? AnyIPv4 : AnyIPv6);
        line.Append(CultureInfo.InvariantCulture, $"{counters.Packets,8} {counters.Bytes,8} {rule.Target?.ListedName ?? rule.Chain ?? "",-9} ");
        line.Append(ip.IsProtocolInverted ? '!' : ' ').Append(CultureInfo.InvariantCulture, $"{ip.Protocol,-4} ");
        line.Append(family == IpFamily.IPv4 && ip.IsFragmentInverted ? '!' : '-').Append(ip.IsFragment ? 'f' : '-').Append(' ');
        line.Append(CultureInfo.InvariantCulture, $" {ip.In.Listing,-6} {ip.Out.Listing,-6} ");
        line.Append(ip.IsSourceInverted ? '!' : ' ').Append(CultureInfo.InvariantCulture, $"{ip.Source.Listing(family),-19} ");
        line.Append(ip.IsDestinationInverted ? '!' : ' ').Append(CultureInfo.InvariantCulture, $"{ip.Destination.Listing(family),-19} ");
        if (rule.IsGoto) line.Append("[goto] ");
        var writer = new ListingWriter(line);
        foreach (var match in rule.Matches) match.List(writer);
        rule.Target?.List(writer);
    }
}
