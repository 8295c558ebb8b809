namespace FwCluster.Control.Rulesets.Followed;

/// <summary>Which rule files are followed, and how often somebody looks.</summary>
/// <param name="IPv4">The IPv4 rules' file, or null.</param>
/// <param name="IPv6">The IPv6 rules' file, or null.</param>
/// <param name="Sets">The sets' file, or null.</param>
public sealed record RulesetFollowerOptions(string? IPv4, string? IPv6, string? Sets)
{
    /// <summary>How often the files are read.</summary>
    public TimeSpan Every { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long after rules that a node did not take they are tried again.</summary>
    public TimeSpan Again { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long content that was applied before, and followed by another since, must stand here before it counts as brought back: longer than
    /// it takes until every node is shown a change (a kubelet looks once a minute, and what it looks at may be a minute old).</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>The files.</summary>
    public IEnumerable<string> Files => new[] { IPv4, IPv6, Sets }.OfType<string>();

    /// <summary>The file of a text, as mistakes name it.</summary>
    internal string NameOf(string text) => Path.GetFileName(text switch
    {
        CheckedRuleset.IPv4Name => IPv4,
        CheckedRuleset.IPv6Name => IPv6,
        _ => Sets,
    }) ?? text;
}
