using FwCluster.Conntrack;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Datapath;

/// <summary>What became of a packet, and who said so.</summary>
public struct PacketOutcome
{
    /// <summary>How far it came.</summary>
    public PacketFate Fate;

    /// <summary>The family; <see cref="IpFamily.None"/> for what is not IP.</summary>
    public IpFamily Family;

    /// <summary>The state that rules saw; <see cref="ConntrackState.None"/> where it was never tracked.</summary>
    public ConntrackState State;

    /// <summary>Its direction in its connection, where it has one.</summary>
    public Direction Direction;

    /// <summary>Why it was INVALID, or dropped by tracking.</summary>
    public TrackFailure Failure;

    /// <summary>The table that decided: the one that stopped the packet, else filter.</summary>
    public TableId Table;

    /// <summary>The hook at which it decided.</summary>
    public Hook Hook;

    /// <summary>The decision, with chain and rule. Meaningful where the <see cref="Fate"/> is <see cref="PacketFate.Accepted"/>,
    /// <see cref="PacketFate.Dropped"/> or <see cref="PacketFate.Rejected"/>.</summary>
    public Decision Decision;

    /// <summary>The mark it leaves with.</summary>
    public uint Mark;

    /// <summary>The type of service, or traffic class, it leaves with.</summary>
    public byte Tos;

    /// <summary>True where a rule has changed <see cref="Tos"/>.</summary>
    public bool IsTosChanged;

    /// <summary>True where rules have decided.</summary>
    public readonly bool IsDecidedByRules => Fate is PacketFate.Accepted or PacketFate.Dropped or PacketFate.Rejected;
}

/// <summary>How far a packet came.</summary>
public enum PacketFate : byte
{
    /// <summary>Not an IP packet: rules are not asked.</summary>
    NotIp,

    /// <summary>An IP header that lies: the stack drops it before rules are asked.</summary>
    BadHeader,

    /// <summary>A fragment that waits for the others of its packet. The one that completes it carries the packet's outcome.</summary>
    FragmentHeld,

    /// <summary>A fragment that cannot belong to a packet.</summary>
    FragmentDropped,

    /// <summary>It waits for the shard that has its connection: the verdict comes by <see cref="IVerdictPort"/>.</summary>
    Held,

    /// <summary>All rules on its way accepted it.</summary>
    Accepted,

    /// <summary>A rule or policy dropped it.</summary>
    Dropped,

    /// <summary>A rule rejected it.</summary>
    Rejected,

    /// <summary>Tracking dropped it: the table is full, a helper refused it, another packet was first
    /// (<see cref="PacketOutcome.Failure"/>).</summary>
    TrackingDropped,
}
