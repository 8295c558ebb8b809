using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using FwCluster.Referee;
using FwCluster.Referee.Lab;

namespace FwCluster.Node.Tests;

/// <summary>The daemon behind a mirror (SPAN) port of a gateway, beside one on the gateway itself.</summary>
[Collection(DaemonTests.Name)]
public sealed class MirrorTests
{
    private const int TransferPort = 7003;
    private const int DroppedPort = 7004;
    private const int LoggedPort = 7005;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static string Rules => $"""
        *filter
        :INPUT ACCEPT [0:0]
        :FORWARD DROP [0:0]
        :OUTPUT ACCEPT [0:0]
        -A FORWARD -p udp -m udp --dport {LoggedPort} -j LOG --log-prefix "LINE "
        -A FORWARD -p tcp -m tcp --dport {TransferPort} -m state --state NEW -j ACCEPT
        -A FORWARD -p udp -m udp --dport {LoggedPort} -m state --state NEW -j ACCEPT
        -A FORWARD -p udp -m udp --dport {DroppedPort} -m state --state NEW -j DROP
        -A FORWARD -m state --state RELATED -j ACCEPT
        -A FORWARD -m state --state ESTABLISHED -j ACCEPT
        COMMIT

        """;

    [KernelFact]
    public void ItDecidesAndLogsAsTheOneThatEnforces()
    {
        using var lab = new GatewayLab();
        var probe = AddMirror(lab);
        using var mirror = new Daemon(probe, Rules, "mirror: { interfaces: span }", mode: "mirror");
        using (var enforcing = new Daemon(lab.Gateway, Rules))
        {
            using (var transfer = new Transfer(lab, TransferPort))
            {
                Assert.True(SpinWait.SpinUntil(() => transfer.Received > 1 << 20, Patience), $"{transfer.Received} bytes");
                transfer.Finish();
            }
            for (var i = 0; i < 10; i++)
            {
                Send(lab, DroppedPort);
                Send(lab, LoggedPort); // nobody listens: an ICMP error comes back, RELATED
            }

            Assert.True(SpinWait.SpinUntil(() => mirror.Get("rules") == enforcing.Get("rules"), Patience), mirror.Get("rules") + enforcing.Get("rules"));
            var rules = enforcing.Get("rules");
            Assert.Equal(1, Packets(rules, $"tcp dpt:{TransferPort} state NEW"));
            Assert.Equal(10, Packets(rules, $"udp dpt:{DroppedPort} state NEW"));
            Assert.True(Packets(rules, "state RELATED") > 0, rules);
            Assert.True(Packets(rules, "state ESTABLISHED") > 20, rules);
            Assert.True(SpinWait.SpinUntil(() => Lines(mirror).Count == 10 && Lines(enforcing).Count == 10, Patience), mirror.Log);
            Assert.Equal(Lines(enforcing), Lines(mirror));
            Assert.Equal(0, enforcing.Stop());
        }

        // And alone it keeps nothing from passing.
        using var receiver = lab.Right.Run(() => new UdpClient(new IPEndPoint(GatewayLab.RightIPv4, DroppedPort)));
        receiver.Client.ReceiveTimeout = (int)Patience.TotalMilliseconds;
        Send(lab, DroppedPort);
        var from = new IPEndPoint(IPAddress.Any, 0);
        Assert.Single(receiver.Receive(ref from));
        Assert.True(SpinWait.SpinUntil(() => Packets(mirror.Get("rules"), $"udp dpt:{DroppedPort} state NEW") == 11, Patience), mirror.Get("rules"));
        Assert.Contains("overruns=0 kernel_drops=0", mirror.Get("statistics"));
        Assert.DoesNotContain("FWCLUSTER", probe.Execute("iptables-save"));
    }

