namespace FwCluster.EndToEnd.Tests.Firewalls;

/// <summary>What a firewall is to do.</summary>
/// <param name="RulesIPv4">Rules as iptables-save prints them, or as <c>iptables</c> command lines.</param>
/// <param name="RulesIPv6">Rules as ip6tables-save prints them, or as <c>ip6tables</c> command lines.</param>
internal sealed record FirewallSetup(string RulesIPv4, string RulesIPv6)
{
    /// <summary>Whether the ftp helper reads control connections to port 21.</summary>
    public bool FtpHelper { get; init; } = true;

    /// <summary>Settings of tracking, such as <c>nf_conntrack_tcp_timeout_established</c> = 2.</summary>
    public IReadOnlyDictionary<string, int> Sysctls { get; init; } = new Dictionary<string, int>();

    /// <summary>Settings that only the daemon has, such as <c>cluster.listen=10.73.0.1:4053</c>.</summary>
    public IReadOnlyList<string> DaemonSettings { get; init; } = [];
}
