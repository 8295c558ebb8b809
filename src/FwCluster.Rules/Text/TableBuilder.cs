using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;

namespace FwCluster.Rules.Text;

/// <summary>A table while its commands are read.</summary>
internal sealed class TableBuilder
{
    private readonly Dictionary<string, ChainBuilder> _chains = new(StringComparer.Ordinal);

    /// <summary>A table with its built-in chains, all accepting.</summary>
    public TableBuilder(string name)
    {
        Name = name;
        foreach (var hook in Tables.Hooks(name))
        {
            var chain = Tables.ChainName(hook);
            _chains.Add(chain, new(chain, hook));
        }
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Its chains.</summary>
    public IEnumerable<ChainBuilder> Chains => _chains.Values;

    /// <summary>Names of the chains.</summary>
    public IEnumerable<string> ChainNames => _chains.Keys;

    /// <summary>The chain of this name, or null.</summary>
    public ChainBuilder? Find(string chain) => _chains.GetValueOrDefault(chain);

    /// <summary>Adds a user chain.</summary>
    public void Add(string chain) => _chains.Add(chain, new(chain, null));

    /// <summary>Removes a user chain.</summary>
    public void Remove(string chain) => _chains.Remove(chain);

    /// <summary>The table in its final form: built-in chains by hook, then user chains by name.</summary>
    public Table Build() => new(Name,
    [
        .. _chains.Values.Where(c => c.Hook is not null).OrderBy(c => c.Hook).Select(c => c.Build()),
        .. _chains.Values.Where(c => c.Hook is null).OrderBy(c => c.Name, StringComparer.Ordinal).Select(c => c.Build()),
    ]);
}

/// <summary>A chain while its commands are read.</summary>
/// <param name="name">Its name.</param>
/// <param name="hook">Where it runs; null for a user chain.</param>
internal sealed class ChainBuilder(string name, Hook? hook)
{
    /// <summary>Its name.</summary>
    public string Name { get; } = name;

    /// <summary>Where it runs; null for a user chain.</summary>
    public Hook? Hook { get; } = hook;

    /// <summary>Its policy.</summary>
    public Verdict Policy { get; set; } = hook is null ? Verdict.Return : Verdict.Accept;

    /// <summary>Where the policy's counting starts.</summary>
    public RuleCounters Counters { get; set; }

    /// <summary>Its rules.</summary>
    public List<RuleBuilder> Rules { get; } = [];

    /// <summary>The chain in its final form.</summary>
    public Chain Build() => new(Name, Hook, Policy, Counters, [.. Rules.Select(r => r.Rule)]);
}

/// <summary>A rule, and what must still be checked of it when all chains are known.</summary>
/// <param name="Rule">The rule.</param>
/// <param name="Jump">The word after <c>-j</c> or <c>-g</c>, where it names a chain.</param>
/// <param name="Extensions">Its extensions that not every hook takes.</param>
internal sealed record RuleBuilder(Rule Rule, Token? Jump, IReadOnlyList<ExtensionUse> Extensions);
