namespace FwCluster.Capture.Divert;

/// <summary>A table as iptables-save prints it.</summary>
internal sealed class SavedTable
{
    private readonly List<string> _chains = [];
    private readonly List<string> _rules = [];

    private SavedTable(string name) => Name = name;

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Names of the chains of ours in it.</summary>
    public IEnumerable<string> OwnChains => _chains.Where(chain => chain.StartsWith(DivertChain.Prefix, StringComparison.Ordinal));

    /// <summary>The rules that are ours: those in our chains, and those that jump to them.</summary>
    public IEnumerable<string> OwnRules => _rules.Where(rule => ChainOf(rule).StartsWith(DivertChain.Prefix, StringComparison.Ordinal)
        || JumpsToUs(rule));

    /// <summary>The jumps to our chains from chains that are not ours.</summary>
    public IEnumerable<string> Jumps
        => _rules.Where(rule => !ChainOf(rule).StartsWith(DivertChain.Prefix, StringComparison.Ordinal) && JumpsToUs(rule));

    /// <summary>Reads the tables that a text has.</summary>
    public static Dictionary<string, SavedTable> Read(string text)
    {
        var tables = new Dictionary<string, SavedTable>();
        SavedTable? table = null;
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line[0] == '*') tables[line[1..]] = table = new SavedTable(line[1..]);
            else if (line[0] == ':') table?._chains.Add(Word(line[1..]));
            else if (line.StartsWith("-A ", StringComparison.Ordinal)) table?._rules.Add(line.TrimEnd());
        }
        return tables;
    }

    /// <summary>True where the first rule of a chain, and no other, is the jump to ours.</summary>
    public bool HasJump(DivertChain chain)
    {
        var rules = _rules.Where(rule => ChainOf(rule) == chain.BuiltIn).ToList();
        var jump = $"-A {chain.BuiltIn} {chain.Jump}";
        return rules.Count > 0 && rules[0] == jump && rules.Count(rule => rule.EndsWith(chain.Jump, StringComparison.Ordinal)) == 1;
    }

    /// <summary>True where what is ours here is the same as there.</summary>
    public bool HasSameAs(SavedTable other)
        => OwnChains.Order().SequenceEqual(other.OwnChains.Order()) && OwnRules.SequenceEqual(other.OwnRules);

    private static string ChainOf(string rule) => Word(rule[3..]);

    private static bool JumpsToUs(string rule)
    {
        var at = rule.LastIndexOf(" -j ", StringComparison.Ordinal);
        if (at < 0) at = rule.LastIndexOf(" -g ", StringComparison.Ordinal);
        return at >= 0 && rule.AsSpan(at + 4).StartsWith(DivertChain.Prefix);
    }

    private static string Word(string text)
    {
        var end = text.IndexOf(' ');
        return end < 0 ? text : text[..end];
    }
}
