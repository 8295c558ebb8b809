using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using FwCluster.EndToEnd.Tests.Firewalls;
using FwCluster.EndToEnd.Tests.Networks;
using FwCluster.Packets;
using FwCluster.Referee;

namespace FwCluster.EndToEnd.Tests.Traffic;

/// <summary>
/// UDP, ping, traceroute and path-MTU discovery through a gateway: what arrives, and what each rule counted, is what it is with the
/// kernel's <c>-m state</c> rules.
/// </summary>
public partial class TrafficTests
{
    private const int BehindMtu = 1300;

    private delegate IEnumerable<string> Scenario(TestNetwork network, IpFamily family);

    [KernelFact]
    public void Datagrams() => AsWithTheKernel(Datagrams, _ => ["echoed 3", "from inside: refused", "from another port: refused", "closed port: ConnectionRefused"]);

    [KernelFact]
    public void Pings() => AsWithTheKernel(Pings, _ => ["out: 3", "in: 0"]);

    /// <summary>Echoes that are longer than the wire allows: the rules see them put together, once.</summary>
    [KernelFact]
    public void FragmentedPings() => AsWithTheKernel(FragmentedPings, _ => ["out: 3"]);

    [KernelTheory]
    [InlineData("")]
    [InlineData("-I")]
    public void Traceroutes(string how) => AsWithTheKernel((network, family) => Traceroute(network, family, how),
        family => family == IpFamily.IPv4
            ? ["10.98.1.1", "10.98.3.2", "10.98.2.20"]
            : ["fd98::1:1", "fd98::3:2", "fd98::2:20"]);

