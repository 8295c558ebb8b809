using System.Globalization;

namespace FwCluster.Conntrack;

/// <summary>Settings of tracking by the kernel's names, <c>nf_conntrack_udp_timeout=10</c> (Documentation/networking/nf_conntrack-sysctl.rst).</summary>
public static class ConntrackSysctl
{
    private const string Prefix = "nf_conntrack_";

    private static readonly SortedDictionary<string, Func<ConntrackSettings, int, ConntrackSettings>> Known = new(StringComparer.Ordinal)
    {
        ["nf_conntrack_max"] = (s, v) => s with { MaxEntries = Math.Max(1, v) },
        ["nf_conntrack_expect_max"] = (s, v) => s with { MaxExpectations = v },
        ["nf_conntrack_checksum"] = (s, v) => s with { VerifyChecksums = v != 0 },
        ["nf_conntrack_helper"] = (s, v) => s with { AutomaticHelpers = v != 0 },
        ["nf_conntrack_tcp_loose"] = (s, v) => s with { TcpLoose = v != 0 },
        ["nf_conntrack_tcp_be_liberal"] = (s, v) => s with { TcpBeLiberal = v != 0 },
        ["nf_conntrack_tcp_max_retrans"] = (s, v) => s with { TcpMaxRetransmissions = v },
        ["nf_conntrack_tcp_ignore_invalid_rst"] = (s, v) => s with { TcpIgnoreInvalidRst = v != 0 },
        ["nf_conntrack_tcp_timeout_syn_sent"] = Tcp((t, v) => t with { SynSent = v }),
        ["nf_conntrack_tcp_timeout_syn_recv"] = Tcp((t, v) => t with { SynRecv = v }),
        ["nf_conntrack_tcp_timeout_established"] = Tcp((t, v) => t with { Established = v }),
        ["nf_conntrack_tcp_timeout_fin_wait"] = Tcp((t, v) => t with { FinWait = v }),
        ["nf_conntrack_tcp_timeout_close_wait"] = Tcp((t, v) => t with { CloseWait = v }),
        ["nf_conntrack_tcp_timeout_last_ack"] = Tcp((t, v) => t with { LastAck = v }),
        ["nf_conntrack_tcp_timeout_time_wait"] = Tcp((t, v) => t with { TimeWait = v }),
        ["nf_conntrack_tcp_timeout_close"] = Tcp((t, v) => t with { Close = v }),
        ["nf_conntrack_tcp_timeout_max_retrans"] = Tcp((t, v) => t with { Retransmission = v }),
        ["nf_conntrack_tcp_timeout_unacknowledged"] = Tcp((t, v) => t with { Unacknowledged = v }),
        ["nf_conntrack_udp_timeout"] = Timeout((s, v) => s with { UdpTimeout = v }),
        ["nf_conntrack_udp_timeout_stream"] = Timeout((s, v) => s with { UdpStreamTimeout = v }),
        ["nf_conntrack_icmp_timeout"] = Timeout((s, v) => s with { IcmpTimeout = v }),
        ["nf_conntrack_icmpv6_timeout"] = Timeout((s, v) => s with { IcmpV6Timeout = v }),
        ["nf_conntrack_gre_timeout"] = Timeout((s, v) => s with { GreTimeout = v }),
        ["nf_conntrack_gre_timeout_stream"] = Timeout((s, v) => s with { GreStreamTimeout = v }),
        ["nf_conntrack_generic_timeout"] = Timeout((s, v) => s with { GenericTimeout = v }),
    };

    /// <summary>The names, sorted.</summary>
    public static IEnumerable<string> Names => Known.Keys;

    /// <summary>Changes settings by one <c>NAME=VALUE</c>.</summary>
    /// <param name="assignment">The assignment; the name may begin with <c>net.netfilter.</c>, timeouts are in seconds.</param>
    /// <param name="settings">The settings; left alone where something is wrong.</param>
    /// <returns>What is wrong and what would be right, or null.</returns>
    public static string? Apply(string assignment, ref ConntrackSettings settings)
    {
        var equals = assignment.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0) return $"'{assignment}' is no setting; {Prefix}udp_timeout=10 would be one";
        var name = assignment[..equals].Trim();
        if (name.StartsWith("net.netfilter.", StringComparison.Ordinal)) name = name["net.netfilter.".Length..];
        if (!Known.TryGetValue(name, out var set))
            return $"there is no setting '{name}'; there are {string.Join(", ", Known.Keys)}";
        if (!int.TryParse(assignment.AsSpan(equals + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var value))
            return $"'{assignment[(equals + 1)..]}' is no value for {name}; a number from 0 to {int.MaxValue} is (timeouts in seconds)";
        settings = set(settings, value);
        return null;
    }

    private static Func<ConntrackSettings, int, ConntrackSettings> Timeout(Func<ConntrackSettings, TimeSpan, ConntrackSettings> set)
        => (settings, seconds) => set(settings, TimeSpan.FromSeconds(seconds));

    private static Func<ConntrackSettings, int, ConntrackSettings> Tcp(Func<TcpTimeouts, TimeSpan, TcpTimeouts> set)
        => (settings, seconds) => settings with { Tcp = set(settings.Tcp, TimeSpan.FromSeconds(seconds)) };
}
