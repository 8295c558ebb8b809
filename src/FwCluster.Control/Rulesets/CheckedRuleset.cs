using FwCluster.Packets;
using FwCluster.Rules.Model;
using FwCluster.Rules.Sets;
using FwCluster.Rules.Text;

namespace FwCluster.Control.Rulesets;

/// <summary>Rules in which there is no mistake: only <see cref="Read"/> makes them.</summary>
public sealed class CheckedRuleset
{
    /// <summary>What mistakes in the IPv4 text name as their file; so with the others.</summary>
    public const string IPv4Name = "ipv4";

    /// <inheritdoc cref="IPv4Name"/>
    public const string IPv6Name = "ipv6";

    /// <inheritdoc cref="IPv4Name"/>
    public const string SetsName = "sets";

    private readonly Lazy<RulesetTexts> _canonical;

    private CheckedRuleset(RulesetTexts texts, Ruleset ipv4, Ruleset ipv6)
    {
        Texts = texts;
        IPv4 = Uncounted(ipv4);
        IPv6 = Uncounted(ipv6);
        _canonical = new Lazy<RulesetTexts>(() => new RulesetTexts(RulesetWriter.Write(IPv4), RulesetWriter.Write(IPv6), texts.Sets));
    }

    /// <summary>No rules.</summary>
    public static CheckedRuleset Empty { get; } = new(RulesetTexts.Empty, Ruleset.Empty(IpFamily.IPv4), Ruleset.Empty(IpFamily.IPv6));

    /// <summary>The rules as they were written.</summary>
    public RulesetTexts Texts { get; }

    /// <summary>The IPv4 rules. What the text says was counted is not in them: counting begins at 0, as with <c>iptables-restore</c>.</summary>
    public Ruleset IPv4 { get; }

    /// <summary>The IPv6 rules; so with them.</summary>
    public Ruleset IPv6 { get; }

    /// <summary>The rules in canonical form. Written when it is asked for: of all nodes that take rules, one is.</summary>
    public RulesetTexts Canonical => _canonical.Value;

    /// <summary>Reads rules.</summary>
    /// <returns>The rules, or every mistake in them; never both.</returns>
    public static (CheckedRuleset? Rules, IReadOnlyList<RuleError> Errors) Read(RulesetTexts texts)
    {
        ArgumentNullException.ThrowIfNull(texts);
        var errors = new List<RuleError>();
        var settings = ReaderSettings.Default;
        if (texts.Sets.Length > 0)
        {
            var sets = SetReader.Read(texts.Sets, SetsName);
            errors.AddRange(sets.Errors);
            if (sets.Sets is { } found) settings = settings with { Sets = found };
        }
        var first = RulesetReader.Read(texts.IPv4, IPv4Name, IpFamily.IPv4, settings);
        var second = texts.IPv6.Length > 0 ? RulesetReader.Read(texts.IPv6, IPv6Name, IpFamily.IPv6, settings) : null;
        errors.AddRange([.. first.Errors, .. second?.Errors ?? []]);
        if (second?.IPv4 is not null) errors.Add(Misplaced(IPv6Name, "there are IPv4 rules here", "they belong into the text ipv4"));
        if (first.IPv6 is not null && second?.IPv6 is not null)
            errors.Add(Misplaced(IPv6Name, "the text ipv4 has IPv6 rules, too", "give them in one of the two"));
        if (errors.Count > 0) return (null, errors);
        return (new CheckedRuleset(
            texts, first.IPv4 ?? Ruleset.Empty(IpFamily.IPv4), first.IPv6 ?? second?.IPv6 ?? Ruleset.Empty(IpFamily.IPv6)), []);
    }

    private static RuleError Misplaced(string text, string message, string hint) => new(text, 1, 1, 1, message, hint, "");

    private static Ruleset Uncounted(Ruleset rules) => rules with { Tables = [.. rules.Tables.Select(Uncounted)] };

    private static Table Uncounted(Table table) => table with
    {
        Chains = [.. table.Chains.Select(chain => chain with
        {
            PolicyCounters = default,
            Rules = [.. chain.Rules.Select(rule => rule with { Counters = default })],
        })],
    };
}
