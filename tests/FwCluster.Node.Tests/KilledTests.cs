using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using FwCluster.Referee;

namespace FwCluster.Node.Tests;

/// <summary>What passes, and which divert rules there are, when the daemon is killed under load, and when it stops cleanly.</summary>
[Collection(DaemonTests.Name)]
public sealed class KilledTests
{
    private const int StreamPort = 7001;
    private const int StreamPortIPv6 = 7002;
    private const int TransferPort = 7003;
    private const int ServerPort = 7004;
    private static readonly TimeSpan InFlight = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan Watched = TimeSpan.FromSeconds(1);

    [KernelTheory]
    [InlineData("closed", 3, true, 1)]
    [InlineData("closed", 1, false, 2)]
    [InlineData("open", 1, true, 1)]
    public void KilledUnderLoad(string fail, int kills, bool hostHasRules, int queues)
    {
        using var lab = new GatewayLab();
        if (hostHasRules) UseHostRules(lab);
        var before = lab.SavedRules();
        using var daemon = new Daemon(lab.Gateway, Accepting, $"queue: {{ fail: {fail} }}", queues: queues);
        var running = lab.SavedRules();
        Assert.NotEqual(before, running);
        using var ipv4 = new DatagramStream(lab, GatewayLab.RightIPv4, StreamPort);
        using var ipv6 = new DatagramStream(lab, GatewayLab.RightIPv6, StreamPortIPv6);
        using var transfer = new Transfer(lab, TransferPort);
        using var server = Listen(lab);

        for (var kill = 0; kill < kills; kill++)
        {
            AssertGoesOn(ipv4, ipv6, transfer);
            Assert.True(lab.CanConnect(GatewayLab.RightIPv4, ServerPort, TimeSpan.FromSeconds(10)));

            daemon.Kill();
            Assert.Equal(running, lab.SavedRules());
            if (fail == "open")
            {
                AssertGoesOn(ipv4, ipv6, transfer);
                Assert.True(lab.CanConnect(GatewayLab.RightIPv4, ServerPort, TimeSpan.FromSeconds(10)));
            }
            else
            {
                AssertNothingArrivesAnyMore(ipv4, ipv6, transfer);
                var arrived = (ipv4.Received, ipv6.Received, transfer.Received);
                Assert.False(lab.CanConnect(GatewayLab.RightIPv4, ServerPort, Watched));
                Assert.Equal(arrived, (ipv4.Received, ipv6.Received, transfer.Received));
            }

            daemon.Start();
            Assert.Equal(running, lab.SavedRules());
        }

        AssertGoesOn(ipv4, ipv6, transfer);
        transfer.Finish();
        Assert.Equal(0, daemon.Stop());
        Assert.Equal(before, lab.SavedRules());
        AssertGoesOn(ipv4, ipv6, null);
    }

    /// <summary>What was decided before the kill may be on its way; then it is quiet.</summary>
    private static void AssertNothingArrivesAnyMore(DatagramStream ipv4, DatagramStream ipv6, Transfer transfer)
    {
        var watch = Stopwatch.StartNew();
        for (var before = (-1L, -1L, -1L); before != (ipv4.Received, ipv6.Received, transfer.Received); Thread.Sleep(InFlight))
        {
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(10), "packets arrive though nobody decides");
            before = (ipv4.Received, ipv6.Received, transfer.Received);
        }
    }

    private static string Accepting => """
        *filter
        :INPUT ACCEPT [0:0]
        :FORWARD ACCEPT [0:0]
        :OUTPUT ACCEPT [0:0]
        COMMIT

        """;

    /// <summary>Rules that the host has of its own, in the tables that the daemon uses too.</summary>
    private static void UseHostRules(GatewayLab lab)
    {
        foreach (var family in (string[])["iptables", "ip6tables"])
        {
            lab.Gateway.Execute($"{family} -N OWN");
            lab.Gateway.Execute($"{family} -A FORWARD -p tcp --dport 9 -j OWN");
            lab.Gateway.Execute($"{family} -A OWN -j DROP");
            lab.Gateway.Execute($"{family} -t security -A FORWARD -p udp --dport 9 -j DROP");
        }
    }

    private static Socket Listen(GatewayLab lab)
    {
        var socket = lab.Right.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        socket.Bind(new IPEndPoint(GatewayLab.RightIPv4, ServerPort));
        socket.Listen();
        return socket;
    }

    private static void AssertGoesOn(DatagramStream ipv4, DatagramStream ipv6, Transfer? transfer)
    {
        var (was4, was6, wasBytes) = (ipv4.Received, ipv6.Received, transfer?.Received ?? 0);
        // TCP waits longer from retransmission to retransmission.
        var arrived = SpinWait.SpinUntil(
            () => ipv4.Received > was4 + 100 && ipv6.Received > was6 + 100 && (transfer is null || transfer.Received > wasBytes), TimeSpan.FromSeconds(30));
        Assert.True(arrived, $"of IPv4 {ipv4.Received - was4} datagrams arrived, of IPv6 {ipv6.Received - was6}, of TCP {transfer?.Received - wasBytes} bytes");
    }
}
