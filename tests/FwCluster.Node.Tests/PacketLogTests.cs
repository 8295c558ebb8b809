using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using FwCluster.Referee;
using FwCluster.Referee.Lab;

namespace FwCluster.Node.Tests;

/// <summary>The daemon's lines of LOG rules beside those that the kernel writes for the same packets.</summary>
[Collection(DaemonTests.Name)]
public sealed class PacketLogTests
{
    private const int Port = 7009;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [KernelTheory]
    [InlineData("")]
    [InlineData("--log-macdecode")]
    public void LinesAreTheKernels(string options)
    {
        using var lab = new GatewayLab();
        var prefix = $"fwt{Environment.ProcessId} ";
        foreach (var family in (string[])["iptables", "ip6tables"])
            foreach (var chain in (string[])["INPUT", "FORWARD"])
                lab.Gateway.Execute(family, ["-A", chain, "-p", "udp", "--dport", $"{Port}", "-j", "LOG", "--log-prefix", prefix, .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
        var rules = $"""
            *filter
            -A INPUT -p udp -m udp --dport {Port} -j LOG --log-prefix "LINE " {options}
            -A FORWARD -p udp -m udp --dport {Port} -j LOG --log-prefix "LINE " {options}
            COMMIT

            """;
        var rules6 = Path.Combine(Path.GetTempPath(), $"fwt{Environment.ProcessId}.rules6");
        File.WriteAllText(rules6, rules);
        try
        {
            using var kernel = new KernelLog();
            using var daemon = new Daemon(lab.Gateway, rules, wrapper: ["env", $"FWCLUSTER_RULES_IPV6={rules6}"]);
            var sent = 0;
            foreach (var (from, to) in ((NetworkNamespace, string)[])
            [
                (lab.Left, "10.77.2.2"), (lab.Left, "fd77:2::2"), // through
                (lab.Left, "10.77.1.1"), (lab.Left, "fd77:1::1"), // to the host
                (lab.Left, "10.77.1.255"), (lab.Left, "224.0.0.1"), (lab.Left, "ff02::1"), // to all, to groups
                (lab.Gateway, "127.0.0.1"), (lab.Gateway, "10.77.1.1"), (lab.Gateway, "::1"), // over lo
            ])
            {
                Send(from, IPAddress.Parse(to));
                sent++;
                Assert.True(SpinWait.SpinUntil(() => Lines(daemon).Count == sent, Patience), $"{to}: {daemon.Log}");
            }
            Assert.Equal(kernel.Take(prefix).Select(line => line.TrimEnd()), Lines(daemon));
            Assert.Contains(options.Length > 0 ? "MACPROTO=86dd" : ":86:dd ", daemon.Log);
        }
        finally
        {
            File.Delete(rules6);
        }
    }

    private static List<string> Lines(Daemon daemon) => [.. Regex.Matches(daemon.Log, "(?m)LINE (.*)$").Select(m => m.Groups[1].Value.TrimEnd())];

    private static void Send(NetworkNamespace from, IPAddress to)
    {
        using var socket = from.Run(() => new Socket(to.AddressFamily, SocketType.Dgram, ProtocolType.Udp));
        socket.EnableBroadcast = to.AddressFamily == AddressFamily.InterNetwork;
        if (to.Equals(IPAddress.Parse("224.0.0.1"))) socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastInterface, IPAddress.Parse("10.77.1.2").GetAddressBytes());
        if (to.IsIPv6Multicast) socket.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.MulticastInterface, Interface(from));
        socket.SendTo(new byte[3], new IPEndPoint(to, Port));
    }

    private static int Interface(NetworkNamespace of) => int.Parse(of.Execute("cat /sys/class/net/eth0/ifindex"), null);
}
