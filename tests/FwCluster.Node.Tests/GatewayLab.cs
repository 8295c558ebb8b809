using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using FwCluster.Referee.Lab;

namespace FwCluster.Node.Tests;

/// <summary>Two hosts and the gateway between them: left 10.77.1.2, right 10.77.2.2, and the same of fd77::/16.</summary>
internal sealed partial class GatewayLab : IDisposable
{
    private readonly NetworkLab _lab = new();

    public GatewayLab()
    {
        try
        {
            Left = _lab.AddNamespace("left");
            Gateway = _lab.AddNamespace("gate");
            Right = _lab.AddNamespace("right");
            Gateway.SetSysctl("net.ipv4.ip_forward", "1");
            Gateway.SetSysctl("net.ipv6.conf.all.forwarding", "1");
            JoinLeft("left");
            Join(Right, "right", 2);
            Right.Ip("route add 10.77.1.0/24 via 10.77.2.1");
            Right.Ip("-6 route add fd77:1::/64 via fd77:2::1");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The right host's IPv4 address.</summary>
    public static IPAddress RightIPv4 { get; } = IPAddress.Parse("10.77.2.2");

    /// <summary>The right host's IPv6 address.</summary>
    public static IPAddress RightIPv6 { get; } = IPAddress.Parse("fd77:2::2");

    public NetworkNamespace Left { get; }

    public NetworkNamespace Gateway { get; }

    public NetworkNamespace Right { get; }

    /// <summary>Joins the left host to the gateway, there by an interface of this name.</summary>
    public void JoinLeft(string name)
    {
        Join(Left, name, 1);
        Left.Ip("route add 10.77.2.0/24 via 10.77.1.1");
        Left.Ip("-6 route add fd77:2::/64 via fd77:1::1");
    }

    /// <summary>One more host, joined to nothing.</summary>
    public NetworkNamespace Add(string role) => _lab.AddNamespace(role);

    /// <summary>The gateway's rules of both families as iptables-save prints them, without what differs from look to look: times, and counters.</summary>
    public string SavedRules()
    {
        var saved = Gateway.Execute("iptables-save") + Gateway.Execute("ip6tables-save");
        return Counters().Replace(Comments().Replace(saved, ""), "");
    }

    /// <summary>Packets that the gateway's queues lost: the queue was full, or its reader had no room.</summary>
    public long QueueLosses()
        => Gateway.Run(() => File.ReadAllLines("/proc/thread-self/net/netfilter/nfnetlink_queue"))
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Sum(words => long.Parse(words[5], null) + long.Parse(words[6], null));

    /// <summary>Whether the right host's TCP port can be reached from the left within a time.</summary>
    public bool CanConnect(IPAddress address, int port, TimeSpan timeout)
    {
        using var socket = Left.Run(() => new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp));
        using var stop = new CancellationTokenSource(timeout);
        try
        {
            socket.ConnectAsync(address, port, stop.Token).AsTask().GetAwaiter().GetResult();
            return true;
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _lab.Dispose();

    private void Join(NetworkNamespace host, string name, int net)
    {
        NetworkLab.AddVeth(host, "eth0", Gateway, name);
        foreach (var (place, device, end) in ((NetworkNamespace, string, int)[])[(host, "eth0", 2), (Gateway, name, 1)])
        {
            place.SetSysctl("net.ipv4.conf.all.rp_filter", "0");
            place.SetSysctl($"net/ipv4/conf/{device}/rp_filter", "0");
            place.Ip($"address add 10.77.{net}.{end}/24 dev {device}");
            place.Ip($"address add fd77:{net}::{end}/64 dev {device} nodad");
            place.Ip($"link set {device} up");
        }
    }

    [GeneratedRegex("^#.*\n", RegexOptions.Multiline)]
    private static partial Regex Comments();

    [GeneratedRegex(@" \[\d+:\d+\]$", RegexOptions.Multiline)]
    private static partial Regex Counters();
}
