namespace FwCluster.Conntrack;

/// <summary>The TCP part of an entry (<c>struct ip_ct_tcp</c>).</summary>
public struct TcpTracking
{
    /// <summary>What is known of the original direction's sender.</summary>
    internal TcpWindow Original;

    /// <summary>What is known of the reply direction's sender.</summary>
    internal TcpWindow Reply;

    /// <summary>Sequence number of the last packet, to see retransmissions.</summary>
    internal uint LastSequence;

    /// <summary>Acknowledgment of the last packet.</summary>
    internal uint LastAcknowledgment;

    /// <summary>Where the last packet's data ended.</summary>
    internal uint LastEnd;

    /// <summary>Window of the last packet, unscaled.</summary>
    internal ushort LastWindow;

    /// <summary>Window scale of an ignored SYN.</summary>
    internal byte LastScale;

    /// <summary>Flags noted with an ignored SYN.</summary>
    internal TcpWindowFlags LastFlags;

    /// <summary>Direction of the last packet.</summary>
    internal Direction LastDirection;

    /// <summary>Kind of the last packet.</summary>
    internal TcpSegmentKind LastKind;

    /// <summary>Retransmissions in a row without progress.</summary>
    internal byte Retransmissions;

    /// <summary>The state of the connection.</summary>
    public TcpState State { get; internal set; }
}

/// <summary>What is known of one side's sending (<c>struct ip_ct_tcp_state</c>). Sequence space, modulo 2^32.</summary>
internal struct TcpWindow
{
    /// <summary>Highest sequence number seen plus length (td_end).</summary>
    public uint End;

    /// <summary>Highest acknowledgment plus window that the other side has granted (td_maxend).</summary>
    public uint MaxEnd;

    /// <summary>Largest window this side has announced, scaled (td_maxwin); zero while nothing is known.</summary>
    public uint MaxWindow;

    /// <summary>Highest acknowledgment sent (td_maxack), where <see cref="TcpWindowFlags.MaxAckSet"/>.</summary>
    public uint MaxAck;

    /// <summary>Window scale shift, 0 to 14 (td_scale).</summary>
    public byte Scale;

    /// <summary>What was negotiated and noted.</summary>
    public TcpWindowFlags Flags;
}

/// <summary>Flags of one side (<c>IP_CT_TCP_FLAG_*</c>).</summary>
[Flags]
internal enum TcpWindowFlags : byte
{
    None = 0,
    WindowScale = 0x01,
    SackPermitted = 0x02,
    CloseInit = 0x04,
    BeLiberal = 0x08,
    DataUnacknowledged = 0x10,
    MaxAckSet = 0x20,
    ExpectChallengeAck = 0x40,
    SimultaneousOpen = 0x80,
}

/// <summary>What a segment is to the state table (<c>enum tcp_bit_set</c>).</summary>
internal enum TcpSegmentKind : byte
{
    Syn,
    SynAck,
    Fin,
    Ack,
    Rst,
    None,
}
