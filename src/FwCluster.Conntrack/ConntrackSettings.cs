namespace FwCluster.Conntrack;

/// <summary>What the kernel has as <c>net.netfilter.nf_conntrack_*</c>, with its defaults (Documentation/networking/
/// nf_conntrack-sysctl.rst). Immutable.</summary>
public sealed record ConntrackSettings
{
    /// <summary>The kernel's defaults.</summary>
    public static ConntrackSettings Default { get; } = new();

    /// <summary>Entries the table may hold (nf_conntrack_max), at least 1.</summary>
    public int MaxEntries { get; init; } = 262_144;

    /// <summary>Expectations the table may hold (nf_conntrack_expect_max).</summary>
    public int MaxExpectations { get; init; } = 1024;

    /// <summary>How long an expectation may be met; null for each helper's own time. The kernel has it as a constant of each helper
    /// (<c>nf_conntrack_expect_policy.timeout</c>), userspace helpers as ExpectTimeout.</summary>
    public TimeSpan? ExpectTimeout { get; init; }

    /// <summary>Pick up connections whose beginning was not seen (nf_conntrack_tcp_loose).</summary>
    public bool TcpLoose { get; init; } = true;

    /// <summary>Only RST outside the window is INVALID (nf_conntrack_tcp_be_liberal).</summary>
    public bool TcpBeLiberal { get; init; }

    /// <summary>Retransmissions without progress that shorten the timeout (nf_conntrack_tcp_max_retrans).</summary>
    public int TcpMaxRetransmissions { get; init; } = 3;

    /// <summary>Do not mark an out-of-window RST INVALID, and do not close for it (nf_conntrack_tcp_ignore_invalid_rst).</summary>
    public bool TcpIgnoreInvalidRst { get; init; }

    /// <summary>Verify transport checksums of packets that come in (nf_conntrack_checksum). Off by default here, unlike the kernel: a
    /// capture made on the sending host has unfinished checksums.</summary>
    public bool VerifyChecksums { get; init; }

    /// <summary>Attach helpers to their usual ports without a rule (nf_conntrack_helper before Linux 6.0).</summary>
    public bool AutomaticHelpers { get; init; } = true;

    /// <summary>Timeouts of TCP connections.</summary>
    public TcpTimeouts Tcp { get; init; } = new();

    /// <summary>Timeouts of SCTP associations.</summary>
    public SctpTimeouts Sctp { get; init; } = new();

    /// <summary>UDP with packets one way only (nf_conntrack_udp_timeout).</summary>
    public TimeSpan UdpTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>UDP both ways (nf_conntrack_udp_timeout_stream).</summary>
    public TimeSpan UdpStreamTimeout { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>ICMP queries (nf_conntrack_icmp_timeout).</summary>
    public TimeSpan IcmpTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>ICMPv6 queries (nf_conntrack_icmpv6_timeout).</summary>
    public TimeSpan IcmpV6Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>GRE one way (nf_conntrack_gre_timeout).</summary>
    public TimeSpan GreTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>GRE both ways (nf_conntrack_gre_timeout_stream).</summary>
    public TimeSpan GreStreamTimeout { get; init; } = TimeSpan.FromSeconds(180);

    /// <summary>Every other protocol (nf_conntrack_generic_timeout).</summary>
    public TimeSpan GenericTimeout { get; init; } = TimeSpan.FromSeconds(600);
}

/// <summary>Timeouts of TCP connections by state (<c>nf_conntrack_tcp_timeout_*</c>).</summary>
public sealed record TcpTimeouts
{
    /// <summary>After the first SYN.</summary>
    public TimeSpan SynSent { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>After the SYN/ACK.</summary>
    public TimeSpan SynRecv { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Established.</summary>
    public TimeSpan Established { get; init; } = TimeSpan.FromDays(5);

    /// <summary>After the first FIN.</summary>
    public TimeSpan FinWait { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>After the first FIN's ACK.</summary>
    public TimeSpan CloseWait { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>After the second FIN.</summary>
    public TimeSpan LastAck { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>After the last ACK.</summary>
    public TimeSpan TimeWait { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>After a RST.</summary>
    public TimeSpan Close { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>After the second SYN of a simultaneous open; the kernel has no setting for it and uses SYN_SENT's default.</summary>
    public TimeSpan SynSent2 { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>After too many retransmissions without an answer (max_retrans).</summary>
    public TimeSpan Retransmission { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>While data is unacknowledged (unacknowledged).</summary>
    public TimeSpan Unacknowledged { get; init; } = TimeSpan.FromMinutes(5);
}
