using System.Collections.Frozen;

namespace FwCluster.Rules.Sets;

/// <summary>The sets that rules may name. Immutable.</summary>
/// <param name="sets">The sets.</param>
public sealed class SetCollection(IEnumerable<IpSet> sets)
{
    private readonly FrozenDictionary<string, IpSet> _sets = sets.ToFrozenDictionary(s => s.Name, StringComparer.Ordinal);

    /// <summary>No sets.</summary>
    public static SetCollection Empty { get; } = new([]);

    /// <summary>Names of all.</summary>
    public IEnumerable<string> Names => _sets.Keys;

    /// <summary>The set of this name, or null.</summary>
    public IpSet? Find(string name) => _sets.GetValueOrDefault(name);
}
