using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary><c>-m statistic --mode random</c>: packets by chance.</summary>
/// <param name="probability">Of 0x80000000 packets, how many match.</param>
/// <param name="isInverted">True for <c>! --probability</c>.</param>
/// <param name="random">Chance.</param>
public sealed class RandomMatch(uint probability, bool isInverted, Random random) : Match
{
    /// <summary>The probability of always.</summary>
    public const uint Always = 0x80000000;

    /// <inheritdoc/>
    public override string Name => "statistic";

    private string Probability => ((double)probability / Always).ToString("F11", System.Globalization.CultureInfo.InvariantCulture);

    /// <inheritdoc/>
    public override bool Remembers => true;

    /// <inheritdoc/>
    public override bool Matches(ref PacketContext packet, ref bool hotDrop) => random.NextInt64(Always) < probability != isInverted;

    /// <inheritdoc/>
    public override Match Bind(MatchMemory memory) => new RandomMatch(probability, isInverted, memory.Random);

    /// <inheritdoc/>
    public override void Write(RuleWriter writer)
        => writer.Word("--mode").Word("random").Option("--probability", isInverted)
            .Word(Probability);

    /// <inheritdoc/>
    public override void List(ListingWriter writer)
        => writer.Words($"statistic mode random{(isInverted ? " !" : "")} probability {Probability}");
}
