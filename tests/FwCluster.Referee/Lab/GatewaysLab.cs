using System.Globalization;
using FwCluster.Packets;

namespace FwCluster.Referee.Lab;

/// <summary>
/// Several gateways between clients and servers, IPv4 and IPv6, and a network of their own between the gateways, for what a cluster
/// has to say to itself:
/// <code>
/// client ----+---- gateway 0 ----+---- server 0
///            +---- gateway 1 ----+     ...
///            +---- gateway 2 ----+---- server 7
///                      |
///                   cluster
/// </code>
/// Which gateway a packet crosses is what the hosts' routes say, and they can be told anew at any time, also during a transfer: one of
/// the <c>Route...</c> methods has to be called before anything passes. A gateway forwards and knows nothing else.
/// </summary>
public sealed class GatewaysLab : IDisposable
{
    /// <summary>A gateway's interface that the clients are behind.</summary>
    public const string ClientSide = "clients";

    /// <summary>A gateway's interface that the servers are behind.</summary>
    public const string ServerSide = "servers";

    /// <summary>A gateway's interface to the other gateways.</summary>
    public const string ClusterSide = "cluster";

    private const int FirstGateway = 1;
    private const int FirstClient = 20;
    private const int FirstServer = 101;
    private const int FtpControl = 21;
    private const int MainTable = 254;
    private const int ControlTable = 21;
    private const int FirstMarkedTable = 100;
    private static readonly IpFamily[] Families = [IpFamily.IPv4, IpFamily.IPv6];

    private readonly NetworkLab _lab = new();
    private readonly NetworkNamespace _cables;
    private readonly List<NetworkNamespace> _gateways = [];
    private readonly List<NetworkNamespace> _servers = [];
    private readonly List<IDisposable> _started = [];
    private int _ports;
    private bool _split;
    private bool _disposed;

    private enum Net
    {
        Clients = 71,
        Servers = 72,
        Cluster = 73,
    }

