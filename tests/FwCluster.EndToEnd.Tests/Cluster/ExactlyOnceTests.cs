using System.Net;
using System.Net.Sockets;
using System.Globalization;
using System.Text.RegularExpressions;
using FwCluster.EndToEnd.Tests.Firewalls;
using FwCluster.EndToEnd.Tests.Ftp;
using FwCluster.EndToEnd.Tests.Networks;
using FwCluster.Packets;
using FwCluster.Referee;
using FwCluster.Referee.Lab;

namespace FwCluster.EndToEnd.Tests.Cluster;

/// <summary>An announced connection is one connection, also where two try to be it at two gateways at the same moment.</summary>
[Collection(ClusterTests.Name)]
public partial class ExactlyOnceTests
{
    private const int SocketLevel = 1;
    private const int Mark = 36;

    /// <summary>Races for one expectation each, in all.</summary>
    private static readonly int Races = ClusterSetup.Number("FWCLUSTER_TEST_RACES", 100);

    /// <summary>Control connections cross the first gateway, the racers the second and the third, answers to them the first.</summary>
    [KernelFact]
    public void OfTwoConnectionsForOneExpectationOneGetsThrough()
    {
        using var lab = new GatewaysLab();
        var nodes = lab.StartCluster(CountRefusedSyns);
        lab.RouteThroughOne();
        lab.RouteMarked(1, gateway: 1);
        lab.RouteMarked(2, gateway: 2);
        var won = new int[2];
        foreach (var family in IpFamilies.Both)
        {
            var (client, server) = (GatewaysLab.ClientAddress(family), GatewaysLab.ServerAddress(family));
            using var control = new FtpConversation(lab.Client, client, lab.Servers[0], server);
            long Refused() => nodes.Sum(node => RefusedSyns(node, family));
            for (var race = 0; race < Races / 4; race++)
            {
                using (var listener = Endpoints.Listen(lab.Servers[0], server))
                {
                    control.AnnouncePassive(server, listener.Port());
                    won[Race(lab.Client, client, listener, race, Refused)]++;
                }
                using (var listener = Endpoints.Listen(lab.Client, client))
                {
                    control.AnnounceActive(client, listener.Port());
                    won[Race(lab.Servers[0], server, listener, race, Refused)]++;
                }
            }
        }
        // Who is first is chance, or nearly; that it is always the same one would be no race.
        Assert.All(won, count => Assert.NotEqual(0, count));
    }

    // Which of the two got through.
    private static int Race(NetworkNamespace where, string from, Socket listener, int race, Func<long> refused)
    {
        var before = refused();
        using var first = Racer(where, from, mark: 1 + race % 2);
        using var second = Racer(where, from, mark: 2 - race % 2);
        Start(first, listener.LocalEndPoint!);
        Start(second, listener.LocalEndPoint!);
        Assert.True(listener.Poll(Endpoints.Patience, SelectMode.SelectRead), $"race {race}: neither got through");
        using var accepted = listener.Accept();
        // The other one has had its answer when a gateway has counted it: before that it could still get through.
        Assert.True(SpinWait.SpinUntil(() => refused() > before || listener.Poll(0, SelectMode.SelectRead), Endpoints.Patience), $"race {race}: the other one met nothing");
        Assert.False(listener.Poll(0, SelectMode.SelectRead), $"race {race}: both got through");
        var winner = ((IPEndPoint)accepted.RemoteEndPoint!).Port == first.Port() ? first : second;
        Assert.True(winner.Poll(Endpoints.Patience, SelectMode.SelectWrite));
        Assert.False((winner == first ? second : first).Poll(0, SelectMode.SelectWrite), $"race {race}: both are connected");
        return winner == first ? race % 2 : 1 - race % 2;
    }

    private static Socket Racer(NetworkNamespace where, string from, int mark) => where.Run(() =>
    {
        var endpoint = new IPEndPoint(IPAddress.Parse(from), 0);
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
        socket.SetRawSocketOption(SocketLevel, Mark, BitConverter.GetBytes(mark));
        socket.Bind(endpoint);
        return socket;
    });

    private static void Start(Socket socket, EndPoint to)
    {
        try
        {
            socket.Connect(to);
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
        {
            // It is on its way.
        }
    }

    // Of a connection that nobody accepts, the first packet meets this rule, and then the policy, which refuses it.
    private static FirewallSetup CountRefusedSyns(FirewallSetup setup)
    {
        static string Add(string rules) => rules.Replace("COMMIT", "-A FORWARD -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN\nCOMMIT", StringComparison.Ordinal);
        return setup with { RulesIPv4 = Add(setup.RulesIPv4), RulesIPv6 = Add(setup.RulesIPv6) };
    }

    private static long RefusedSyns(FwClusterFirewall node, IpFamily family)
        => long.Parse(Refusing().Match(node.ListRules(family)).Groups[1].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex("(?m)^ *([0-9]+) .* tcp flags: ?0x17/0x02 *$")]
    private static partial Regex Refusing();
}
