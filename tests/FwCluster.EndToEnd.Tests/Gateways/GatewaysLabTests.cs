using System.Globalization;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using FwCluster.EndToEnd.Tests.Networks;
using FwCluster.Packets;
using FwCluster.Referee;
using FwCluster.Referee.Lab;

namespace FwCluster.EndToEnd.Tests.Gateways;

/// <summary>The laboratory itself: which packets cross which gateway in each layout, by counters of gateways that refuse nothing.</summary>
public partial class GatewaysLabTests
{
    [KernelTheory]
    [InlineData(IpFamily.IPv4)]
    [InlineData(IpFamily.IPv6)]
    public void RequestsAndRepliesSwapDuringAConnection(IpFamily family)
    {
        using var lab = new GatewaysLab();
        Count(lab);
        lab.RouteAsymmetric(requests: 0, replies: 1);
        using var listener = Endpoints.Listen(lab.Servers[0], GatewaysLab.ServerAddress(family));
        using var client = Connect(lab, family, listener);
        using var server = listener.Accept();
        Converse(client, server);
        Assert.Equal([true, false, false, true, false, false], Crossed(lab, family));

        lab.RouteAsymmetric(requests: 1, replies: 0);
        Forget(lab);
        Converse(client, server);
        Assert.Equal([false, true, true, false, false, false], Crossed(lab, family));

        lab.RouteThroughOne(2);
        Forget(lab);
        Converse(client, server);
        Assert.Equal([false, false, false, false, true, true], Crossed(lab, family));
    }

    [KernelTheory]
    [InlineData(IpFamily.IPv4)]
    [InlineData(IpFamily.IPv6)]
    public void SplitRoutesEndWithTheNextLayout(IpFamily family)
    {
        using var lab = new GatewaysLab();
        Count(lab);
        using var listener = Endpoints.Listen(lab.Servers[0], GatewaysLab.ServerAddress(family), 21);
        lab.RouteSplit();
        lab.RouteSplit(control: 2, everythingElse: 0);
        using (var client = Connect(lab, family, listener))
        using (var server = listener.Accept())
        {
            Converse(client, server);
        }
        Assert.Equal([false, false, false, false, true, true], Crossed(lab, family));

        lab.RouteThroughOne(1);
        Forget(lab);
        using (var client = Connect(lab, family, listener))
        using (var server = listener.Accept())
        {
            Converse(client, server);
        }
        Assert.Equal([false, false, true, true, false, false], Crossed(lab, family));
    }

    [KernelTheory]
    [InlineData(IpFamily.IPv4)]
    [InlineData(IpFamily.IPv6)]
    public void FlowsSpreadOverAllGateways(IpFamily family)
    {
        const int Flows = 40;
        using var lab = new GatewaysLab(gateways: 3, servers: 2, clients: 4);
        Count(lab);
        lab.RouteByFlow();
        for (var index = 0; index < Flows; index++)
        {
            var from = GatewaysLab.ClientAddress(family, index % 4);
            using var listener = Endpoints.Listen(lab.Servers[index % 2], GatewaysLab.ServerAddress(family, index % 2));
            using var client = Endpoints.Connect(lab.Client, from, listener.LocalEndPoint!, Endpoints.Patience)
                ?? throw new InvalidOperationException($"flow {index} does not pass");
            using var server = listener.Accept();
            Converse(client, server);
        }
        // That one of the six is met by none of 40 flows has a chance of one in two million.
        Assert.Equal([true, true, true, true, true, true], Crossed(lab, family));
    }

    [KernelTheory]
    [InlineData(IpFamily.IPv4)]
    [InlineData(IpFamily.IPv6)]
    public void GatewaysReachEachOther(IpFamily family)
    {
        using var lab = new GatewaysLab();
        for (var index = 0; index < lab.Gateways.Count; index++)
        {
            var next = (index + 1) % lab.Gateways.Count;
            using var listener = Endpoints.Listen(lab.Gateways[next], GatewaysLab.ClusterAddress(family, next));
            using var client = Endpoints.Connect(lab.Gateways[index], GatewaysLab.ClusterAddress(family, index), listener.LocalEndPoint!, Endpoints.Patience);
            Assert.NotNull(client);
        }
    }

    private static Socket Connect(GatewaysLab lab, IpFamily family, Socket listener)
        => Endpoints.Connect(lab.Client, GatewaysLab.ClientAddress(family), listener.LocalEndPoint!, Endpoints.Patience)
            ?? throw new InvalidOperationException("the connection does not pass");

    private static void Converse(Socket client, Socket server)
    {
        Say(client, server);
        Say(server, client);
        Say(client, server);
        // The last acknowledgement is still on its way when the bytes are there.
        Assert.True(SpinWait.SpinUntil(() => Unacknowledged(client) == 0 && Unacknowledged(server) == 0, Endpoints.Patience), "nobody acknowledges");
    }

    /// <summary>Segments that the other end has not acknowledged (tcpi_unacked of TCP_INFO).</summary>
    private static uint Unacknowledged(Socket socket)
    {
        const int Tcp = 6, Info = 11, Offset = 24;
        Span<byte> info = stackalloc byte[Offset + sizeof(uint)];
        socket.GetRawSocketOption(Tcp, Info, info);
        return BitConverter.ToUInt32(info[Offset..]);
    }

    private static void Say(Socket from, Socket to)
    {
        from.Send([1]);
        to.ReceiveTimeout = (int)Endpoints.Patience.TotalMilliseconds;
        Assert.Equal(1, to.Receive(new byte[1]));
    }

    private static void Count(GatewaysLab lab) => OnEach(lab, "-A FORWARD -p tcp -i " + GatewaysLab.ClientSide, "-A FORWARD -p tcp -i " + GatewaysLab.ServerSide);

    private static void Forget(GatewaysLab lab) => OnEach(lab, "-Z");

    private static void OnEach(GatewaysLab lab, params string[] commands)
    {
        foreach (var gateway in lab.Gateways)
        {
            foreach (var command in commands)
            {
                gateway.Execute("iptables " + command);
                gateway.Execute("ip6tables " + command);
            }
        }
    }

    // For each gateway: whether packets of clients crossed it, and whether packets of servers did.
    private static bool[] Crossed(GatewaysLab lab, IpFamily family)
        => [.. lab.Gateways.SelectMany(gateway =>
            Counter().Matches(gateway.Execute(family == IpFamily.IPv4 ? "iptables-save -c -t filter" : "ip6tables-save -c -t filter"))
                .Select(counter => int.Parse(counter.Groups[1].ValueSpan, CultureInfo.InvariantCulture) > 0))];

    [GeneratedRegex(@"(?m)^\[([0-9]+):[0-9]+\] -A FORWARD ")]
    private static partial Regex Counter();
}
