using System.Net;
using System.Net.Sockets;

namespace FwCluster.Node.Tests;

/// <summary>A server on the right, and on the left a client that connects, gets a byte echoed, and connects again.</summary>
internal sealed class ConnectionStream : IDisposable
{
    private readonly GatewayLab _lab;
    private readonly Socket _listener;
    private readonly IPEndPoint _server;
    private readonly Thread _client;
    private readonly Thread _echo;
    private int _made;
    private volatile bool _stopping;
    private volatile string? _failure;

    public ConnectionStream(GatewayLab lab, int port)
    {
        _lab = lab;
        _server = new IPEndPoint(GatewayLab.RightIPv4, port);
        _listener = lab.Right.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        _listener.Bind(_server);
        _listener.Listen();
        (_client, _echo) = (new Thread(Connect) { IsBackground = true }, new Thread(Echo) { IsBackground = true });
        _echo.Start();
        _client.Start();
    }

    /// <summary>Connections that were made and used so far.</summary>
    public int Made => Volatile.Read(ref _made);

    /// <summary>Makes no more; none may have failed.</summary>
    public void Finish()
    {
        _stopping = true;
        Assert.True(_client.Join(TimeSpan.FromSeconds(30)), "a connection is stuck");
        Assert.Null(_failure);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stopping = true;
        _listener.Dispose();
        _echo.Join();
        _client.Join(TimeSpan.FromSeconds(30));
    }

    private void Connect()
    {
        Span<byte> one = stackalloc byte[1];
        while (!_stopping)
        {
            try
            {
                using var socket = _lab.Left.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
                socket.ReceiveTimeout = 20_000;
                socket.Connect(_server);
                socket.Send(one);
                if (socket.Receive(one) != 1) _failure ??= "closed without an answer";
                Interlocked.Increment(ref _made);
            }
            catch (SocketException e)
            {
                _failure ??= e.Message;
            }
            Thread.Sleep(2);
        }
    }

    private void Echo()
    {
        Span<byte> one = stackalloc byte[1];
        while (true)
        {
            try
            {
                using var socket = _listener.Accept();
                socket.ReceiveTimeout = 20_000;
                if (socket.Receive(one) == 1) socket.Send(one);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                if (_stopping) return;
            }
        }
    }
}
