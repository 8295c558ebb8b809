namespace FwCluster.Conntrack;

/// <summary>States of a tracked TCP connection, numbered and named as the kernel's <c>enum tcp_conntrack</c>.</summary>
public enum TcpState : byte
{
    /// <summary>Initial.</summary>
    None = 0,

    /// <summary>A SYN was seen.</summary>
    SynSent = 1,

    /// <summary>A SYN/ACK was seen.</summary>
    SynRecv = 2,

    /// <summary>An ACK was seen.</summary>
    Established = 3,

    /// <summary>A FIN was seen.</summary>
    FinWait = 4,

    /// <summary>An ACK was seen after a FIN.</summary>
    CloseWait = 5,

    /// <summary>A FIN was seen after a FIN.</summary>
    LastAck = 6,

    /// <summary>The last ACK was seen.</summary>
    TimeWait = 7,

    /// <summary>Closed by RST.</summary>
    Close = 8,

    /// <summary>A SYN was seen from the reply direction: simultaneous open.</summary>
    SynSent2 = 9,
}
