using System.Text;

namespace FwCluster.Capture.Divert;

/// <summary>Writes what iptables-restore --noflush is to do. Each table changes at once or not at all, so that a repair or a take-over leaves no
/// moment without rules.</summary>
internal static class DivertScript
{
    /// <summary>Puts our chains in place, whatever is there of them: exactly these rules, and a jump to each as the first rule.</summary>
    /// <param name="chains">The chains of one family.</param>
    /// <param name="saved">The tables as they are.</param>
    /// <param name="markNewTables">True marks tables that are not there yet as ours.</param>
    public static string Install(IReadOnlyList<DivertChain> chains, Dictionary<string, SavedTable> saved, bool markNewTables)
    {
        var text = new StringBuilder();
        foreach (var table in chains.GroupBy(chain => chain.Table))
        {
            saved.TryGetValue(table.Key, out var old);
            var obsolete = old?.OwnChains.Where(name => name != DivertChain.MadeTable && table.All(chain => chain.Name != name)).ToList() ?? [];
            text.Append('*').Append(table.Key).Append('\n');
            if (old is null && markNewTables) text.Append(':').Append(DivertChain.MadeTable).Append(" - [0:0]\n");
            // Naming a chain empties it.
            foreach (var name in table.Select(chain => chain.Name).Concat(obsolete)) text.Append(':').Append(name).Append(" - [0:0]\n");
            foreach (var chain in table)
            {
                foreach (var rule in chain.Rules) text.Append("-A ").Append(chain.Name).Append(' ').Append(rule).Append('\n');
            }
            var right = table.Where(chain => old?.HasJump(chain) == true).ToList();
            foreach (var jump in old?.Jumps ?? [])
            {
                if (!right.Any(chain => jump == $"-A {chain.BuiltIn} {chain.Jump}")) text.Append("-D").Append(jump.AsSpan(2)).Append('\n');
            }
            foreach (var chain in table.Except(right)) text.Append($"-I {chain.BuiltIn} 1 {chain.Jump}\n");
            foreach (var name in obsolete) text.Append("-X ").Append(name).Append('\n');
            text.Append("COMMIT\n");
        }
        return text.ToString();
    }

    /// <summary>Removes all that is ours, from all tables; empty where there is nothing.</summary>
    public static string Remove(Dictionary<string, SavedTable> saved)
    {
        var text = new StringBuilder();
        foreach (var table in saved.Values)
        {
            var chains = table.OwnChains.ToList();
            if (chains.Count == 0) continue;
            text.Append('*').Append(table.Name).Append('\n');
            foreach (var jump in table.Jumps) text.Append("-D").Append(jump.AsSpan(2)).Append('\n');
            foreach (var name in chains) text.Append("-F ").Append(name).Append('\n');
            foreach (var name in chains) text.Append("-X ").Append(name).Append('\n');
            text.Append("COMMIT\n");
        }
        return text.ToString();
    }
}
