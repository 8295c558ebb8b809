using FwCluster.Conntrack;
using FwCluster.Packets;

namespace FwCluster.Datapath.Shards;

/// <summary>What a shard says to a worker about one connection.</summary>
public struct ShardReply
{
    /// <summary>What is said.</summary>
    public ShardReplyKind Kind;

    /// <summary>The number of the question; of a <see cref="ShardReplyKind.Recall"/> the number that the return must have.</summary>
    public uint Id;

    /// <summary>The connection's original tuple (<see cref="ShardReplyKind.Recall"/>, <see cref="ShardReplyKind.Revoke"/>).</summary>
    public FlowTuple Tuple;

    /// <summary>The connection's zone (<see cref="ShardReplyKind.Recall"/>, <see cref="ShardReplyKind.Revoke"/>).</summary>
    public ushort Zone;

    /// <summary>In which directions the zone counts.</summary>
    public ZoneDirections ZoneDirections;

    /// <summary>The packet's state.</summary>
    public ConntrackState State;

    /// <summary>Its direction.</summary>
    public Direction Direction;

    /// <summary>Why it is INVALID, or dropped.</summary>
    public TrackFailure Failure;

    /// <summary>Tracking drops the packet, whatever rules say.</summary>
    public bool IsDropped;

    /// <summary>The shard waits for the rules' word: <see cref="ShardRequest.AsksFirst"/>.</summary>
    public bool IsPending;

    /// <summary><see cref="Entry"/> is there.</summary>
    public bool HasEntry;

    /// <summary>The connection: granted to the worker as <see cref="Connection.Grant"/> says, or to be read by its rules.</summary>
    public Connection Entry;

    /// <summary>What the helper of a connection that is granted remembers; null for nothing.</summary>
    public byte[]? Helper;
}

/// <summary>Kinds of <see cref="ShardReply"/>.</summary>
public enum ShardReplyKind : byte
{
    /// <summary>Answers <see cref="ShardRequestKind.Ask"/>.</summary>
    Answer = 1,

    /// <summary>Answers <see cref="ShardRequestKind.Confirm"/> and <see cref="ShardRequestKind.Withdraw"/>.</summary>
    Confirmed = 2,

    /// <summary>Give the connection back: somebody else asks about it.</summary>
    Recall = 3,

    /// <summary>The connection has ended, or what you held of it no longer counts: forget it.</summary>
    Revoke = 4,
}
