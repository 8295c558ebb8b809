using System.Collections.Frozen;
using FwCluster.Packets;
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
        new AddressTypeMatchExtension(),
        new CommentMatchExtension(),
        new ConnLimitMatchExtension(),
        new ConnmarkMatchExtension(),
        new ConntrackMatchExtension(),
        SctpMatchExtension.Dccp,
        new DscpMatchExtension(),
        new HashLimitMatchExtension(),
        new HelperMatchExtension(),
        new HopLimitMatchExtension(IpFamily.IPv4),
        new HopLimitMatchExtension(IpFamily.IPv6),
        new Icmp6MatchExtension(),
        new IcmpMatchExtension(),
        new IprangeMatchExtension(),
        new LengthMatchExtension(),
        new LimitMatchExtension(),
        new MacMatchExtension(),
        new MarkMatchExtension(),
        new MultiportMatchExtension(),
        new PacketTypeMatchExtension(),
        new RecentMatchExtension(),
        SctpMatchExtension.Sctp,
        new SetMatchExtension(),
        new StateMatchExtension(),
        new StatisticMatchExtension(),
        new TcpMatchExtension(),
        new TcpMssMatchExtension(),
        new TimeMatchExtension(),
        new TosMatchExtension(),
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
