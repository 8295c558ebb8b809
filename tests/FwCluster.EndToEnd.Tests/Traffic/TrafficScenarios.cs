using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using FwCluster.EndToEnd.Tests.Networks;
using FwCluster.Packets;
using FwCluster.Referee.Lab;

namespace FwCluster.EndToEnd.Tests.Traffic;

/// <summary>What client and server do; each says what came of it.</summary>
internal static partial class TrafficScenarios
{
    /// <summary>UDP both ways, from where nobody was asked, and to a closed port.</summary>
    public static IEnumerable<string> Datagrams(TestNetwork network, IpFamily family)
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

    /// <summary>Echo requests from the client, and to it.</summary>
    public static IEnumerable<string> Pings(TestNetwork network, IpFamily family)
    {
        yield return $"out: {Answers(network.Client, network.ServerAddress(family), 3, "-W", "10")}";
        yield return $"in: {Answers(network.Server, TestNetwork.ClientAddress(family), 2, "-W", "1")}";
    }

    /// <summary>Echo requests that are sent in fragments.</summary>
    public static IEnumerable<string> FragmentedPings(TestNetwork network, IpFamily family)
    {
        yield return $"out: {Answers(network.Client, network.ServerAddress(family), 3, "-W", "10", "-s", "4000")}";
    }

    private static int Answers(NetworkNamespace where, string to, int count, params string[] more)
        => AnswerOfPing().Count(where.TryExecute("ping", ["-n", "-c", $"{count}", "-i", "0.5", .. more, to]).Output);

    /// <summary>The addresses on the way to the server.</summary>
    public static IEnumerable<string> Traceroute(TestNetwork network, IpFamily family, string how)
    {
        string[] kind = how.Length == 0 ? [] : [how];
        var said = network.Client.Execute("traceroute",
            ["-n", "-q", "1", "-N", "1", "-w", "10", "-m", "6", .. kind, network.ServerAddress(family)]);
        return Hop().Matches(said).Select(hop => hop.Groups[1].Value);
    }

    /// <summary>An echo request that is too long for the way, and one that is not.</summary>
    public static IEnumerable<string> PathMtuOfPings(TestNetwork network, IpFamily family)
    {
        var server = network.ServerAddress(family);
        var said = network.Client.TryExecute("ping", ["-n", "-c", "1", "-W", "10", "-M", "do", "-s", "1400", server]);
        yield return $"mtu {Mtu().Match(said.Output + said.Error).Groups[1].Value}";
        yield return $"short: {Answers(network.Client, server, 1, "-W", "10", "-M", "do", "-s", "1200")}";
    }

    /// <summary>256 KiB from the client to the server; false when they do not arrive in time.</summary>
    public static bool Upload(TestNetwork network, IpFamily family, TimeSpan patience)
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

    [GeneratedRegex(@"bytes from .* time=")]
    private static partial Regex AnswerOfPing();

    [GeneratedRegex(@"(?m)^ *\d+  ([0-9a-f.:*]+)")]
    private static partial Regex Hop();

    [GeneratedRegex(@"mtu ?= ?(\d+)")]
    private static partial Regex Mtu();
}
