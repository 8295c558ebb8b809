using FwCluster.Conntrack;
using FwCluster.Datapath.Shards;
using FwCluster.Differential.Engines;
using FwCluster.Packets;
using FwCluster.Referee;

namespace FwCluster.Differential.Comparison;

/// <summary>What sharing a connection among workers changes by design, against one kernel that sees all its packets: docs/clustering.md, "What sharing
/// changes".</summary>
/// <param name="engine">The workers, as the second tracker.</param>
public sealed class SharingDifferences(DealtEngine engine) : IKnownDifferences
{
    /// <summary>A segment outside of its window passes as ESTABLISHED.</summary>
    public const string Window = "window";

    /// <summary>A reset ends the connection, whatever its sequence number.</summary>
    public const string Reset = "reset";

    /// <summary>The connection lives as long as its state says, also with data that nobody acknowledges.</summary>
    public const string Timeout = "timeout";

    /// <summary>A segment counts, and renews the timeout, that the kernel lets pass without either: one that it knows to be old.</summary>
    public const string Counted = "counted";

    /// <summary>A SYN or FIN, or what answers one, that the kernel lets pass without following it takes the connection's state on.</summary>
    public const string Moved = "moved";

    private static readonly double Patient = ConntrackSettings.Default.Tcp.Established.TotalSeconds;
    private static readonly double Impatient = ConntrackSettings.Default.Tcp.Unacknowledged.TotalSeconds; // and that of retransmissions

    /// <summary>How often each was met.</summary>
    public SortedDictionary<string, long> Times { get; } = [];

    /// <inheritdoc/>
    public string? Name(TrackedState first, TrackedState second)
    {
        if (engine.Last is not { } key || key.Tuple.Protocol != IpProtocol.Tcp || engine.PastOf(key) is not { } past) return null;
        if (past.Apart is not null) return past.Apart;
        if (first == TrackedState.Invalid && second == TrackedState.Established) past.Apart = Count(Window);
        else if ((past.Flags & TcpFlags.Rst) != 0) past.Apart = Count(Reset);
        else if ((past.Flags & (TcpFlags.Syn | TcpFlags.Fin)) != 0) past.Apart = Count(Moved);
        return past.Apart;
    }

    /// <inheritdoc/>
    public string? Name(ConnectionSummary first, ConnectionSummary second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        if (first.Original.Protocol != IpProtocol.Tcp || engine.PastOf(FlowKey.Of(first.Original)) is not { } past) return null;
        if ((past.Flags & TcpFlags.Rst) != 0) return Count(Reset);
        var livesLonger = first.TcpState == (int)TcpState.Established && IsAbout(first.SecondsLeft, Impatient) && IsAbout(second.SecondsLeft, Patient);
        var timed = livesLonger ? first with { SecondsLeft = second.SecondsLeft } : first;
        if (timed.SameAs(second)) return Count(Timeout);
        var (sent, answered) = (engine.Dealt(first.Original), engine.Dealt(first.Reply));
        if (second.OriginalPackets > sent.Packets || second.OriginalBytes > sent.Bytes || second.ReplyPackets > answered.Packets
            || second.ReplyBytes > answered.Bytes)
            return null; // counted twice
        var countsMore = second.OriginalPackets >= first.OriginalPackets && second.OriginalBytes >= first.OriginalBytes
            && second.ReplyPackets >= first.ReplyPackets && second.ReplyBytes >= first.ReplyBytes;
        // What counts renews, too.
        var renews = second.OriginalPackets + second.ReplyPackets > first.OriginalPackets + first.ReplyPackets && second.SecondsLeft > first.SecondsLeft;
        var counted = timed with
        {
            SecondsLeft = renews ? second.SecondsLeft : timed.SecondsLeft,
            OriginalPackets = second.OriginalPackets, OriginalBytes = second.OriginalBytes,
            ReplyPackets = second.ReplyPackets, ReplyBytes = second.ReplyBytes,
        };
        if (countsMore && counted.SameAs(second)) return Count(Counted);
        var moved = counted with { TcpState = second.TcpState, SecondsLeft = second.SecondsLeft };
        return (past.Flags & (TcpFlags.Syn | TcpFlags.Fin)) != 0 && moved.SameAs(second) ? Count(Moved) : null;
    }

    /// <inheritdoc/>
    public bool IsApart(FlowTuple tuple)
        => engine.Shared.Any(shared => shared.Value.Apart is not null && (Meets(shared.Key.Tuple, tuple) || Meets(TupleInverse.Of(shared.Key.Tuple), tuple)));

    /// <summary>True where a packet has this tuple, or meets an expectation, which may leave the source open.</summary>
    private static bool Meets(in FlowTuple packet, in FlowTuple expected)
        => packet.Protocol == expected.Protocol && packet.Destination == expected.Destination && packet.DestinationPort == expected.DestinationPort
            && (expected.Source == default || packet.Source == expected.Source) && (expected.SourcePort == 0 || packet.SourcePort == expected.SourcePort);

    private static bool IsAbout(double seconds, double what) => Math.Abs(seconds - what) < 6;

    private string Count(string name)
    {
        Times[name] = Times.GetValueOrDefault(name) + 1;
        return name;
    }
}
