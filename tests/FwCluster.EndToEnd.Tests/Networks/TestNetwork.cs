using FwCluster.Packets;
using System.Globalization;
using FwCluster.Referee.Lab;

namespace FwCluster.EndToEnd.Tests.Networks;

/// <summary>
/// A client and a server, with a firewall on the server or between the two, IPv4 and IPv6:
/// <code>
/// Host      client -------------------------------- server (firewall)
/// Gateway   client ---- gateway (firewall) -------- server
/// Gateway   client ---- gateway (firewall) -- router -- server     with a router behind
/// </code>
/// The firewall's interface towards the client is "outer", and the gateway's towards the server "inner".
/// </summary>
internal sealed class TestNetwork : IDisposable
{
    /// <summary>How many addresses the server has in each family, see <see cref="ServerAddress"/>.</summary>
    public const int ServerAddresses = 4;

    /// <summary>The interface of the firewall that the client is behind.</summary>
    public const string Outer = "outer";

    /// <summary>The gateway's interface that the server is behind.</summary>
    public const string Inner = "inner";

    private readonly NetworkLab _lab = new();
    private readonly List<NetworkNamespace> _all = [];

    /// <summary>Makes the network; no rule is in place yet.</summary>
    /// <param name="place">Where the firewall stands.</param>
    /// <param name="routerBehind">A further router between gateway and server.</param>
    /// <param name="behindMtu">What that router can send to the server at most, bytes.</param>
    public TestNetwork(FirewallPlace place, bool routerBehind = false, int behindMtu = 1500)
    {
        Place = place;
        try
        {
            Client = Add("c");
            Server = Add("s");
            if (place == FirewallPlace.Host) JoinDirectly();
            else JoinByGateway(routerBehind, behindMtu);
            Number(Server, Outer, ServerPrefix, Enumerable.Range(0, ServerAddresses).Select(index => 20 + index));
            if (place == FirewallPlace.Gateway)
            {
                Server.Ip("route add default via 10.98.2.1");
                Server.Ip("-6 route add default via fd98::2:1");
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Where the firewall stands.</summary>
    public FirewallPlace Place { get; }

    /// <summary>Where clients run.</summary>
    public NetworkNamespace Client { get; }

    /// <summary>Where servers run.</summary>
    public NetworkNamespace Server { get; }

    /// <summary>Where the firewall runs: the server or the gateway.</summary>
    public NetworkNamespace Firewall { get; private set; } = null!;

    /// <summary>Every machine of the network.</summary>
    public IReadOnlyList<NetworkNamespace> All => _all;

    private string ServerPrefix => Place == FirewallPlace.Host ? "1" : "2";

    /// <summary>The client's address.</summary>
    public static string ClientAddress(IpFamily family) => Address(family, "1", 10);

    /// <summary>A second address of the client's machine, a third party for FTP.</summary>
    public static string ThirdAddress(IpFamily family) => Address(family, "1", 99);

    /// <summary>The gateway's address on the client's side.</summary>
    public static string GatewayAddress(IpFamily family) => Address(family, "1", 1);

    /// <summary>One of the server's addresses, <paramref name="index"/> 0 to 3.</summary>
    public string ServerAddress(IpFamily family, int index = 0) => Address(family, ServerPrefix, 20 + index);

    /// <inheritdoc/>
    public void Dispose() => _lab.Dispose();

    private static string Address(IpFamily family, string network, int host)
        => (family == IpFamily.IPv4 ? $"10.98.{network}." : $"fd98::{network}:") + host.ToString(CultureInfo.InvariantCulture);

    private NetworkNamespace Add(string role)
    {
        var made = _lab.AddNamespace(role);
        _all.Add(made);
        return made;
    }

    private void JoinDirectly()
    {
        Firewall = Server;
        NetworkLab.AddVeth(Client, "eth0", Server, Outer);
        Number(Client, "eth0", "1", [10, 99]);
    }

    private void JoinByGateway(bool routerBehind, int behindMtu)
    {
        Firewall = Add("g");
        NetworkLab.AddVeth(Client, "eth0", Firewall, Outer);
        Number(Client, "eth0", "1", [10, 99]);
        Number(Firewall, Outer, "1", [1]);
        Forward(Firewall);
        var last = Firewall;
        if (routerBehind)
        {
            last = Add("r");
            NetworkLab.AddVeth(Firewall, Inner, last, "upper");
            Number(Firewall, Inner, "3", [1]);
            Number(last, "upper", "3", [2]);
            Forward(last);
            Firewall.Ip("route add 10.98.2.0/24 via 10.98.3.2");
            Firewall.Ip("-6 route add fd98::2:0/112 via fd98::3:2");
            last.Ip("route add default via 10.98.3.1");
            last.Ip("-6 route add default via fd98::3:1");
        }
        var downwards = routerBehind ? "lower" : Inner;
        NetworkLab.AddVeth(last, downwards, Server, Outer);
        // The server's own MTU stays the usual one: it does not ask for small segments, so that they have to be found out.
        if (behindMtu != 1500) last.Ip(string.Create(CultureInfo.InvariantCulture, $"link set {downwards} mtu {behindMtu}"));
        Number(last, downwards, "2", [1]);
        Client.Ip("route add default via 10.98.1.1");
        Client.Ip("-6 route add default via fd98::1:1");
    }

    private static void Forward(NetworkNamespace router)
    {
        router.SetSysctl("net.ipv4.ip_forward", "1");
        router.SetSysctl("net.ipv6.conf.all.forwarding", "1");
    }

    // No duplicate address detection: addresses are there at once.
    private static void Number(NetworkNamespace where, string interfaceName, string network, IEnumerable<int> hosts)
    {
        where.SetSysctl($"net/ipv6/conf/{interfaceName}/accept_dad", "0");
        where.SetSysctl($"net/ipv6/conf/{interfaceName}/router_solicitations", "0");
        where.Ip($"link set {interfaceName} up");
        foreach (var host in hosts)
        {
            where.Ip($"address add {Address(IpFamily.IPv4, network, host)}/24 dev {interfaceName}");
            where.Ip($"address add {Address(IpFamily.IPv6, network, host)}/112 dev {interfaceName} nodad");
        }
    }
}
