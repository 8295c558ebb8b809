using System.Collections.Immutable;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Rules.Model;

/// <summary>A checked ruleset of one family: every jump leads somewhere, every extension is known and fits its table and chain. Only
/// The reader makes one from text, so a ruleset that does not compile has no representation.</summary>
/// <param name="Family">IPv4 or IPv6.</param>
/// <param name="Tables">The tables the text named, in the order in which <c>iptables-save</c> writes them: mangle, raw, filter.</param>
public sealed record Ruleset(IpFamily Family, ImmutableArray<Table> Tables)
{
    /// <summary>A ruleset without tables: everything is accepted, nothing counted.</summary>
    public static Ruleset Empty(IpFamily family) => new(family, []);

    /// <summary>The table of this name, or null.</summary>
    public Table? Table(string name) => Tables.FirstOrDefault(t => t.Name == name);
}

/// <summary>A table: raw, mangle or filter.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Chains">Its chains, in the order <c>iptables-save</c> prints them: built-in ones by hook, then user chains.</param>
public sealed record Table(string Name, ImmutableArray<Chain> Chains)
{
    /// <summary>The chain of this name, or null.</summary>
    public Chain? Chain(string name) => Chains.FirstOrDefault(c => c.Name == name);
}

/// <summary>A chain.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Hook">Where it runs, for a built-in chain; null for a user chain.</param>
/// <param name="Policy">ACCEPT or DROP for a built-in chain; <see cref="Verdict.Return"/> for a user chain.</param>
/// <param name="PolicyCounters">Where the policy's counting starts.</param>
/// <param name="Rules">Its rules in order.</param>
public sealed record Chain(string Name, Hook? Hook, Verdict Policy, RuleCounters PolicyCounters, ImmutableArray<Rule> Rules);
