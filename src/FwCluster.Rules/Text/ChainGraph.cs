using FwCluster.Rules.Evaluation;

namespace FwCluster.Rules.Text;

/// <summary>Which chain leads where: finds circles (the kernel's ELOOP), and extensions in chains that are reached from a hook they are not
/// made for (<c>mark_source_chains</c> and the hook check of <c>xt_check_target</c>).</summary>
/// <param name="table">The table.</param>
/// <param name="errors">Where mistakes go.</param>
internal sealed class ChainGraph(TableBuilder table, IErrorSink errors)
{
    private readonly HashSet<ChainBuilder> _done = [];
    private readonly List<ChainBuilder> _path = [];
    private bool _hasMistakes;

    /// <summary>Checks the table.</summary>
    public void Check()
    {
        foreach (var chain in table.Chains) FindCircles(chain);
        if (_hasMistakes) return;
        foreach (var chain in table.Chains.Where(c => c.Hook is not null).OrderBy(c => c.Hook)) CheckHook(chain, chain.Hook!.Value, []);
    }

    private void FindCircles(ChainBuilder chain)
    {
        if (!_done.Add(chain)) return;
        _path.Add(chain);
        foreach (var rule in chain.Rules)
        {
            if (Next(rule) is not { } next) continue;
            var start = _path.IndexOf(next);
            if (start < 0 && _path.Count < CompiledRuleset.MaxDepth)
            {
                FindCircles(next);
                continue;
            }
            _hasMistakes = true;
            if (start < 0) errors.Error(rule.Jump!.Value, $"this jump leads deeper than {CompiledRuleset.MaxDepth} chains");
            else errors.Error(rule.Jump!.Value, "this jump closes a circle: "
                + string.Join(" -> ", _path.Skip(start).Append(next).Select(c => c.Name)), "a packet must not come back to a chain that it is in");
        }
        _path.RemoveAt(_path.Count - 1);
    }

    private void CheckHook(ChainBuilder chain, Hook hook, HashSet<ChainBuilder> seen)
    {
        if (!seen.Add(chain)) return;
        foreach (var rule in chain.Rules)
        {
            foreach (var use in rule.Extensions)
            {
                if (use.Extension.Scope.Hooks.Contains(hook)) continue;
                var hooks = string.Join(", ", use.Extension.Scope.Hooks.Select(Tables.ChainName));
                errors.Error(use.Word, chain.Hook is null
                    ? $"{use.Extension.Name} cannot be used in {chain.Name}, which is reached from {Tables.ChainName(hook)}"
                    : $"{use.Extension.Name} cannot be used in {chain.Name}", $"it is for {hooks}");
            }
            if (Next(rule) is { } next) CheckHook(next, hook, seen);
        }
    }

    private ChainBuilder? Next(RuleBuilder rule) => rule.Jump is { } jump ? table.Find(jump.Text) : null;
}
