namespace FwCluster.Capture.Divert;

/// <summary>The table whose chains send packets to the queues.</summary>
public enum DivertTable
{
    /// <summary>
    /// security, which comes after filter at the same hooks: what the host's own rules drop is not diverted, none of the host's rules is
    /// skipped, and no rule of the host before it can accept a packet past the queues. Hardly anybody else has rules in it.
    /// </summary>
    Security,

    /// <summary>
    /// mangle, which comes before filter, for kernels without the security table. A packet that comes back from a queue goes on at the
    /// next table: the host's own rules in mangle's INPUT, FORWARD and OUTPUT (such as TCPMSS) then do not see it.
    /// </summary>
    Mangle,
}
