using FwCluster.Conntrack;
using FwCluster.Packets;

namespace FwCluster.Datapath;

/// <summary>What a worker has seen. Written by the worker.</summary>
public sealed class WorkerStatistics
{
    private readonly ulong[] _fates = new ulong[Enum.GetValues<PacketFate>().Length];

    /// <summary>Frames taken.</summary>
    public ulong Frames { get; private set; }

    /// <summary>IPv4 packets that reached rules.</summary>
    public ulong IPv4 { get; private set; }

    /// <summary>IPv6 packets that reached rules.</summary>
    public ulong IPv6 { get; private set; }

    /// <summary>Packets that a match dropped on the spot, though its rule did not match (counted as dropped, too).</summary>
    public ulong HotDropped { get; private set; }

    /// <summary>Packets dropped because too many waited for their connections' shards already.</summary>
    public ulong Overloaded { get; private set; }

    /// <summary>Packets dropped because their connection's shard has not answered in time.</summary>
    public ulong Unanswered { get; private set; }

    /// <summary>Questions that this worker asked shards.</summary>
    public ulong Questions { get; private set; }

    /// <summary>How long their answers took.</summary>
    public WaitTimes Answers { get; } = new();

    /// <summary>Frames of this fate.</summary>
    public ulong this[PacketFate fate] => _fates[(int)fate];

    internal void CountQuestion() => Questions++;

    internal void Count(in PacketOutcome outcome)
    {
        Frames++;
        _fates[(int)outcome.Fate]++;
        if (outcome.Fate < PacketFate.Accepted) return;
        if (outcome.Fate == PacketFate.TrackingDropped)
        {
            if (outcome.Failure == TrackFailure.Overload) Overloaded++;
            else if (outcome.Failure == TrackFailure.Unanswered) Unanswered++;
        }
        if (outcome.Family == IpFamily.IPv6) IPv6++;
        else IPv4++;
        if (outcome.Fate == PacketFate.Dropped && outcome.Decision.IsHotDrop) HotDropped++;
    }
}
