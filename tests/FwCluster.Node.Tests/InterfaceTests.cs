using System.Globalization;
using System.Net;
using System.Net.Sockets;
using FwCluster.Referee;
using FwCluster.Referee.Lab;

namespace FwCluster.Node.Tests;

/// <summary>Rules that name interfaces, while interfaces are renamed, go and come.</summary>
[Collection(DaemonTests.Name)]
public sealed class InterfaceTests
{
    private static readonly string[] Names = ["left", "renamed", "le+"];

    private const int ProbePort = 7001;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [KernelFact]
    public void CountersFollowNames()
    {
        using var lab = new GatewayLab();
        using var daemon = new Daemon(lab.Gateway, $"""
            *filter
            :INPUT ACCEPT [0:0]
            :FORWARD ACCEPT [0:0]
            :OUTPUT ACCEPT [0:0]
            {string.Join('\n', Names.Select(name => $"-A FORWARD -i {name} -p icmp"))}
            {string.Join('\n', Names.Select(name => $"-A FORWARD -o {name} -p icmp"))}
            -A FORWARD -i renamed -p udp -m comment --comment probe
            COMMIT

            """);
        Ping(lab, 1);
        AssertCounted(daemon, left: 1, renamed: 0, prefix: 1);

        // While it is up, and packets go through it.
        lab.Gateway.Ip("link set left name renamed");
        Probe(lab, daemon, "10.77.2.2", "probe");
        Ping(lab, 2);
        AssertCounted(daemon, left: 1, renamed: 2, prefix: 1);

        lab.Gateway.Ip("link del renamed");
        Assert.True(SpinWait.SpinUntil(() => AnnouncementsAreRead(lab), Patience), "the daemon does not read what the kernel announces");
        lab.JoinLeft("left");
        Ping(lab, 4);
        AssertCounted(daemon, left: 5, renamed: 2, prefix: 5);

        // Another one of the same name.
        lab.Gateway.Ip("link del left");
        lab.JoinLeft("left");
        Ping(lab, 8);
        AssertCounted(daemon, left: 13, renamed: 2, prefix: 13);
        Assert.Equal(0, daemon.Stop());
    }

    [KernelFact]
    public void AddressesComeAndGo()
    {
        using var lab = new GatewayLab();
        using var daemon = new Daemon(lab.Gateway, """
            *filter
            -A INPUT -p icmp -m addrtype --dst-type LOCAL
            -A FORWARD -d 10.77.2.9 -p icmp -m addrtype ! --dst-type LOCAL
            -A INPUT -p udp -m addrtype --dst-type LOCAL -m comment --comment here
            -A FORWARD -p udp -m addrtype ! --dst-type LOCAL -m comment --comment there
            COMMIT

            """);
        lab.Gateway.Ip("address add 10.77.2.9/24 dev right");
        Probe(lab, daemon, "10.77.2.9", "here");
        lab.Left.Execute("ping -c 3 -i 0.05 -W 10 10.77.2.9");
        AssertMet(daemon, local: 3, elsewhere: 0);

        // It is another host's from now on.
        lab.Gateway.Ip("address del 10.77.2.9/24 dev right");
        lab.Right.Ip("address add 10.77.2.9/24 dev eth0");
        Probe(lab, daemon, "10.77.2.9", "there");
        lab.Left.Execute("ping -c 4 -i 0.05 -W 10 10.77.2.9");
        AssertMet(daemon, local: 3, elsewhere: 4);
    }

    /// <summary>Sends datagrams until the daemon takes them to be what this rule is about: it has heard of the change then.</summary>
    private static void Probe(GatewayLab lab, Daemon daemon, string address, string comment)
    {
        // Somebody listens: nobody says by ICMP that the port is closed.
        using var to = Datagrams(lab.Right);
        to.Bind(new IPEndPoint(IPAddress.Any, ProbePort));
        using var from = Datagrams(lab.Left);
        Assert.True(SpinWait.SpinUntil(() =>
        {
            from.SendTo([0], new IPEndPoint(IPAddress.Parse(address), ProbePort));
            return daemon.PacketsMet(comment) > 0;
        }, Patience), daemon.Get("rules"));
    }

    private static Socket Datagrams(NetworkNamespace where) => where.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));

    /// <summary>Nothing waits in any socket that the kernel tells of interfaces and addresses; of those in the gateway's namespace, all are the daemon's.</summary>
    private static bool AnnouncementsAreRead(GatewayLab lab)
        => lab.Gateway.Run(() => File.ReadAllLines("/proc/thread-self/net/netlink")).Skip(1)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(words => words[1] == "0").All(words => words[4] == "0"); // NETLINK_ROUTE; bytes that wait

    private static bool IsProbe(string line) => line.Contains("/* ", StringComparison.Ordinal);

    private static void AssertMet(Daemon daemon, long local, long elsewhere)
    {
        var counted = daemon.Get("rules").Split('\n').Where(line => line.Contains("dst-type", StringComparison.Ordinal) && !IsProbe(line))
            .Select(line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], CultureInfo.InvariantCulture));
        Assert.Equal([local, elsewhere], counted);
    }

    private static void Ping(GatewayLab lab, int count) => lab.Left.Execute($"ping -c {count} -i 0.05 -W 10 10.77.2.2");

    private static void AssertCounted(Daemon daemon, long left, long renamed, long prefix)
    {
        var rules = daemon.Get("rules").Split('\n').Where(line => !IsProbe(line)).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(words => words.Length >= 8 && words[3] == "--").ToList();
        // Requests come in by it, answers leave by it.
        foreach (var column in (int[])[4, 5])
            foreach (var (name, packets) in Names.Zip([left, renamed, prefix]))
                Assert.Equal((name, packets), (name, rules.Where(words => words[column] == name).Sum(words => long.Parse(words[0], CultureInfo.InvariantCulture))));
    }
}
