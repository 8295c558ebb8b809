using FwCluster.Rules.Evaluation;

namespace FwCluster.Datapath;

/// <summary>A family's rules as one worker runs them: compiled, with its counters.</summary>
/// <param name="Rules">The rules.</param>
/// <param name="Counters">What this worker counts.</param>
public sealed record ActiveRuleset(CompiledRuleset Rules, RuleCounterSet Counters)
{
    /// <summary>Makes rules ready with counters of their own.</summary>
    /// <param name="rules">The rules.</param>
    /// <param name="fromText">Go on from the counters in the rules' text (<c>iptables-restore -c</c>); else from zero.</param>
    public static ActiveRuleset From(CompiledRuleset rules, bool fromText = false)
    {
        ArgumentNullException.ThrowIfNull(rules);
        return new ActiveRuleset(rules, rules.CreateCounters(fromText));
    }
}
