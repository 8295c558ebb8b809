using System.Diagnostics;

namespace FwCluster.Control.Rulesets;

/// <summary>A node whose part in a change of rules is traced.</summary>
/// <param name="node">The node.</param>
public sealed class TracedTarget(IRulesetTarget node) : IRulesetTarget
{
    /// <inheritdoc/>
    public string Name => node.Name;

    /// <inheritdoc/>
    public async Task<IPreparedRuleset> PrepareAsync(InForce rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        using var step = Step("ruleset.prepare", rules.Generation);
        try
        {
            return new Prepared(this, await node.PrepareAsync(rules).ConfigureAwait(false), rules.Generation);
        }
        catch (Exception e)
        {
            step.Fail(e);
            throw;
        }
    }

    private Activity? Step(string name, RulesetGeneration generation)
    {
        var step = RulesetTraces.Step(name);
        step?.SetTag("fwcluster.node", Name);
        step.Note(generation);
        return step;
    }

    private sealed class Prepared(TracedTarget node, IPreparedRuleset rules, RulesetGeneration generation) : IPreparedRuleset
    {
        public async Task CommitAsync()
        {
            using var step = node.Step("ruleset.commit", generation);
            try
            {
                await rules.CommitAsync().ConfigureAwait(false);
            }
            catch (Exception e)
            {
                step.Fail(e);
                throw;
            }
        }
    }
}
