namespace FwCluster.Conntrack;

/// <summary>What tracking says of a packet. The caller runs the rules with it, then confirms or discards.</summary>
public struct TrackResult
{
    /// <summary>The state that rules see.</summary>
    public ConntrackState State;

    /// <summary>The packet's direction in its connection.</summary>
    public Direction Direction;

    /// <summary>Index of the entry, for <see cref="ConnectionTable.this[int]"/>; -1 for none.</summary>
    public int Connection;

    /// <summary>The entry is not in the table yet: it begins with this packet, when the rules accept it.</summary>
    public bool IsUnconfirmed;

    /// <summary>The owner of the connection has decided the packet, its helper's reading included: what the helper remembers has come with the
    /// connection.</summary>
    public bool IsOwners;

    /// <summary>Tracking itself drops the packet, before any rule after the raw table sees it (the table is full).</summary>
    public bool Drop;

    /// <summary>Why the packet is INVALID or dropped.</summary>
    public TrackFailure Failure;
}

/// <summary>Why a packet has no connection, or was dropped. Each is counted (<see cref="ConntrackStatistics"/>).</summary>
public enum TrackFailure : byte
{
    /// <summary>Nothing failed.</summary>
    None,

    /// <summary>The transport header is cut off or lies about a length.</summary>
    Malformed,

    /// <summary>The transport checksum is wrong (where checking is on).</summary>
    Checksum,

    /// <summary>A combination of TCP flags that means nothing.</summary>
    TcpFlags,

    /// <summary>The state table has no way for this segment in this state.</summary>
    TcpState,

    /// <summary>Sequence or acknowledgment outside the window.</summary>
    TcpWindow,

    /// <summary>A RST whose sequence number is not the one expected.</summary>
    TcpRst,

    /// <summary>Not a SYN, and picking up connections is off (<see cref="ConntrackSettings.TcpLoose"/>).</summary>
    TcpNotLoose,

    /// <summary>An ICMP message that neither asks nor belongs to a query.</summary>
    IcmpType,

    /// <summary>An ICMP error about a packet of no known connection.</summary>
    IcmpUnknownQuote,

    /// <summary>An ICMP error whose quoted packet cannot be read, or whose addresses contradict it.</summary>
    IcmpBadQuote,

    /// <summary>A segment of another tracked protocol that does not fit its connection's state.</summary>
    Protocol,

    /// <summary>The table is full and nothing could be dropped early: the packet is dropped.</summary>
    TableFull,

    /// <summary>A helper could not note its expectation: the packet is dropped.</summary>
    Helper,

    /// <summary>Another packet confirmed the same tuple first: the packet is dropped.</summary>
    Clash,

    /// <summary>Too many packets wait for the owner of their connections to answer already: the packet is dropped.</summary>
    Overload,

    /// <summary>The owner of the packet's connection has not answered in time: the packet is dropped.</summary>
    Unanswered,
}
