using System.Globalization;
using FwCluster.Packets;

namespace FwCluster.Differential.Engines;

/// <summary>What <c>conntrack -L</c> shows of a connection.</summary>
public sealed record ConnectionSummary(FlowTuple Original, FlowTuple Reply)
{
    /// <summary>The TCP state's number, or -1.</summary>
    public int TcpState { get; init; } = -1;

    public bool SeenReply { get; init; }

    public bool Assured { get; init; }

    /// <summary>It was expected.</summary>
    public bool Expected { get; init; }

    public ulong OriginalPackets { get; init; }

    public ulong OriginalBytes { get; init; }

    public ulong ReplyPackets { get; init; }

    public ulong ReplyBytes { get; init; }

    /// <summary>The helper's name, or nothing.</summary>
    public string Helper { get; init; } = "";

    /// <summary>Seconds left. The two sides read their clocks one after the other: <see cref="SameAs"/> allows for it.</summary>
    public double SecondsLeft { get; init; }

    /// <summary>Equal but for what the time between two reads explains.</summary>
    public bool SameAs(ConnectionSummary other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Clocks.Agree(SecondsLeft, other.SecondsLeft) && this with { SecondsLeft = 0 } == other with { SecondsLeft = 0 };
    }

    public override string ToString()
        => string.Create(CultureInfo.InvariantCulture, $"{TupleText.Of(Original)}{(TcpState < 0 ? "" : " " + TupleText.TcpState(TcpState))} "
            + $"{(SeenReply ? "" : "[UNREPLIED] ")}{(Assured ? "[ASSURED] " : "")}{(Expected ? "[EXPECTED] " : "")}"
            + $"original {OriginalPackets}/{OriginalBytes} reply {ReplyPackets}/{ReplyBytes} "
            + $"{(Helper.Length == 0 ? "" : "helper=" + Helper + " ")}{SecondsLeft:0} s left"
            + $"reply tuple {TupleText.Of(Reply)}");

}
