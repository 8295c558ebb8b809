using System.Net;
using System.Net.Sockets;
using FwCluster.Referee.Lab;

namespace FwCluster.EndToEnd.Tests.Networks;

/// <summary>Sockets in namespaces.</summary>
internal static class Endpoints
{
    /// <summary>For what has to arrive: longer than any of it takes on a busy machine.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <summary>For what must not arrive: longer than the first retransmission of a SYN.</summary>
    public static readonly TimeSpan Refusal = TimeSpan.FromSeconds(1.5);

    /// <summary>Listens on an address; port 0 is any free one.</summary>
    public static Socket Listen(NetworkNamespace where, string address, int port = 0) => where.Run(() =>
    {
        var endpoint = new IPEndPoint(IPAddress.Parse(address), port);
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        // A process that another test is just starting has a copy of a listener that was closed, until it begins its program.
        if (!SpinWait.SpinUntil(() => TryBind(socket, endpoint), Patience)) socket.Bind(endpoint);
        socket.Listen();
        return socket;
    });

    private static bool TryBind(Socket socket, IPEndPoint endpoint)
    {
        try
        {
            socket.Bind(endpoint);
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            return false;
        }
    }

    /// <summary>A datagram socket bound to an address; port 0 is any free one.</summary>
    public static Socket BindDatagram(NetworkNamespace where, string address, int port = 0) => where.Run(() =>
    {
        var endpoint = new IPEndPoint(IPAddress.Parse(address), port);
        var socket = new Socket(endpoint.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(endpoint);
        return socket;
    });

    /// <summary>Connects from an address; null when nobody answered in time.</summary>
    public static Socket? Connect(NetworkNamespace where, string from, EndPoint to, TimeSpan patience)
    {
        var socket = where.Run(() =>
        {
            var endpoint = new IPEndPoint(IPAddress.Parse(from), 0);
            var made = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            made.Bind(endpoint);
            return made;
        });
        using var stop = new CancellationTokenSource(patience);
        try
        {
            socket.ConnectAsync(to, stop.Token).AsTask().GetAwaiter().GetResult();
            return socket;
        }
        catch (OperationCanceledException)
        {
            socket.Dispose();
            return null;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The port that a socket has.</summary>
    public static int Port(this Socket socket) => ((IPEndPoint)socket.LocalEndPoint!).Port;
}
