using System.Diagnostics;
using FwCluster.Referee.Lab;

namespace FwCluster.Benchmarks;

/// <summary>
/// The running kernel with the same rules and the same packets: a router in a namespace, fed by a packet socket. What conntrack and rules
/// take is the difference to the same router without them.
/// </summary>
public sealed class KernelPeer : IDisposable
{
    private readonly NetworkLab _lab = new();
    private readonly NetworkNamespace _router;
    private readonly PacketSocket _toServer;
    private readonly PacketSocket _toClient;
    private readonly byte[] _routerFromClient;
    private readonly byte[] _routerFromServer;

    /// <summary>Makes the router; <paramref name="rules"/> are iptables-restore text, null for none and no tracking.</summary>
    public KernelPeer(string? rules)
    {
        try
        {
            _router = _lab.AddNamespace("r");
            var peer = _lab.AddNamespace("p");
            foreach (var (inside, outside) in (ReadOnlySpan<(string, string)>)[("rc", "pc"), ("rs", "ps")])
            {
                NetworkLab.AddVeth(_router, inside, peer, outside);
                _router.SetSysctl($"net/ipv4/conf/{inside}/rp_filter", "0");
                peer.SetSysctl($"net/ipv6/conf/{outside}/disable_ipv6", "1");
                peer.Ip($"link set {outside} up");
                _router.Ip($"link set {inside} arp off up");
            }
            _router.SetSysctl("net.ipv4.ip_forward", "1");
            _router.SetSysctl("net.ipv4.conf.all.rp_filter", "0");
            _router.Ip("route add 10.211.55.20/32 dev rs");
            _router.Ip("route add 10.0.0.0/16 dev rc");
            if (rules is not null)
            {
                _router.Execute("iptables-restore", [], rules);
                _router.SetSysctl("net.netfilter.nf_conntrack_checksum", "0");
                _router.SetSysctl("net.netfilter.nf_conntrack_acct", "1");
            }
            _toServer = PacketSocket.Open(peer, "pc", 0);
            _toClient = PacketSocket.Open(peer, "ps", 0);
            _routerFromClient = HardwareAddress("rc");
            _routerFromServer = HardwareAddress("rs");
        }
        catch
        {
            _lab.Dispose();
            throw;
        }
    }

    /// <summary>Sends every packet through the router; seconds a packet.</summary>
    public double Run(Traffic traffic)
    {
        var frame = new byte[2048];
        frame[12] = 0x08;
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < traffic.Count; i++)
        {
            var packet = traffic[i];
            packet.CopyTo(frame.AsSpan(14));
            var toServer = traffic.IsToServer(i);
            (toServer ? _routerFromClient : _routerFromServer).CopyTo(frame, 0);
            (toServer ? _toServer : _toClient).Send(frame.AsSpan(0, 14 + packet.Length));
        }
        return watch.Elapsed.TotalSeconds / traffic.Count;
    }

    /// <summary>How many packets the exercise's rules counted, to see that they were asked.</summary>
    public long Counted() => _router.Execute("iptables", ["-L", "FORWARD", "-v", "-n", "-x"]).Split('\n').Skip(2)
        .Sum(line => long.TryParse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault(), out var n) ? n : 0);

    /// <inheritdoc/>
    public void Dispose()
    {
        _toServer.Dispose();
        _toClient.Dispose();
        _lab.Dispose();
    }

    private byte[] HardwareAddress(string interfaceName)
    {
        using var socket = PacketSocket.Open(_router, interfaceName, 0);
        return socket.HardwareAddress;
    }
}
