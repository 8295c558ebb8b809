using FwCluster.Conntrack;
using FwCluster.Packets;

namespace FwCluster.Datapath.Shards;

/// <summary>What a worker says to a shard about one connection. The packet that is asked about comes beside it, as bytes.</summary>
public struct ShardRequest
{
    /// <summary>What is said.</summary>
    public ShardRequestKind Kind;

    /// <summary>The worker's number of the question (<see cref="ShardRequestKind.Ask"/>, and <see cref="ShardRequestKind.Confirm"/> and
    /// <see cref="ShardRequestKind.Withdraw"/> after it); of a <see cref="ShardRequestKind.Return"/> the number of the recall.</summary>
    public uint Id;

    /// <summary>A tuple of the connection, of either direction. An ICMP error's is the one that belongs to the packet it quotes.</summary>
    public FlowTuple Tuple;

    /// <summary>What the raw table said of the packet; of a connection, its zone.</summary>
    public ConnectionTemplate Template;

    /// <summary>The states in which the rules accept the packet.</summary>
    public AcceptedStates Accepts;

    /// <summary>The rules can only be run once the connection is known: the answer leaves it open whether the packet is accepted, and a
    /// <see cref="ShardRequestKind.Confirm"/> or <see cref="ShardRequestKind.Withdraw"/> follows.</summary>
    public bool AsksFirst;

    /// <summary>The packet's length, bytes; what comes beside the request may be less.</summary>
    public int WireLength;

    /// <summary>The expectation in the node's directory that the packet would meet.</summary>
    public ExpectationId Expectation;

    /// <summary><see cref="Entry"/> is there.</summary>
    public bool HasEntry;

    /// <summary>The connection as the worker has it. With a question it goes back: the worker held it, and may not decide this packet.</summary>
    public Connection Entry;

    /// <summary>What the connection's helper remembers (<see cref="ConnectionTable.SaveHelper"/>), where a connection goes back; null for nothing.</summary>
    public byte[]? Helper;

    /// <summary>It may be said a little later, so that it goes with something else; in its order. Not said to the shard.</summary>
    public bool CanWait;
}

/// <summary>Kinds of <see cref="ShardRequest"/>.</summary>
public enum ShardRequestKind : byte
{
    /// <summary>Which state has this packet, and may the worker have its connection?</summary>
    Ask = 1,

    /// <summary>The rules accepted the packet that was asked about first; <see cref="ShardRequest.Entry"/> has the mark they left on its connection.</summary>
    Confirm = 2,

    /// <summary>The rules did not accept it.</summary>
    Withdraw = 3,

    /// <summary>The connection that was recalled; without an entry where the worker does not have it.</summary>
    Return = 4,

    /// <summary>What has become of a connection that the worker holds.</summary>
    Report = 5,

    /// <summary>A connection that the worker holds has ended.</summary>
    End = 6,

    /// <summary>This host has reset the connection (<c>-j REJECT --reject-with tcp-reset</c>), which the worker does not hold.</summary>
    Close = 7,
}
