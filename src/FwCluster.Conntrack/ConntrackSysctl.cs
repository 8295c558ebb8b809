using System.Globalization;

namespace FwCluster.Conntrack;

/// <summary>Settings of tracking by the kernel's names, <c>nf_conntrack_udp_timeout=10</c> (Documentation/networking/nf_conntrack-sysctl.rst).</summary>
public static class ConntrackSysctl
{
    private const string Prefix = "nf_conntrack_";

    private static readonly SortedDictionary<string, Setting> Known = new(StringComparer.Ordinal)
    {
        ["nf_conntrack_max"] = new(s => s.MaxEntries, (s, v) => s with { MaxEntries = Math.Max(1, v) }),
        ["nf_conntrack_expect_max"] = new(s => s.MaxExpectations, (s, v) => s with { MaxExpectations = v }),
        ["nf_conntrack_checksum"] = Flag(s => s.VerifyChecksums, (s, v) => s with { VerifyChecksums = v }),
        ["nf_conntrack_helper"] = Flag(s => s.AutomaticHelpers, (s, v) => s with { AutomaticHelpers = v }),
        ["nf_conntrack_tcp_loose"] = Flag(s => s.TcpLoose, (s, v) => s with { TcpLoose = v }),
        ["nf_conntrack_tcp_be_liberal"] = Flag(s => s.TcpBeLiberal, (s, v) => s with { TcpBeLiberal = v }),
        ["nf_conntrack_tcp_max_retrans"] = new(s => s.TcpMaxRetransmissions, (s, v) => s with { TcpMaxRetransmissions = v }),
        ["nf_conntrack_tcp_ignore_invalid_rst"] = Flag(s => s.TcpIgnoreInvalidRst, (s, v) => s with { TcpIgnoreInvalidRst = v }),
        ["nf_conntrack_tcp_timeout_syn_sent"] = Tcp(t => t.SynSent, (t, v) => t with { SynSent = v }),
        ["nf_conntrack_tcp_timeout_syn_recv"] = Tcp(t => t.SynRecv, (t, v) => t with { SynRecv = v }),
        ["nf_conntrack_tcp_timeout_established"] = Tcp(t => t.Established, (t, v) => t with { Established = v }),
        ["nf_conntrack_tcp_timeout_fin_wait"] = Tcp(t => t.FinWait, (t, v) => t with { FinWait = v }),
        ["nf_conntrack_tcp_timeout_close_wait"] = Tcp(t => t.CloseWait, (t, v) => t with { CloseWait = v }),
        ["nf_conntrack_tcp_timeout_last_ack"] = Tcp(t => t.LastAck, (t, v) => t with { LastAck = v }),
        ["nf_conntrack_tcp_timeout_time_wait"] = Tcp(t => t.TimeWait, (t, v) => t with { TimeWait = v }),
        ["nf_conntrack_tcp_timeout_close"] = Tcp(t => t.Close, (t, v) => t with { Close = v }),
        ["nf_conntrack_tcp_timeout_max_retrans"] = Tcp(t => t.Retransmission, (t, v) => t with { Retransmission = v }),
        ["nf_conntrack_tcp_timeout_unacknowledged"] = Tcp(t => t.Unacknowledged, (t, v) => t with { Unacknowledged = v }),
        ["nf_conntrack_udp_timeout"] = Timeout(s => s.UdpTimeout, (s, v) => s with { UdpTimeout = v }),
        ["nf_conntrack_udp_timeout_stream"] = Timeout(s => s.UdpStreamTimeout, (s, v) => s with { UdpStreamTimeout = v }),
        ["nf_conntrack_icmp_timeout"] = Timeout(s => s.IcmpTimeout, (s, v) => s with { IcmpTimeout = v }),
        ["nf_conntrack_icmpv6_timeout"] = Timeout(s => s.IcmpV6Timeout, (s, v) => s with { IcmpV6Timeout = v }),
        ["nf_conntrack_gre_timeout"] = Timeout(s => s.GreTimeout, (s, v) => s with { GreTimeout = v }),
        ["nf_conntrack_gre_timeout_stream"] = Timeout(s => s.GreStreamTimeout, (s, v) => s with { GreStreamTimeout = v }),
        ["nf_conntrack_generic_timeout"] = Timeout(s => s.GenericTimeout, (s, v) => s with { GenericTimeout = v }),
    };

    /// <summary>The names, sorted.</summary>
    public static IEnumerable<string> Names => Known.Keys;

    /// <summary>Every setting's value by its name. Timeouts are in seconds; what is on or off is 1 or 0.</summary>
    public static IEnumerable<(string Name, int Value)> Values(ConntrackSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return Known.Select(k => (k.Key, k.Value.Get(settings)));
    }

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
        if (!Known.TryGetValue(name, out var setting))
            return $"there is no setting '{name}'; there are {string.Join(", ", Known.Keys)}";
        if (!int.TryParse(assignment.AsSpan(equals + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var value))
            return $"'{assignment[(equals + 1)..]}' is no value for {name}; a number from 0 to {int.MaxValue} is (timeouts in seconds)";
        settings = setting.Set(settings, value);
        return null;
    }

    private static Setting Flag(Func<ConntrackSettings, bool> get, Func<ConntrackSettings, bool, ConntrackSettings> set)
        => new(settings => get(settings) ? 1 : 0, (settings, value) => set(settings, value != 0));

    private static Setting Timeout(Func<ConntrackSettings, TimeSpan> get, Func<ConntrackSettings, TimeSpan, ConntrackSettings> set)
        => new(settings => (int)get(settings).TotalSeconds, (settings, seconds) => set(settings, TimeSpan.FromSeconds(seconds)));

    private static Setting Tcp(Func<TcpTimeouts, TimeSpan> get, Func<TcpTimeouts, TimeSpan, TcpTimeouts> set)
        => Timeout(settings => get(settings.Tcp), (settings, timeout) => settings with { Tcp = set(settings.Tcp, timeout) });

    private sealed record Setting(Func<ConntrackSettings, int> Get, Func<ConntrackSettings, int, ConntrackSettings> Set);
}
