using FwCluster.Packets;
using FwCluster.Rules.Model;
using FwCluster.Rules.Sets;

namespace FwCluster.Rules.Text;

/// <summary>What several texts come to together: the rules of both families, or what is wrong, never both.</summary>
/// <param name="IPv4">The IPv4 rules; null where there are none, or mistakes.</param>
/// <param name="IPv6">The IPv6 rules; null where there are none, or mistakes.</param>
/// <param name="Errors">Every mistake: of the sets, or, where these have none, of the rules.</param>
/// <param name="Conflict">Why texts that have no mistakes do not go together, in a sentence; null where they do.</param>
public sealed record RuleTexts(Ruleset? IPv4, Ruleset? IPv6, IReadOnlyList<RuleError> Errors, string? Conflict)
{
    /// <summary>What the mistakes are in: <c>rules</c> or <c>sets</c>.</summary>
    public string Subject { get; private init; } = "rules";

    /// <summary>Reads texts.</summary>
    /// <param name="rules">Rules that are IPv4's unless they say otherwise; a script of both families' command lines is here. Null for none.</param>
    /// <param name="rules6">IPv6 rules; null for none.</param>
    /// <param name="sets">The sets that rules name; null for none.</param>
    public static RuleTexts Read(RuleText? rules, RuleText? rules6, RuleText? sets)
    {
        var settings = ReaderSettings.Default;
        if (sets is not null)
        {
            var read = SetReader.Read(sets.Text, sets.Name);
            if (!read.Succeeded) return new RuleTexts(null, null, read.Errors, null) { Subject = "sets" };
            settings = settings with { Sets = read.Sets! };
        }
        var first = rules is null ? null : RulesetReader.Read(rules.Text, rules.Name, IpFamily.IPv4, settings);
        var second = rules6 is null ? null : RulesetReader.Read(rules6.Text, rules6.Name, IpFamily.IPv6, settings);
        RuleError[] errors = [.. first?.Errors ?? [], .. second?.Errors ?? []];
        if (errors.Length > 0) return new RuleTexts(null, null, errors, null);
        if (second?.IPv4 is not null)
            return Refused($"{rules6!.Name} has IPv4 rules, and is given for IPv6 ones; give it for IPv4, where a file may have both");
        if (first?.IPv6 is not null && second?.IPv6 is not null)
            return Refused($"both {rules!.Name} and {rules6!.Name} have IPv6 rules; give them in one of the two");
        return new RuleTexts(first?.IPv4, first?.IPv6 ?? second?.IPv6, [], null);
    }

    private static RuleTexts Refused(string conflict) => new(null, null, [], conflict);
}
