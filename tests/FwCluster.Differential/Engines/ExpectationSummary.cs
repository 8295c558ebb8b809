using System.Globalization;
using FwCluster.Packets;

namespace FwCluster.Differential.Engines;

/// <summary>What <c>conntrack -L expect</c> shows of an expectation.</summary>
/// <param name="Master">The original tuple of the connection that announced it.</param>
/// <param name="Tuple">What is expected, zero where anything may stand.</param>
public sealed record ExpectationSummary(FlowTuple Master, FlowTuple Tuple)
{
    public bool MatchSourceAddress { get; init; }

    public bool MatchSourcePort { get; init; }

    public double SecondsLeft { get; init; }

    /// <summary>Equal but for what the time between two reads explains.</summary>
    public bool SameAs(ExpectationSummary other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Clocks.Agree(SecondsLeft, other.SecondsLeft) && this with { SecondsLeft = 0 } == other with { SecondsLeft = 0 };
    }

    public override string ToString()
        => string.Create(CultureInfo.InvariantCulture,
            $"expect {TupleText.Of(Tuple)} source{(MatchSourceAddress ? "" : " any")} port{(MatchSourcePort ? "" : " any")} "
            + $"{SecondsLeft:0} s left, master {TupleText.Of(Master)}");
}
