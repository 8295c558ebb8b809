using System.Collections.Immutable;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary>The language of <c>-m limit</c> (libxt_limit.c).</summary>
public sealed class LimitMatchExtension : MatchExtension
{
    private const uint DefaultPeriod = 3600 / 3 * (uint)PacketRate.LimitScale;

    /// <inheritdoc/>
    public override string Name => "limit";

    /// <inheritdoc/>
    public override ImmutableArray<OptionSpec> Options { get; } = [new("limit"), new("limit-burst")];

    /// <inheritdoc/>
    public override Match? Build(ExtensionOptions options)
    {
        var period = options.Find("limit") is { } limit
            ? (uint)PacketRate.Read(options, limit.Word, PacketRate.LimitScale, out _)
            : DefaultPeriod;
        var burst = options.Find("limit-burst") is { } use ? (uint)options.Number(use.Word, 1, 10_000) : LimitMatch.DefaultBurst;
        var match = new LimitMatch(period, burst);
        if (match.Overflows)
        {
            options.Error(options.Find("limit-burst")?.Word ?? options.Word,
                "limit: so many packets at so low a rate are more than the kernel can count", "use a smaller burst or a higher rate");
        }
        return match;
    }
}
