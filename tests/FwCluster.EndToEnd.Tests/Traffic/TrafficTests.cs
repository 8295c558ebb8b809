using FwCluster.EndToEnd.Tests.Firewalls;
using FwCluster.EndToEnd.Tests.Networks;
using FwCluster.Packets;
using FwCluster.Referee;

namespace FwCluster.EndToEnd.Tests.Traffic;

/// <summary>
/// UDP, ping, traceroute and path-MTU discovery through a gateway: what arrives, and what each rule counted, is what it is with the
/// kernel's <c>-m state</c> rules.
/// </summary>
public class TrafficTests
{
    private const int BehindMtu = 1300;

    private delegate IEnumerable<string> Scenario(TestNetwork network, IpFamily family);

    [KernelFact]
    public void Datagrams() => AsWithTheKernel(TrafficScenarios.Datagrams, _ => ["echoed 3", "from inside: refused", "from another port: refused", "closed port: ConnectionRefused"]);

    [KernelFact]
    public void Pings() => AsWithTheKernel(TrafficScenarios.Pings, _ => ["out: 3", "in: 0"]);

    /// <summary>Echoes that are longer than the wire allows: the rules see them put together, once.</summary>
    [KernelFact]
    public void FragmentedPings() => AsWithTheKernel(TrafficScenarios.FragmentedPings, _ => ["out: 3"], behindMtu: 1500);

    [KernelTheory]
    [InlineData("")]
    [InlineData("-I")]
    public void Traceroutes(string how) => AsWithTheKernel((network, family) => TrafficScenarios.Traceroute(network, family, how),
        family => family == IpFamily.IPv4
            ? ["10.98.1.1", "10.98.3.2", "10.98.2.20"]
            : ["fd98::1:1", "fd98::3:2", "fd98::2:20"]);

    [KernelFact]
    public void PathMtuOfPings() => AsWithTheKernel(TrafficScenarios.PathMtuOfPings, _ => ["mtu 1300", "short: 1"]);

    /// <summary>A transfer in segments that are too long for the way behind the gateway: it arrives when the gateway lets the router's
    /// word through, and hangs when not.</summary>
    [KernelTheory]
    [InlineData(FirewallKind.Kernel)]
    [InlineData(FirewallKind.FwCluster)]
    public void PathMtuOfTransfers(FirewallKind kind)
    {
        using (var network = Network())
        {
            using var firewall = kind.Start(network.Firewall, TrafficRules.Gateway());
            Parallel.ForEach(IpFamilies.Both, family =>
            {
                Assert.True(TrafficScenarios.Upload(network, family, TimeSpan.FromSeconds(30)), $"{family}: the transfer hangs");
                Assert.Matches(@"(?m)^ +[1-9]\d* +\d+ ACCEPT .* state RELATED", Chain(firewall.ListRules(family), "FORWARD"));
            });
        }

        using (var network = Network())
        {
            using var firewall = kind.Start(network.Firewall, TrafficRules.Gateway(related: false));
            Parallel.ForEach(IpFamilies.Both, family
                => Assert.False(TrafficScenarios.Upload(network, family, TimeSpan.FromSeconds(3)), $"{family}: the transfer arrives without the router's word"));
        }
    }

    private static TestNetwork Network(int behindMtu = BehindMtu)
    {
        var network = new TestNetwork(FirewallPlace.Gateway, routerBehind: true, behindMtu);
        foreach (var place in network.All)
        {
            place.SetSysctl("net.ipv4.icmp_ratelimit", "0");
            place.SetSysctl("net.ipv6.icmp.ratelimit", "0");
        }
        return network;
    }

    private static void AsWithTheKernel(Scenario scenario, Func<IpFamily, IEnumerable<string>> expected, int behindMtu = BehindMtu)
    {
        var reports = new Dictionary<FirewallKind, string>();
        foreach (var kind in Enum.GetValues<FirewallKind>())
        {
            using var network = Network(behindMtu);
            using var firewall = kind.Start(network.Firewall, TrafficRules.Gateway());
            var report = new List<string>();
            foreach (var family in IpFamilies.Both)
            {
                string[] outcome = [.. scenario(network, family)];
                Assert.True(expected(family).SequenceEqual(outcome), $"{kind} {family}: {string.Join(", ", outcome)}\n{firewall.ListRules(family)}");
                report.Add($"{family}: {string.Join(", ", outcome)}\n{WithoutDiscovery(firewall.ListRules(family), family)}");
            }
            reports[kind] = string.Join('\n', report);
        }
        Assert.Equal(reports[FirewallKind.Kernel].Split('\n'), reports[FirewallKind.FwCluster].Split('\n'));
    }

    /// <summary>The listing without the rules for neighbour discovery, and on IPv6 without the policies' counters, which count the rest of it.</summary>
    private static string WithoutDiscovery(string listing, IpFamily family)
        => family == IpFamily.IPv4
            ? listing
            : string.Join('\n', listing.Split('\n').Where(line => !line.Contains("icmptype", StringComparison.Ordinal)));

    private static string Chain(string listing, string name)
        => listing.Split("Chain ").Single(chain => chain.StartsWith(name + " ", StringComparison.Ordinal));
}
