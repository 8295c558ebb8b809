using System.Collections.Frozen;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Extensions.Matches;
using FwCluster.Rules.Extensions.Targets;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions;

/// <summary>Every extension the language has: a new one is a file of its own and one line here, sorted by name.</summary>
public static class ExtensionRegistry
{
    private static readonly MatchExtension[] AllMatches =
    [
        new CommentMatchExtension(),
        new ConnmarkMatchExtension(),
        new ConntrackMatchExtension(),
        new HelperMatchExtension(),
        new IcmpMatchExtension(),
        new Icmp6MatchExtension(),
        new IprangeMatchExtension(),
        new MarkMatchExtension(),
        new MultiportMatchExtension(),
        new StateMatchExtension(),
        new TcpMatchExtension(),
        new UdpMatchExtension(),
    ];

    private static readonly TargetExtension[] AllTargets =
    [
        new VerdictTargetExtension("ACCEPT", Verdict.Accept),
        new ConnmarkTargetExtension(),
        new CtTargetExtension(),
        new VerdictTargetExtension("DROP", Verdict.Drop),
        new DscpTargetExtension(),
        new LogTargetExtension(),
        new MarkTargetExtension(),
        new NflogTargetExtension(),
        new NoTrackTargetExtension(),
        new RejectTargetExtension(),
        new VerdictTargetExtension("RETURN", Verdict.Return),
        new TosTargetExtension(),
    ];

    /// <summary>Matches by each of their names.</summary>
    public static FrozenDictionary<string, MatchExtension> Matches { get; } = ByName(AllMatches);

    /// <summary>Targets by each of their names.</summary>
    public static FrozenDictionary<string, TargetExtension> Targets { get; } = ByName(AllTargets);

    private static FrozenDictionary<string, T> ByName<T>(IEnumerable<T> extensions) where T : Extension
        => extensions.SelectMany(e => e.Aliases.Prepend(e.Name).Select(n => (Name: n, Extension: e)))
            .ToFrozenDictionary(p => p.Name, p => p.Extension, StringComparer.Ordinal);
}
