using FwCluster.Packets;

namespace FwCluster.Capture.Divert;

/// <summary>The divert rules of one family: put in place, compared, removed.</summary>
internal sealed class FamilyRules
{
    private const int Attempts = 5;

    private readonly Iptables _iptables;
    private readonly IReadOnlyList<DivertChain> _chains;
    private readonly List<string> _tables;

    // What iptables-save printed of ours when it was right: its own words for our rules.
    private Dictionary<string, SavedTable> _right = [];

    private FamilyRules(DivertSettings settings, IpFamily family, IReadOnlyList<Iptables> installed)
    {
        _iptables = Choose(installed, settings.Variant, family);
        _chains = DivertChain.For(settings, family);
        _tables = _chains.Select(chain => chain.Table).Distinct().ToList();
    }

    /// <summary>Puts the rules in place, and removes what another run left in the other variant or in other tables.</summary>
    public static FamilyRules Install(DivertSettings settings, IpFamily family)
    {
        var installed = Iptables.Installed(family);
        if (installed.Count == 0)
        {
            throw new DivertException(
                $"{(family == IpFamily.IPv6 ? "ip6tables" : "iptables")}-restore is not installed; install the package iptables");
        }
        var rules = new FamilyRules(settings, family, installed);
        rules.Write(rules.Read());
        // Ours are in place now, so removing old ones opens nothing.
        foreach (var iptables in installed) rules.RemoveFrom(iptables, exceptOurs: iptables == rules._iptables);
        return rules;
    }

    /// <summary>Removes all that is ours, whoever left it.</summary>
    public static void Remove(IpFamily family)
    {
        foreach (var iptables in Iptables.Installed(family)) Retry(() => RemoveFrom(iptables, DivertChain.Tables, _ => true));
    }

    /// <summary>They are nf_tables' rules.</summary>
    public bool IsNft => _iptables.IsNft;

    /// <summary>Removes what this object put in place, and all else that is ours where that can be known.</summary>
    public void Remove()
    {
        Retry(() => RemoveFrom(_iptables, _tables, _ => true));
        foreach (var other in Iptables.Installed(_iptables.Family))
            if (other.IsNft != _iptables.IsNft)
                Retry(() => RemoveFrom(other, [], _ => true));
    }

    /// <summary>Looks, and puts right what is not.</summary>
    /// <returns>True where something was wrong.</returns>
    public bool Repair()
    {
        var saved = new Dictionary<string, SavedTable>();
        foreach (var table in _tables)
        {
            foreach (var (name, found) in SavedTable.Read(_iptables.Save(table))) saved[name] = found;
        }
        if (IsRight(saved)) return false;
        // All tables: a table that is gone altogether will be one that we made.
        Write(Read());
        return true;
    }

    private bool IsRight(Dictionary<string, SavedTable> saved)
        => _tables.TrueForAll(table => saved.TryGetValue(table, out var found) && _right.TryGetValue(table, out var right) && found.HasSameAs(right))
            && _chains.All(chain => saved[chain.Table].HasJump(chain));

    private void Write(Dictionary<string, SavedTable> saved)
    {
        // Somebody else may change the jumps between the look and the change; the change then fails as a whole.
        Retry(() =>
        {
            _iptables.Restore(DivertScript.Install(_chains, saved, _iptables.IsNft));
            saved = Read();
        }, () => saved = Read());
        _right = saved;
    }

    private Dictionary<string, SavedTable> Read() => SavedTable.Read(_iptables.Save(_tables));

    private void RemoveFrom(Iptables iptables, bool exceptOurs)
        => Retry(() => RemoveFrom(iptables, [], table => !exceptOurs || !_tables.Contains(table)));

    /// <param name="iptables">Whose.</param>
    /// <param name="known">The tables to look at where this process may not know which there are.</param>
    /// <param name="concerns">Which tables.</param>
    private static void RemoveFrom(Iptables iptables, IEnumerable<string> known, Func<string, bool> concerns)
    {
        var saved = SavedTable.Read(iptables.Save(known)).Where(table => concerns(table.Key)).ToDictionary();
        iptables.Restore(DivertScript.Remove(saved));
        foreach (var table in saved.Values.Where(table => table.OwnChains.Contains(DivertChain.MadeTable)))
            iptables.RemoveEmptyTable(table.Name);
    }

    private static void Retry(Action action, Action? between = null)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                action();
                return;
            }
            catch (DivertException) when (attempt < Attempts)
            {
                Thread.Sleep(10 * attempt);
                between?.Invoke();
            }
        }
    }

    private static Iptables Choose(IReadOnlyList<Iptables> installed, IptablesVariant variant, IpFamily family)
    {
        if (variant != IptablesVariant.Host)
        {
            return installed.FirstOrDefault(iptables => iptables.IsNft == (variant == IptablesVariant.Nft)) ?? throw new DivertException(
                $"{(family == IpFamily.IPv6 ? "ip6tables" : "iptables")}-{(variant == IptablesVariant.Nft ? "nft" : "legacy")}-restore is not "
                + "installed; install it, or set Variant to Host");
        }
        var withRules = installed.Where(HasRules).ToList();
        return withRules.Count == 1 ? withRules[0] : installed[0];
    }

    private static bool HasRules(Iptables iptables)
    {
        try
        {
            return iptables.Save([]).Contains("\n-A ", StringComparison.Ordinal);
        }
        catch (DivertException)
        {
            // A variant whose part of the kernel is missing has no rules.
            return false;
        }
    }
}
