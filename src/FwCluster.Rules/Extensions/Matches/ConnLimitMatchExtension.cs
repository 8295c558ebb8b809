using System.Collections.Immutable;
using FwCluster.Packets;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary>The language of <c>-m connlimit</c> (libxt_connlimit.c, revision 1).</summary>
public sealed class ConnLimitMatchExtension : MatchExtension
{
    /// <inheritdoc/>
    public override string Name => "connlimit";

    /// <inheritdoc/>
    public override ImmutableArray<OptionSpec> Options { get; } =
    [
        new("connlimit-upto") { Invertible = true, Excludes = ["connlimit-above"] },
        new("connlimit-above") { Invertible = true, Excludes = ["connlimit-upto"] },
        new("connlimit-mask"),
        new("connlimit-saddr", 0) { Excludes = ["connlimit-daddr"] },
        new("connlimit-daddr", 0) { Excludes = ["connlimit-saddr"] },
    ];

    /// <inheritdoc/>
    public override Match? Build(ExtensionOptions options)
    {
        if ((options.Find("connlimit-upto") ?? options.Find("connlimit-above")) is not { } use)
        {
            options.Error(options.Word, "connlimit: no number of connections is given", "write --connlimit-upto N or --connlimit-above N");
            return null;
        }
        var bits = options.Rule.Family.AddressBits();
        return new ConnLimitMatch(
            options.Rule.Family,
            (uint)options.Number(use.Word, 0, uint.MaxValue),
            use.Spec.Name == "connlimit-above" != use.IsInverted,
            options.Find("connlimit-mask") is { } mask ? (int)options.Number(mask.Word, 0, (ulong)bits) : bits,
            options.Has("connlimit-daddr"));
    }
}
