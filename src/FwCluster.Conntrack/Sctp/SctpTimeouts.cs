namespace FwCluster.Conntrack;

/// <summary>Timeouts of SCTP associations by state (<c>nf_conntrack_sctp_timeout_*</c>).</summary>
public sealed record SctpTimeouts
{
    /// <summary>After an INIT, and after the end.</summary>
    public TimeSpan Closed { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>After an INIT ACK.</summary>
    public TimeSpan CookieWait { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>After a COOKIE ECHO.</summary>
    public TimeSpan CookieEchoed { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Established.</summary>
    public TimeSpan Established { get; init; } = TimeSpan.FromSeconds(210);

    /// <summary>After a SHUTDOWN in the original direction.</summary>
    public TimeSpan ShutdownSent { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>After a SHUTDOWN in the reply direction.</summary>
    public TimeSpan ShutdownRecd { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>After a SHUTDOWN ACK.</summary>
    public TimeSpan ShutdownAckSent { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>After a HEARTBEAT on a path without a connection.</summary>
    public TimeSpan HeartbeatSent { get; init; } = TimeSpan.FromSeconds(30);
}
