using System.Collections.Immutable;
using System.Globalization;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary>The language of <c>-m statistic</c> (libxt_statistic.c).</summary>
public sealed class StatisticMatchExtension : MatchExtension
{
    /// <inheritdoc/>
    public override string Name => "statistic";

    /// <inheritdoc/>
    public override ImmutableArray<OptionSpec> Options { get; } =
    [
        new("mode") { Required = true },
        new("probability") { Invertible = true, Excludes = ["every", "packet"] },
        new("every") { Invertible = true, Excludes = ["probability"], Requires = ["packet"] },
        new("packet") { Excludes = ["probability"], Requires = ["every"] },
    ];

    /// <inheritdoc/>
    public override Match? Build(ExtensionOptions options)
    {
        if (options.Find("mode") is not { } mode) return null;
        switch (mode.Word.Text)
        {
            case "random" when options.Find("probability") is { } probability:
                return new RandomMatch(Probability(options, probability.Word), probability.IsInverted, Random.Shared);
            case "nth" when options.Find("every") is { } every && options.Find("packet") is { } packet:
                return Nth(options, every, packet);
            case "random":
                options.Error(mode.Word, "statistic: --mode random needs --probability");
                return null;
            case "nth":
                options.Error(mode.Word, "statistic: --mode nth needs --every and --packet");
                return null;
            default:
                options.Error(mode.Word, $"statistic: \"{mode.Word}\" is not a mode", "there are random and nth");
                return null;
        }
    }

    private static NthMatch? Nth(ExtensionOptions options, OptionUse every, OptionUse packet)
    {
        var round = (uint)options.Number(every.Word, 1, uint.MaxValue);
        var nth = (uint)options.Number(packet.Word, 0, uint.MaxValue);
        if (nth < round) return new NthMatch(round, nth, every.IsInverted);
        options.Error(packet.Word, $"statistic: packets of a round of {round} are numbered 0 to {round - 1}");
        return null;
    }

    private static uint Probability(ExtensionOptions options, Token word)
    {
        if (double.TryParse(word.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var probability) && probability is >= 0 and <= 1)
            return (uint)Math.Round(probability * RandomMatch.Always, MidpointRounding.AwayFromZero);
        options.Error(word, $"statistic: \"{word}\" is not a probability", "write a number from 0 to 1, like 0.5");
        return 0;
    }
}
