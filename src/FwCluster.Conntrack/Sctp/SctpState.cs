namespace FwCluster.Conntrack;

/// <summary>States of a tracked SCTP association, numbered and named as the kernel's <c>enum sctp_conntrack</c>. They are the
/// connection's, not those of an endpoint (RFC 9260 section 4).</summary>
public enum SctpState : byte
{
    /// <summary>Initial.</summary>
    None = 0,

    /// <summary>An INIT was seen in the original direction, or the association is over.</summary>
    Closed = 1,

    /// <summary>An INIT ACK was seen.</summary>
    CookieWait = 2,

    /// <summary>A COOKIE ECHO was seen.</summary>
    CookieEchoed = 3,

    /// <summary>A COOKIE ACK was seen.</summary>
    Established = 4,

    /// <summary>A SHUTDOWN was seen in the original direction.</summary>
    ShutdownSent = 5,

    /// <summary>A SHUTDOWN was seen in the reply direction.</summary>
    ShutdownRecd = 6,

    /// <summary>A SHUTDOWN ACK was seen, opposite to the SHUTDOWN.</summary>
    ShutdownAckSent = 7,

    /// <summary>A HEARTBEAT was seen on a path without a connection: a second path of an association.</summary>
    HeartbeatSent = 8,
}

/// <summary>Names of <see cref="SctpState"/>.</summary>
public static class SctpStateExtensions
{
    /// <summary>The name as <c>conntrack -L</c> writes it.</summary>
    public static string Name(this SctpState state) => state switch
    {
        SctpState.Closed => "CLOSED",
        SctpState.CookieWait => "COOKIE_WAIT",
        SctpState.CookieEchoed => "COOKIE_ECHOED",
        SctpState.Established => "ESTABLISHED",
        SctpState.ShutdownSent => "SHUTDOWN_SENT",
        SctpState.ShutdownRecd => "SHUTDOWN_RECD",
        SctpState.ShutdownAckSent => "SHUTDOWN_ACK_SENT",
        SctpState.HeartbeatSent => "HEARTBEAT_SENT",
        _ => "NONE",
    };
}
