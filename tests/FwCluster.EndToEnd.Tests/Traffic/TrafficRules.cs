using FwCluster.EndToEnd.Tests.Firewalls;
using FwCluster.EndToEnd.Tests.Networks;

namespace FwCluster.EndToEnd.Tests.Traffic;

/// <summary>A gateway's rules: what begins at the client's side, what belongs to it and what is about it. A rule for each state and
/// protocol, so that their counters tell what a packet was taken for.</summary>
internal static class TrafficRules
{
    // Queries and reports of multicast listeners, router and neighbour discovery.
    private static readonly int[] Discovery = [130, 131, 132, 133, 134, 135, 136, 143];

    /// <summary>The rules, with or without the one that lets errors about known connections pass.</summary>
    public static FirewallSetup Gateway(bool related = true) => new(Table("icmp", related), Table("ipv6-icmp", related));

    private static string Table(string icmp, bool related)
    {
        // Neighbour discovery is no connection; it comes and goes as it likes, and has rules of its own so as not to be counted below.
        var discovery = icmp == "icmp" ? [] : Discovery
            .SelectMany(type => (string[])[$"-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type {type} -j ACCEPT", $"-A OUTPUT -p ipv6-icmp -m icmp6 --icmpv6-type {type} -j ACCEPT"]);
        string[] rules =
        [
            .. discovery,
            .. ((string[])["udp", "tcp", icmp]).SelectMany(protocol => (string[])
            [
                $"-A FORWARD -i {TestNetwork.Outer} -o {TestNetwork.Inner} -p {protocol} -m state --state NEW -j ACCEPT",
                $"-A FORWARD -p {protocol} -m state --state ESTABLISHED -j ACCEPT",
            ]),
            .. related ? (string[])[$"-A FORWARD -p {icmp} -m state --state RELATED -j ACCEPT"] : [],
            // What the gateway itself says, and what is said to it.
            .. ((string[])["INPUT", "OUTPUT"]).SelectMany(chain => ((string[])["NEW", "ESTABLISHED", "RELATED", "INVALID"])
                .Select(state => $"-A {chain} -p {icmp} -m state --state {state} -j ACCEPT")),
        ];
        return $"*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n{string.Join('\n', rules)}\nCOMMIT\n";
    }
}
