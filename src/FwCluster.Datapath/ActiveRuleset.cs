using FwCluster.Rules.Evaluation;

namespace FwCluster.Datapath;

/// <summary>A family's rules as one worker runs them: compiled, with its counters.</summary>
/// <param name="Rules">The rules.</param>
/// <param name="Counters">What this worker counts.</param>
public sealed record ActiveRuleset(CompiledRuleset Rules, RuleCounterSet Counters)
{
    /// <summary>Begins with what the rules' text had counted.</summary>
    public static ActiveRuleset From(CompiledRuleset rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        return new ActiveRuleset(rules, rules.CreateCounters(fromText: true));
    }
}