    [KernelFact]
    public void PathMtuOfPings() => AsWithTheKernel(PathMtuOfPings, _ => ["mtu 1300", "short: 1"]);

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
                Assert.True(Upload(network, family, TimeSpan.FromSeconds(30)), $"{family}: the transfer hangs");
                Assert.Matches(@"(?m)^ +[1-9]\d* +\d+ ACCEPT .* state RELATED", Chain(firewall.ListRules(family), "FORWARD"));
            });
        }

        using (var network = Network())
        {
            using var firewall = kind.Start(network.Firewall, TrafficRules.Gateway(related: false));
            Parallel.ForEach(IpFamilies.Both, family
                => Assert.False(Upload(network, family, TimeSpan.FromSeconds(3)), $"{family}: the transfer arrives without the router's word"));
        }
    }

    private static TestNetwork Network()
    {
        var network = new TestNetwork(FirewallPlace.Gateway, routerBehind: true, BehindMtu);
        foreach (var place in network.All)
        {
            place.SetSysctl("net.ipv4.icmp_ratelimit", "0");
            place.SetSysctl("net.ipv6.icmp.ratelimit", "0");
        }
        return network;
    }

    private static void AsWithTheKernel(Scenario scenario, Func<IpFamily, IEnumerable<string>> expected)
    {
        var reports = new Dictionary<FirewallKind, string>();
        foreach (var kind in Enum.GetValues<FirewallKind>())
        {
            using var network = Network();
            using var firewall = kind.Start(network.Firewall, TrafficRules.Gateway());
            var report = new List<string>();
            foreach (var family in IpFamilies.Both)
            {
                string[] outcome = [.. scenario(network, family)];
                Assert.Equal(expected(family), outcome);
                report.Add($"{family}: {string.Join(", ", outcome)}\n{WithoutDiscovery(firewall.ListRules(family), family)}");
            }
            reports[kind] = string.Join('\n', report);
        }
        Assert.Equal(reports[FirewallKind.Kernel], reports[FirewallKind.FwCluster]);
    }

    private static IEnumerable<string> Datagrams(TestNetwork network, IpFamily family)
    {
        using var server = Endpoints.BindDatagram(network.Server, network.ServerAddress(family), 7);
        using var client = Endpoints.BindDatagram(network.Client, TestNetwork.ClientAddress(family), 7007);
        using var stranger = Endpoints.BindDatagram(network.Server, network.ServerAddress(family), 7008);

        // Nobody at the client's side spoke first.
        yield return $"echoed {Enumerable.Range(0, 3).Count(_ => Goes(client, server) && Goes(server, client))}";
        yield return $"from inside: {(Goes(stranger, client, Endpoints.Refusal) ? "passed" : "refused")}";
        using var other = Endpoints.BindDatagram(network.Server, network.ServerAddress(family), 7009);
        yield return $"from another port: {(Goes(other, client, Endpoints.Refusal) ? "passed" : "refused")}";

        // The error comes back as an ICMP message about the datagram.
        using var asking = Endpoints.BindDatagram(network.Client, TestNetwork.ClientAddress(family), 7010);
        asking.Connect(new IPEndPoint(IPAddress.Parse(network.ServerAddress(family)), 9));
        asking.Send([1]);
        asking.ReceiveTimeout = (int)Endpoints.Patience.TotalMilliseconds;
        var error = Assert.ThrowsAny<SocketException>(() => asking.Receive(new byte[1]));
        yield return $"closed port: {error.SocketErrorCode}";
    }

    private static bool Goes(Socket from, Socket to, TimeSpan? patience = null)
    {
        from.SendTo([1, 2, 3], to.LocalEndPoint!);
        return to.Poll(patience ?? Endpoints.Patience, SelectMode.SelectRead) && to.Receive(new byte[16]) == 3;
    }

    private static IEnumerable<string> Pings(TestNetwork network, IpFamily family)
    {
        yield return $"out: {Answers(network.Client, network.ServerAddress(family), 3, "-W", "10")}";
        yield return $"in: {Answers(network.Server, TestNetwork.ClientAddress(family), 2, "-W", "1")}";
    }

    private static IEnumerable<string> FragmentedPings(TestNetwork network, IpFamily family)
    {
        yield return $"out: {Answers(network.Client, network.ServerAddress(family), 3, "-W", "10", "-s", "4000")}";
    }

    private static int Answers(Referee.Lab.NetworkNamespace where, string to, int count, params string[] more)
        => AnswerOfPing().Count(where.TryExecute("ping", ["-n", "-c", $"{count}", "-i", "0.2", .. more, to]).Output);

    private static IEnumerable<string> Traceroute(TestNetwork network, IpFamily family, string how)
    {
        string[] kind = how.Length == 0 ? [] : [how];
        var said = network.Client.Execute("traceroute",
            ["-n", "-q", "1", "-N", "1", "-w", "10", "-m", "6", .. kind, network.ServerAddress(family)]);
        return Hop().Matches(said).Select(hop => hop.Groups[1].Value);
    }

    private static IEnumerable<string> PathMtuOfPings(TestNetwork network, IpFamily family)
    {
        var server = network.ServerAddress(family);
        var said = network.Client.TryExecute("ping", ["-n", "-c", "1", "-W", "10", "-M", "do", "-s", "1400", server]);
        yield return $"mtu {Mtu().Match(said.Output + said.Error).Groups[1].Value}";
        yield return $"short: {Answers(network.Client, server, 1, "-W", "10", "-M", "do", "-s", "1200")}";
    }

    private static bool Upload(TestNetwork network, IpFamily family, TimeSpan patience)
    {
        using var listener = Endpoints.Listen(network.Server, network.ServerAddress(family));
        using var client = Endpoints.Connect(network.Client, TestNetwork.ClientAddress(family), listener.LocalEndPoint!, Endpoints.Patience);
        Assert.NotNull(client);
        using var server = listener.Accept();
        const int size = 1 << 20;
        client.SendBufferSize = size;
        client.Send(new byte[size / 4]);
        server.ReceiveTimeout = (int)patience.TotalMilliseconds;
        var buffer = new byte[size];
        try
        {
            for (var left = size / 4; left > 0;)
            {
                var more = server.Receive(buffer);
                if (more == 0) return false;
                left -= more;
            }
            return true;
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.TimedOut)
        {
            return false;
        }
    }

    /// <summary>The listing without the rules for neighbour discovery, and on IPv6 without the policies' counters, which count the rest of it.</summary>
    private static string WithoutDiscovery(string listing, IpFamily family)
        => family == IpFamily.IPv4
            ? listing
            : string.Join('\n', listing.Split('\n').Where(line => !line.Contains("icmptype", StringComparison.Ordinal)));

    private static string Chain(string listing, string name)
        => listing.Split("Chain ").Single(chain => chain.StartsWith(name + " ", StringComparison.Ordinal));

    [GeneratedRegex(@"bytes from .* time=")]
    private static partial Regex AnswerOfPing();

    [GeneratedRegex(@"(?m)^ *\d+  ([0-9a-f.:*]+)")]
    private static partial Regex Hop();

    [GeneratedRegex(@"mtu ?= ?(\d+)")]
    private static partial Regex Mtu();
}
