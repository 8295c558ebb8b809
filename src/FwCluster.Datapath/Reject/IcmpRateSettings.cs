namespace FwCluster.Datapath.Reject;

/// <summary>How often ICMP errors are sent: the sysctls of the same names (Documentation/networking/ip-sysctl.rst), with the kernel's
/// defaults. Immutable.</summary>
public sealed record IcmpRateSettings
{
    /// <summary><c>net.ipv4.icmp_ratelimit</c>: milliseconds that one host must wait for the next IPv4 error, once it had six at once; 0
    /// for no limit.</summary>
    public int IPv4Milliseconds { get; init; } = 1000;

    /// <summary><c>net.ipv6.icmp.ratelimit</c>: the same for IPv6.</summary>
    public int IPv6Milliseconds { get; init; } = 100;

    /// <summary><c>net.ipv4.icmp_msgs_per_sec</c>: errors a second of both families to all hosts together; 0 stops them all.</summary>
    public int MessagesPerSecond { get; init; } = 1000;

    /// <summary><c>net.ipv4.icmp_msgs_burst</c>: how many of them at once.</summary>
    public int MessagesBurst { get; init; } = 50;
}
