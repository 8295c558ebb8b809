using System.Collections.Immutable;
using FwCluster.Packets;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary>The language of <c>-m recent</c> (libxt_recent.c).</summary>
public sealed class RecentMatchExtension : MatchExtension
{
    // XT_RECENT_NAME_LEN, with its end; below XT_RECENT_MAX_NSTAMPS, which Linux 6.11 raised from 256.
    private const int MaxNameLength = 199;
    private const int MaxHitCount = 65535;

    /// <inheritdoc/>
    public override string Name => "recent";

    /// <inheritdoc/>
    public override ImmutableArray<OptionSpec> Options { get; } =
    [
        new("set", 0) { Invertible = true, Excludes = ["rcheck", "update", "remove"] },
        new("rcheck", 0) { Invertible = true, Excludes = ["set", "update", "remove"] },
        new("update", 0) { Invertible = true, Excludes = ["set", "rcheck", "remove"] },
        new("remove", 0) { Invertible = true, Excludes = ["set", "rcheck", "update"] },
        new("seconds") { Excludes = ["set", "remove"] },
        new("reap", 0) { Requires = ["seconds"], Excludes = ["set", "remove"] },
        new("hitcount") { Excludes = ["set", "remove"] },
        new("rttl", 0) { Excludes = ["set", "remove"] },
        new("name"), new("mask"),
        new("rsource", 0), new("rdest", 0),
    ];

    /// <inheritdoc/>
    public override Match? Build(ExtensionOptions options)
    {
        if (Action(options) is not { } action) return null;
        var family = options.Rule.Family;
        return new RecentMatch
        {
            Family = family,
            Action = action,
            IsInverted = options.Uses.Any(u => u.IsInverted),
            Seconds = options.Find("seconds") is { } seconds ? (uint)options.Number(seconds.Word, 1, uint.MaxValue) : 0,
            Reaps = options.Has("reap"),
            HitCount = options.Find("hitcount") is { } hits ? (int)options.Number(hits.Word, 0, MaxHitCount) : 0,
            ComparesTtl = options.Has("rttl"),
            ListName = options.Find("name") is { } name ? TableName.Read(options, name.Word, MaxNameLength) : "DEFAULT",
            Mask = options.Find("mask") is { } mask
                ? options.Address(mask.Word)
                : IpAddress.PrefixMask(family, family.AddressBits()),
            // The last one written counts.
            OfDestination = options.Uses.LastOrDefault(u => u.Spec.Name is "rsource" or "rdest")?.Spec.Name == "rdest",
        };
    }

    private static RecentAction? Action(ExtensionOptions options)
    {
        if (options.Has("set")) return RecentAction.Set;
        if (options.Has("rcheck")) return RecentAction.Check;
        if (options.Has("update")) return RecentAction.Update;
        if (options.Has("remove")) return RecentAction.Remove;
        options.Error(options.Word, "recent: nothing is said to be done", "write one of --set, --rcheck, --update, --remove");
        return null;
    }
}
