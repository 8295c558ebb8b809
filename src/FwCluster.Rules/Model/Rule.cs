using System.Collections.Immutable;

namespace FwCluster.Rules.Model;

/// <summary>One rule: all its matches, then its target or jump.</summary>
/// <param name="Matches">In the order written; addresses, protocol, interfaces and fragment flag are the first, an IpMatch, where
/// the rule has any.</param>
/// <param name="Target">The target, or null for a jump, a goto, or a rule that only counts.</param>
/// <param name="Chain">The user chain of <c>-j</c> or <c>-g</c>, or null.</param>
/// <param name="IsGoto">True for <c>-g</c>.</param>
/// <param name="Counters">Where counting starts.</param>
/// <param name="Line">Line of the text it came from, 1-based; 0 where it came from none.</param>
public sealed record Rule(
    ImmutableArray<Match> Matches, Target? Target, string? Chain, bool IsGoto, RuleCounters Counters, int Line);

/// <summary>Packets and bytes a rule or policy has met (bytes of the IP packets).</summary>
/// <param name="Packets">Packets.</param>
/// <param name="Bytes">Bytes.</param>
public readonly record struct RuleCounters(ulong Packets, ulong Bytes);
