using System.Net;
using System.Net.Sockets;
using FwCluster.Capture.Queue;
using FwCluster.Referee.Lab;

namespace FwCluster.Capture.Tests;

/// <summary>A client, a gateway and a server, each in a namespace, with both families; packets pass the gateway's FORWARD.</summary>
internal sealed class Gateway : IDisposable
{
    public const string Client4 = "10.1.0.2";
    public const string Client6 = "fd01::2";
    public const string ClientSide4 = "10.1.0.1";
    public const string ClientSide6 = "fd01::1";
    public const string Server4 = "10.2.0.2";
    public const string Server6 = "fd02::2";

    private readonly NetworkLab _lab = new();

    public Gateway()
    {
        try
        {
            Client = _lab.AddNamespace("c");
            Middle = _lab.AddNamespace("g");
            Server = _lab.AddNamespace("s");
            // Addresses are good at once.
            foreach (var host in (NetworkNamespace[])[Client, Middle, Server]) host.SetSysctl("net.ipv6.conf.default.accept_dad", "0");
            Join(Client, "eth0", "c0", 1);
            Join(Server, "eth0", "s0", 2);
            Middle.SetSysctl("net.ipv4.ip_forward", "1");
            Middle.SetSysctl("net.ipv6.conf.all.forwarding", "1");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public NetworkNamespace Client { get; }

    public NetworkNamespace Middle { get; }

    public NetworkNamespace Server { get; }

    /// <summary>Opens a queue in the gateway.</summary>
    public (QueuePort Port, InterfaceNames Names) Open(QueueSettings settings) => Middle.Run(() =>
    {
        var names = InterfaceNames.Open();
        try
        {
            return (QueuePort.Open(settings, names), names);
        }
        catch
        {
            names.Dispose();
            throw;
        }
    });

    /// <summary>A UDP socket bound to an address in a namespace; a receive waits two seconds at most.</summary>
    public static Socket Udp(NetworkNamespace where, string address, int port = 0) => where.Run(() =>
    {
        var ip = IPAddress.Parse(address);
        var socket = new Socket(ip.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 2000 };
        socket.Bind(new IPEndPoint(ip, port));
        return socket;
    });

    /// <summary>A listening TCP socket.</summary>
    public static Socket Listen(NetworkNamespace where, string address, int port) => where.Run(() =>
    {
        var ip = IPAddress.Parse(address);
        var socket = new Socket(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 5000 };
        socket.Bind(new IPEndPoint(ip, port));
        socket.Listen();
        return socket;
    });

    /// <summary>A TCP connection; null where it did not come about in the time.</summary>
    public static Socket? Connect(NetworkNamespace where, string address, int port, int milliseconds = 3000)
    {
        var ip = IPAddress.Parse(address);
        var socket = where.Run(() => new Socket(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp)
        {
            SendTimeout = 5000,
            ReceiveTimeout = 5000,
        });
        using var time = new CancellationTokenSource(milliseconds);
        try
        {
            socket.ConnectAsync(new IPEndPoint(ip, port), time.Token).AsTask().GetAwaiter().GetResult();
            return socket;
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException)
        {
            socket.Dispose();
            return null;
        }
    }

    /// <summary>True where a datagram to the server arrives.</summary>
    public bool Passes(string address, int port = 9) => Passes(address, port, attempts: 20);

    /// <summary>True where none of a few datagrams to the server arrives.</summary>
    public bool Blocks(string address) => !Passes(address, 9, attempts: 3);

    private bool Passes(string address, int port, int attempts)
    {
        using var receiver = Udp(Server, address, port);
        using var sender = Udp(Client, address.Contains(':') ? Client6 : Client4);
        receiver.ReceiveTimeout = 300;
        // The first one may wait for neighbours to be found, and go missing there.
        for (var i = 0; i < attempts; i++)
        {
            sender.SendTo("here"u8, new IPEndPoint(IPAddress.Parse(address), port));
            if (TryReceive(receiver)) return true;
        }
        return false;
    }

    public static bool TryReceive(Socket socket)
    {
        try
        {
            return socket.Receive(new byte[65536]) > 0;
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock)
        {
            return false;
        }
    }

    public void Dispose() => _lab.Dispose();

    private void Join(NetworkNamespace host, string name, string gatewayName, int net)
    {
        NetworkLab.AddVeth(Middle, gatewayName, host, name);
        Middle.Ip($"addr add 10.{net}.0.1/24 dev {gatewayName}");
        Middle.Ip($"addr add fd0{net}::1/64 dev {gatewayName} nodad");
        Middle.Ip($"link set {gatewayName} up");
        host.Ip($"addr add 10.{net}.0.2/24 dev {name}");
        host.Ip($"addr add fd0{net}::2/64 dev {name} nodad");
        host.Ip($"link set {name} up");
        host.Ip($"route add default via 10.{net}.0.1");
        host.Ip($"-6 route add default via fd0{net}::1");
    }
}
