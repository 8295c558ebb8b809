using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary><c>-m statistic --mode nth</c>: every nth packet (<c>statistic_mt</c> in xt_statistic.c).</summary>
/// <param name="every">How many packets make a round, at least 1.</param>
/// <param name="packet">Which packet of a round matches, from 0.</param>
/// <param name="isInverted">True for <c>! --every</c>.</param>
public sealed class NthMatch(uint every, uint packet, bool isInverted) : Match
{
    private uint _count = every - 1 - packet;

    /// <inheritdoc/>
    public override string Name => "statistic";

    /// <inheritdoc/>
    public override bool Remembers => true;

    /// <inheritdoc/>
    public override bool Matches(ref PacketContext packet, ref bool hotDrop)
    {
        _count = _count == every - 1 ? 0 : _count + 1;
        return _count == 0 != isInverted;
    }

    /// <inheritdoc/>
    public override Match Bind(MatchMemory memory) => new NthMatch(every, packet, isInverted);

    /// <inheritdoc/>
    public override void Write(RuleWriter writer)
        => writer.Word("--mode").Word("nth").Option("--every", isInverted).Number(every).Word("--packet").Number(packet);

    /// <inheritdoc/>
    public override void List(ListingWriter writer)
        => writer.Words($"statistic mode nth{(isInverted ? " !" : "")} every {every}{(packet == 0 ? "" : $" packet {packet}")}");
}
