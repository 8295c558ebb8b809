using System.Globalization;
using System.Text;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Extensions.Matches;
using FwCluster.Rules.Model;

namespace FwCluster.Rules.Text;

/// <summary>
/// Writes a ruleset in its canonical form: what <c>iptables-save</c> of iptables 1.8.9 prints after <c>iptables-restore</c> has read it,
/// without the comment lines that tell the time.
/// </summary>
/// <remarks>
/// Where the variant for nftables (Debian's default) and the older one differ, it is the former's: the order of the tables, and
/// <see cref="Extensions.Matches.PortRange.Turned"/>. Not its faults: counters of IPv6 rules are kept, two <c>-m tcp</c> of a rule stay two, and a
/// range of ICMP codes stays a range.
/// </remarks>
public static class RulesetWriter
{
    /// <summary>Writes a ruleset, every table with its COMMIT.</summary>
    /// <param name="ruleset">The ruleset.</param>
    /// <param name="withCounters">Write each rule's counters before it (<c>iptables-save -c</c>). Policies have theirs always.</param>
    public static string Write(Ruleset ruleset, bool withCounters = false)
    {
        ArgumentNullException.ThrowIfNull(ruleset);
        var text = new StringBuilder();
        foreach (var table in ruleset.Tables) Write(text, table, withCounters);
        return text.ToString();
    }

    /// <summary>Writes a rule as <c>-A CHAIN ...</c>, without counters.</summary>
    public static string Write(string chain, Rule rule)
    {
        ArgumentNullException.ThrowIfNull(rule);
        var text = new StringBuilder();
        WriteRule(text, chain, rule);
        return text.ToString();
    }

    /// <summary>Writes what is behind a rule's <c>-A CHAIN</c>.</summary>
    internal static void Write(StringBuilder text, Rule rule)
    {
        var writer = new RuleWriter(text);
        foreach (var match in rule.Matches)
        {
            if (match is not IpMatch) writer.Word("-m").Word(match.Name);
            match.Write(writer);
        }
        if (rule.Target is { } target)
        {
            writer.Word("-j").Word(target.Name);
            target.Write(writer);
        }
        else if (rule.Chain is { } jump)
        {
            writer.Word(rule.IsGoto ? "-g" : "-j").Word(jump);
        }
    }

    private static void Write(StringBuilder text, Table table, bool withCounters)
    {
        text.Append('*').Append(table.Name).Append('\n');
        foreach (var chain in table.Chains)
        {
            text.Append(':').Append(chain.Name).Append(' ')
                .Append(chain.Hook is null ? "-" : chain.Policy == Verdict.Drop ? "DROP" : "ACCEPT")
                .Append(' ').Append(Counters(chain.PolicyCounters)).Append('\n');
        }
        foreach (var chain in table.Chains)
        {
            foreach (var rule in chain.Rules)
            {
                if (withCounters) text.Append(Counters(rule.Counters)).Append(' ');
                WriteRule(text, chain.Name, rule);
                text.Append('\n');
            }
        }
        text.Append("COMMIT\n");
    }

    private static void WriteRule(StringBuilder text, string chain, Rule rule)
    {
        text.Append("-A ").Append(chain);
        Write(text, rule);
    }

    private static string Counters(RuleCounters counters)
        => string.Create(CultureInfo.InvariantCulture, $"[{counters.Packets}:{counters.Bytes}]");
}