    /// <summary>Makes the network; no route is in place yet.</summary>
    /// <param name="gateways">How many gateways, 1 to 9.</param>
    /// <param name="servers">How many servers, 1 to 99, each a namespace.</param>
    /// <param name="clients">How many clients, 1 to 200: addresses of one namespace.</param>
    public GatewaysLab(int gateways = 3, int servers = 1, int clients = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(gateways, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(gateways, 9);
        ArgumentOutOfRangeException.ThrowIfLessThan(servers, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(servers, 99);
        ArgumentOutOfRangeException.ThrowIfLessThan(clients, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(clients, 200);
        try
        {
            _cables = _lab.AddNamespace("l");
            foreach (var net in Enum.GetValues<Net>())
            {
                _cables.Ip($"link add {net} type bridge mcast_snooping 0");
                _cables.Ip($"link set {net} up");
            }
            Client = _lab.AddNamespace("c");
            Attach(Client, "eth0", Net.Clients, Enumerable.Range(0, clients).Select(index => FirstClient + index));
            for (var index = 0; index < servers; index++)
            {
                _servers.Add(_lab.AddNamespace(Number($"s{index}")));
                Attach(_servers[index], "eth0", Net.Servers, [FirstServer + index]);
            }
            for (var index = 0; index < gateways; index++) AddGateway(index);
            foreach (var host in Hosts)
            {
                host.SetSysctl("net.ipv4.fib_multipath_hash_policy", "1");
                host.SetSysctl("net.ipv6.fib_multipath_hash_policy", "1");
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Where all clients are.</summary>
    public NetworkNamespace Client { get; }

    /// <summary>The servers.</summary>
    public IReadOnlyList<NetworkNamespace> Servers => _servers;

    /// <summary>The gateways.</summary>
    public IReadOnlyList<NetworkNamespace> Gateways => _gateways;

    private IEnumerable<NetworkNamespace> Hosts => [Client, .. _servers];

    /// <summary>A client's address.</summary>
    public static string ClientAddress(IpFamily family, int index = 0) => Address(family, Net.Clients, FirstClient + index);

    /// <summary>A server's address.</summary>
    public static string ServerAddress(IpFamily family, int index = 0) => Address(family, Net.Servers, FirstServer + index);

    /// <summary>A gateway's address in the network between the gateways.</summary>
    public static string ClusterAddress(IpFamily family, int index) => Address(family, Net.Cluster, FirstGateway + index);

    /// <summary>Everything crosses one gateway.</summary>
    public void RouteThroughOne(int gateway = 0) => Route([gateway], [gateway]);

    /// <summary>FTP control connections (TCP port 21) cross one gateway in both directions, everything else another.</summary>
    public void RouteSplit(int control = 0, int everythingElse = 1)
    {
        Route([everythingElse], [everythingElse]);
        foreach (var host in Hosts)
        {
            var net = NetOf(host);
            foreach (var family in Families)
            {
                SetDefault(host, family, net, [control], ControlTable);
                host.Ip(Number($"{Flag(family)} rule add ipproto tcp {(net == Net.Clients ? "dport" : "sport")} {FtpControl} lookup {ControlTable}"));
            }
        }
        _split = true;
    }

    /// <summary>What clients send crosses one gateway, what servers send another. Call it again with the two swapped to move both ways.</summary>
    public void RouteAsymmetric(int requests = 0, int replies = 1) => Route([requests], [replies]);

    /// <summary>Each direction of each flow crosses the gateway that the kernel's hash of its addresses and ports chooses.</summary>
    public void RouteByFlow()
    {
        var all = Enumerable.Range(0, _gateways.Count).ToArray();
        Route(all, all);
    }

    /// <summary>What sockets with a mark (SO_MARK) send crosses that gateway, in every layout from now on.</summary>
    /// <param name="mark">The mark, 1 to 99.</param>
    /// <param name="gateway">The gateway.</param>
    public void RouteMarked(int mark, int gateway)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(mark, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(mark, 99);
        foreach (var host in Hosts)
        {
            foreach (var family in Families)
            {
                SetDefault(host, family, NetOf(host), [gateway], FirstMarkedTable + mark);
                host.Ip(Number($"{Flag(family)} rule add fwmark {mark} lookup {FirstMarkedTable + mark}"));
            }
        }
    }

    /// <summary>
    /// Starts something on every gateway, such as a firewall, on all of them at once: nodes of a cluster may wait for each other until
    /// they are ready. Disposed with the laboratory.
    /// </summary>
    /// <param name="start">Starts it on the gateway of that index; returns once it is ready.</param>
    /// <returns>What was started, by the gateway's index.</returns>
    public IReadOnlyList<T> StartOnEach<T>(Func<int, NetworkNamespace, T> start)
        where T : IDisposable
    {
        ArgumentNullException.ThrowIfNull(start);
        // Threads of their own: what waits for the others must not wait for a thread, too.
        var tasks = _gateways
            .Select((gateway, index) => Task.Factory.StartNew(() => start(index, gateway), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))
            .ToArray();
        try
        {
            Task.WaitAll(tasks);
        }
        finally
        {
            _started.AddRange(tasks.Where(task => task.IsCompletedSuccessfully).Select(task => (IDisposable)task.Result));
        }
        return [.. tasks.Select(task => task.Result)];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        try
        {
            for (var index = _started.Count - 1; index >= 0; index--) _started[index].Dispose();
        }
        finally
        {
            _lab.Dispose();
        }
    }

    private static string Address(IpFamily family, Net net, int host)
        => Number(family == IpFamily.IPv4 ? (FormattableString)$"10.{(int)net}.0.{host}" : $"fd{(int)net}::{host}");

    private static string Number(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string Flag(IpFamily family) => family == IpFamily.IPv4 ? "-4" : "-6";

    private Net NetOf(NetworkNamespace host) => host == Client ? Net.Clients : Net.Servers;

    private void AddGateway(int index)
    {
        var gateway = _lab.AddNamespace(Number($"g{index}"));
        _gateways.Add(gateway);
        Attach(gateway, ClientSide, Net.Clients, [FirstGateway + index]);
        Attach(gateway, ServerSide, Net.Servers, [FirstGateway + index]);
        Attach(gateway, ClusterSide, Net.Cluster, [FirstGateway + index]);
        gateway.SetSysctl("net.ipv4.ip_forward", "1");
        gateway.SetSysctl("net.ipv6.conf.all.forwarding", "1");
    }

    private void Attach(NetworkNamespace where, string interfaceName, Net net, IEnumerable<int> hosts)
    {
        var port = Number($"port{_ports++}");
        NetworkLab.AddVeth(where, interfaceName, _cables, port);
        _cables.Ip($"link set {port} master {net} up");
        // No duplicate address detection: addresses are there at once.
        where.SetSysctl($"net/ipv6/conf/{interfaceName}/accept_dad", "0");
        where.SetSysctl($"net/ipv6/conf/{interfaceName}/router_solicitations", "0");
        where.Ip($"link set {interfaceName} up");
        foreach (var host in hosts)
        {
            where.Ip($"address add {Address(IpFamily.IPv4, net, host)}/24 dev {interfaceName}");
            where.Ip($"address add {Address(IpFamily.IPv6, net, host)}/64 dev {interfaceName} nodad");
        }
    }

    private void Route(int[] requests, int[] replies)
    {
        foreach (var host in Hosts)
        {
            var net = NetOf(host);
            foreach (var family in Families)
            {
                if (_split) host.Ip(Number($"{Flag(family)} rule del lookup {ControlTable}"));
                SetDefault(host, family, net, net == Net.Clients ? requests : replies, MainTable);
            }
        }
        _split = false;
    }

    private static void SetDefault(NetworkNamespace host, IpFamily family, Net net, int[] gateways, int table)
        => host.Ip(Number($"{Flag(family)} route replace default table {table} ")
            + string.Join(' ', gateways.Select(gateway => $"nexthop via {Address(family, net, FirstGateway + gateway)}")));
}
