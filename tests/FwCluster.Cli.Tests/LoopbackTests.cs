using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using FwCluster.Referee;
using FwCluster.Referee.Lab;

namespace FwCluster.Cli.Tests;

/// <summary>
/// A host that talks to itself: each packet meets OUTPUT and then INPUT, as one connection. What tcpdump sees on the loopback interface
/// is replayed, and the kernel's own counters are the expectation.
/// </summary>
public partial class LoopbackTests
{
    private static readonly string[] States = ["INVALID", "NEW", "ESTABLISHED", "RELATED", "UNTRACKED"];

    // With policies: without, iptables over nf_tables does not count for them.
    private static string Rules => $"""
        *raw
        :PREROUTING ACCEPT
        :OUTPUT ACCEPT
        -A OUTPUT -o lo -p udp --dport 7777 -j CT --notrack
        {Count("PREROUTING", "OUTPUT")}
        COMMIT
        *mangle
        :PREROUTING ACCEPT
        :INPUT ACCEPT
        :OUTPUT ACCEPT
        :POSTROUTING ACCEPT
        {Count("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING")}
        -A OUTPUT -p udp --dport 7778 -j MARK --set-mark 5
        -A PREROUTING -m mark --mark 5
        COMMIT
        *filter
        :INPUT ACCEPT
        :OUTPUT ACCEPT
        {Count("INPUT", "OUTPUT")}
        -A INPUT -i lo
        -A OUTPUT -o lo
        COMMIT

        """;

    [KernelFact]
    public void BothWaysCountWhatTheKernelCounts()
    {
        using var capture = new TestCapture();
        using var lab = new NetworkLab();
        var host = lab.AddNamespace("h");
        host.Execute("iptables-restore", [], Rules);
        // Whole segments only as long as an interface's would be, and no IPv6 chatter.
        host.Ip("link set lo mtu 1500");
        host.Execute("ethtool", ["-K", "lo", "tso", "off", "gso", "off", "gro", "off"]);
        var tcpdump = TcpDump.Start(host, "lo", capture.Path, "ip");

        host.Run(Talk);

        // Over when tracking has seen the last ACK; each packet met the policy of raw's OUTPUT, where no rule ends its way.
        Assert.True(SpinWait.SpinUntil(() => host.Execute("conntrack", ["-L", "-p", "tcp"]).Contains("TIME_WAIT", StringComparison.Ordinal), TimeSpan.FromSeconds(10)));
        tcpdump.StopAfter(() => long.Parse(PolicyPackets().Match(host.Execute("iptables", ["-t", "raw", "-L", "OUTPUT", "-v", "-n", "-x"])).ValueSpan, CultureInfo.InvariantCulture));

        var rules = capture.Text("rules", Rules);
        foreach (var table in (string[])["raw", "mangle", "filter"])
        {
            var run = FwctlRun.Of("replay", capture.Path, "--rules", rules, "--local", "127.0.0.1", "--table", table);
            Assert.Equal((0, ""), (run.ExitCode, run.Error));
            Assert.Equal(host.Execute("iptables", ["-t", table, "-L", "-v", "-n", "-x"]), run.Output);
        }
    }

    /// <summary>A TCP connection with some data; datagrams with and without an answer; one to a closed port, which ICMP says.</summary>
    private static void Talk()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 5000);
        listener.Start();
        using (var client = new TcpClient())
        {
            client.Connect(IPAddress.Loopback, 5000);
            using var server = listener.AcceptTcpClient();
            client.GetStream().Write(new byte[1000]);
            server.GetStream().ReadExactly(new byte[1000]);
        }
        using var a = new UdpClient(new IPEndPoint(IPAddress.Loopback, 7777));
        using var b = new UdpClient(new IPEndPoint(IPAddress.Loopback, 7778));
        a.Send([1, 2, 3], new IPEndPoint(IPAddress.Loopback, 7778));
        b.Send([1, 2, 3, 4], new IPEndPoint(IPAddress.Loopback, 7777));
        b.Send([1, 2, 3, 4], new IPEndPoint(IPAddress.Loopback, 9));
    }

    private static string Count(params string[] chains)
        => string.Join('\n', chains.SelectMany(chain => States.Select(state => $"-A {chain} -m state --state {state}")));

    [GeneratedRegex("(?<=^Chain OUTPUT \\(policy ACCEPT )[0-9]+")]
    private static partial Regex PolicyPackets();
}
