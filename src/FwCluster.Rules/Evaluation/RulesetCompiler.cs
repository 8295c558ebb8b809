using FwCluster.Rules.Evaluation.Classification;
using FwCluster.Rules.Model;

namespace FwCluster.Rules.Evaluation;

/// <summary>Turns a ruleset into a <see cref="CompiledRuleset"/>.</summary>
internal sealed class RulesetCompiler(Ruleset ruleset, MatchMemory memory)
{
    private readonly List<CompiledChain> _chains = [];
    private readonly List<Match> _matches = [];
    private int _slots;

    public CompiledRuleset Compile()
    {
        var depth = 0;
        foreach (var table in ruleset.Tables)
        {
            if (!TableIdExtensions.TryParse(table.Name, out var id))
                throw new ArgumentException($"table \"{table.Name}\" is not one of raw, mangle, filter");
            var first = _chains.Count;
            var indexOf = new Dictionary<string, int>();
            foreach (var chain in table.Chains) indexOf.Add(chain.Name, first + indexOf.Count);
            foreach (var chain in table.Chains) _chains.Add(CompileChain(id, chain, indexOf));
            depth = Math.Max(depth, new DepthCheck(_chains).Deepest(first));
        }
        return new CompiledRuleset(ruleset, [.. _chains], [.. _matches], depth, _slots);
    }

    private CompiledChain CompileChain(TableId table, Chain chain, Dictionary<string, int> indexOf)
    {
        var constraints = new List<RuleConstraints>(chain.Rules.Length);
        var compiled = new CompiledRule[chain.Rules.Length];
        for (var r = 0; r < compiled.Length; r++)
        {
            compiled[r] = CompileRule(chain.Rules[r], indexOf);
            constraints.Add(Constraints(table, compiled[r]));
        }
        var firstSlot = _slots;
        _slots += 1 + compiled.Length;
        return new CompiledChain(table, chain, firstSlot, compiled, ChainClassifier.Build(constraints));
    }

    private CompiledRule CompileRule(Rule rule, Dictionary<string, int> indexOf)
    {
        var target = -1;
        if (rule.Chain is { } name && !indexOf.TryGetValue(name, out target))
            throw new ArgumentException($"line {rule.Line}: there is no chain \"{name}\" in this table");
        var compiled = new CompiledRule
        {
            FirstMatch = _matches.Count,
            Chain = target,
            IsGoto = rule.IsGoto,
            Target = rule.Target,
        };
        foreach (var match in rule.Matches) _matches.Add(match.Bind(memory));
        compiled.EndMatch = _matches.Count;
        return compiled;
    }

    /// <summary>What the rule demands before anything in it remembers: a match that remembers must be asked for every packet that comes
    /// as far, whatever a later match would say.</summary>
    private RuleConstraints Constraints(TableId table, CompiledRule rule)
    {
        var constraints = new RuleConstraints(ruleset.Family) { StateChanges = table == TableId.Raw };
        for (var m = rule.FirstMatch; m < rule.EndMatch && !_matches[m].Remembers; m++) _matches[m].Constrain(constraints);
        return constraints;
    }

    /// <summary>Follows the calls from the built-in chains (<c>mark_source_chains</c>).</summary>
    private sealed class DepthCheck(List<CompiledChain> chains)
    {
        private const int Unknown = -1;
        private const int OnTheWay = -2;

        private readonly int[] _depths = Enumerable.Repeat(Unknown, chains.Count).ToArray();

        /// <summary>How many jumps can be open at once below the built-in chains from <paramref name="first"/> on.</summary>
        public int Deepest(int first)
        {
            var deepest = 0;
            for (var c = first; c < chains.Count; c++)
            {
                if (chains[c].Model.Hook is not null) deepest = Math.Max(deepest, Depth(c, 0));
            }
            return deepest;
        }

        private int Depth(int chain, int calls)
        {
            if (_depths[chain] >= 0) return _depths[chain];
            CheckDepth(chain, calls);
            _depths[chain] = OnTheWay;
            var deepest = 0;
            for (var r = 0; r < chains[chain].Compiled.Length; r++)
            {
                ref readonly var rule = ref chains[chain].Compiled[r];
                if (rule.Chain < 0) continue;
                if (_depths[rule.Chain] == OnTheWay)
                {
                    throw new ArgumentException(
                        $"line {chains[chain].Rules[r].Line}: chain \"{chains[chain].Name}\" calls \"{chains[rule.Chain].Name}\", which calls it: a loop");
                }
                deepest = Math.Max(deepest, Depth(rule.Chain, calls + 1) + (rule.IsGoto ? 0 : 1));
            }
            CheckDepth(chain, deepest);
            return _depths[chain] = deepest;
        }

        private void CheckDepth(int chain, int depth)
        {
            if (depth <= CompiledRuleset.MaxDepth) return;
            throw new ArgumentException($"chain \"{chains[chain].Name}\": chains call each other more than {CompiledRuleset.MaxDepth} deep");
        }
    }
}
