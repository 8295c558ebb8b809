using FwCluster.EndToEnd.Tests.Firewalls;
using FwCluster.EndToEnd.Tests.Networks;
using FwCluster.Referee.Lab;

namespace FwCluster.EndToEnd.Tests.Ftp;

/// <summary>Rules that let FTP through and nothing else.</summary>
internal static class FtpRules
{
    private const string NeighborDiscovery = """
        -A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 135 -j ACCEPT
        -A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 136 -j ACCEPT
        -A OUTPUT -p ipv6-icmp -m icmp6 --icmpv6-type 135 -j ACCEPT
        -A OUTPUT -p ipv6-icmp -m icmp6 --icmpv6-type 136 -j ACCEPT

        """;

    /// <summary>Policies of DROP; logins of the client's side, what belongs to them, and what they announced.</summary>
    /// <param name="place">Where the firewall stands.</param>
    /// <param name="related">Whether what was announced may pass.</param>
    public static FirewallSetup Strict(FirewallPlace place, bool related = true)
    {
        var text = place == FirewallPlace.Host ? Host(related) : Gateway(related, TestNetwork.Outer, TestNetwork.Inner);
        return new FirewallSetup(Table(text), Table(NeighborDiscovery + text));
    }

    /// <summary>The same for each of several gateways, which may say to each other what they like.</summary>
    public static FirewallSetup StrictForEachGateway()
    {
        var text = $"-A INPUT -i {GatewaysLab.ClusterSide} -j ACCEPT\n-A OUTPUT -o {GatewaysLab.ClusterSide} -j ACCEPT\n"
            + Gateway(related: true, GatewaysLab.ClientSide, GatewaysLab.ServerSide);
        return new FirewallSetup(Table(text), Table(NeighborDiscovery + text));
    }

    private static string Table(string rules)
        => $"*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT DROP [0:0]\n{rules}COMMIT\n";

    private static string Host(bool related) => $"""
        -A INPUT -i lo -j ACCEPT
        -A INPUT -i {TestNetwork.Outer} -p tcp -m tcp --dport 21 -m state --state NEW -j ACCEPT
        {(related ? "-A INPUT -p tcp -m state --state RELATED -j ACCEPT" : "")}
        -A INPUT -p tcp -m state --state ESTABLISHED -j ACCEPT
        -A OUTPUT -o lo -j ACCEPT
        {(related ? "-A OUTPUT -p tcp -m state --state RELATED -j ACCEPT" : "")}
        -A OUTPUT -p tcp -m state --state ESTABLISHED -j ACCEPT

        """;

    private static string Gateway(bool related, string outer, string inner) => $"""
        -A FORWARD -i {outer} -o {inner} -p tcp -m tcp --dport 21 -m state --state NEW -j ACCEPT
        {(related ? "-A FORWARD -p tcp -m state --state RELATED -j ACCEPT" : "")}
        -A FORWARD -p tcp -m state --state ESTABLISHED -j ACCEPT

        """;
}