    [KernelTheory]
    [InlineData(1)]
    [InlineData(4)]
    public void WhatFindsNoRoomInABufferOfTheSizeThatWasSetIsCounted(int mebibytes)
    {
        const int Burst = 12_000, Payload = 1000;
        using var lab = new GatewayLab();
        var probe = AddMirror(lab);
        using var mirror = new Daemon(probe, $"*filter\n-A FORWARD -p udp -m udp --dport {LoggedPort} -j DROP\nCOMMIT\n",
            $"mirror: {{ interfaces: span, buffer-mib: {mebibytes} }}", mode: "mirror");
        var ring = Regex.Match(probe.Execute("ss -0 -e -n"), @"blk_size:(\d+),blk_nr:(\d+)");
        Assert.Equal(mebibytes << 20, Number(ring.Groups[1]) * Number(ring.Groups[2]));

        using var sink = lab.Right.Run(() => new UdpClient(new IPEndPoint(GatewayLab.RightIPv4, LoggedPort)));
        using var socket = lab.Left.Run(() => new UdpClient());
        socket.Connect(GatewayLab.RightIPv4, LoggedPort);
        mirror.Pause();
        for (var i = 0; i < Burst; i++) socket.Send(new byte[Payload]);
        // All have found their room, or none, before the first is taken out.
        Assert.True(SpinWait.SpinUntil(() => Arrived(probe) >= Burst, Patience), $"{Arrived(probe)} packets came to the mirror");
        mirror.Continue();

        long Seen() => Packets(mirror.Get("rules"), $"udp dpt:{LoggedPort}") + mirror.Statistic("kernel_drops") + mirror.Statistic("overruns");
        Assert.True(SpinWait.SpinUntil(() => Seen() >= Burst, Patience), mirror.Get("rules") + mirror.Get("statistics"));
        // Some of the hosts' ARP may have been dropped, too.
        Assert.InRange(Seen(), Burst, Burst + 20);
        // What has its room there was kept: less than a buffer's bytes, for their heads are in it too, and its last part may be half full.
        var kept = (Burst - mirror.Statistic("kernel_drops")) * (Payload + 42);
        Assert.InRange(kept, (mebibytes << 20) / 2, mebibytes << 20);
    }

    /// <summary>Packets that the interface took in.</summary>
    private static long Arrived(NetworkNamespace probe) => Number(Regex.Match(probe.Execute("cat /proc/net/dev"), @"span: *\d+ +(\d+)").Groups[1]);

    /// <summary>A host to which all that crosses the gateway's left interface is copied, both ways.</summary>
    private static NetworkNamespace AddMirror(GatewayLab lab)
    {
        var probe = lab.Add("probe");
        NetworkLab.AddVeth(lab.Gateway, "mirror", probe, "span");
        foreach (var (host, name) in ((NetworkNamespace, string)[])[(lab.Gateway, "mirror"), (probe, "span")])
        {
            host.SetSysctl($"net/ipv6/conf/{name}/disable_ipv6", "1");
            host.Ip($"link set {name} up");
        }
        lab.Gateway.Execute("tc qdisc add dev left clsact");
        foreach (var way in (string[])["ingress", "egress"])
            lab.Gateway.Execute($"tc filter add dev left {way} u32 match u32 0 0 action mirred egress mirror dev mirror");
        return probe;
    }

    private static void Send(GatewayLab lab, int port)
    {
        using var socket = lab.Left.Run(() => new UdpClient());
        socket.Send(new byte[1], new IPEndPoint(GatewayLab.RightIPv4, port));
    }

    /// <summary>Of each line what the packet is: where it was seen differs, and with it how far it was from its end.</summary>
    private static List<string> Lines(Daemon daemon)
        => [.. Regex.Matches(daemon.Log, "(?m)LINE IN=.* (SRC=.*)$").Select(m => Regex.Replace(m.Groups[1].Value, "TTL=[0-9]+ ", "").TrimEnd())];

    private static long Packets(string listing, string rule)
        => long.Parse(listing.Split('\n').Single(line => line.TrimEnd().EndsWith(rule, StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], CultureInfo.InvariantCulture);

    private static long Number(Group digits) => long.Parse(digits.ValueSpan, CultureInfo.InvariantCulture);
}
