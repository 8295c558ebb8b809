using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Sets;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary><c>-m set</c>: is the packet in a set (<c>set_match_v4</c> in xt_set.c)? The timeouts of a set's elements begin with the first
/// packet that a compiled ruleset asks a set about.</summary>
public sealed class SetMatch : Match
{
    private Clock _clock = new();

    /// <summary>The set.</summary>
    public required IpSet Set { get; init; }

    /// <summary>True for <c>! --match-set</c>.</summary>
    public bool IsInverted { get; init; }

    /// <summary>How many parts of the packet are asked by, 1 to 6.</summary>
    public required int Dimensions { get; init; }

    /// <summary>Bit n is set where part n, from 0, is the source's.</summary>
    public required byte SourceBits { get; init; }

    /// <summary>Exceptions are asked for.</summary>
    public bool ReturnsNomatch { get; init; }

    /// <summary><c>! --update-counters</c>; sets here do not count.</summary>
    public bool SkipsCounters { get; init; }

    /// <summary><c>! --update-subcounters</c>.</summary>
    public bool SkipsSubcounters { get; init; }

    /// <inheritdoc/>
    public override string Name => "set";

    private string Sides => string.Join(',', Enumerable.Range(0, Dimensions).Select(n => (SourceBits >> n & 1) != 0 ? "src" : "dst"));

    /// <inheritdoc/>
    public override bool Matches(ref PacketContext packet, ref bool hotDrop)
    {
        if (_clock.Start == 0) _clock.Start = packet.Now;
        var question = new SetQuestion(Dimensions, SourceBits, ReturnsNomatch, packet.Now - _clock.Start);
        return Set.Contains(ref packet, in question) != IsInverted;
    }

    /// <inheritdoc/>
    public override Match Bind(MatchMemory memory)
    {
        var bound = (SetMatch)MemberwiseClone();
        bound._clock = memory.Table("", () => new Clock());
        return bound;
    }

    /// <inheritdoc/>
    public override void Write(RuleWriter writer)
    {
        writer.Option("--match-set", IsInverted).Word(Set.Name).Word(Sides);
        if (ReturnsNomatch) writer.Word("--return-nomatch");
        if (SkipsCounters) writer.Option("--update-counters", inverted: true);
        if (SkipsSubcounters) writer.Option("--update-subcounters", inverted: true);
    }

    /// <inheritdoc/>
    public override void List(ListingWriter writer)
    {
        writer.Words($"{(IsInverted ? "! " : "")}match-set {Set.Name} {Sides}");
        if (ReturnsNomatch) writer.Words("return-nomatch");
        if (SkipsCounters) writer.Words("! update-counters");
        if (SkipsSubcounters) writer.Words("! update-subcounters");
    }

    private sealed class Clock
    {
        /// <summary>When the first packet came, nanoseconds since the Unix epoch; 0 before it.</summary>
        public long Start;
    }
}
