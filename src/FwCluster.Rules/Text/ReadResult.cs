using FwCluster.Packets;
using FwCluster.Rules.Model;

namespace FwCluster.Rules.Text;

/// <summary>What a rule file came to: rulesets, or the mistakes in it, never both.</summary>
/// <param name="IPv4">The IPv4 rules; null where the file has none, or has mistakes.</param>
/// <param name="IPv6">The IPv6 rules; null where the file has none, or has mistakes.</param>
/// <param name="Errors">Every mistake, in the file's order.</param>
public sealed record ReadResult(Ruleset? IPv4, Ruleset? IPv6, IReadOnlyList<RuleError> Errors)
{
    /// <summary>True where there is no mistake.</summary>
    public bool Succeeded => Errors.Count == 0;

    /// <summary>The ruleset of a family, or null.</summary>
    public Ruleset? Of(IpFamily family) => family == IpFamily.IPv6 ? IPv6 : IPv4;
}
