using System.Net.Sockets;

namespace FwCluster.Node.Tests;

/// <summary>One TCP connection from left to right that carries bytes until it is told to end, some megabytes a second; the receiver checks each.</summary>
internal sealed class Transfer : IDisposable
{
    private const int Block = 64 << 10;
    private const int Period = 251; // a prime: no segment's length is a multiple
    private static readonly byte[] Pattern = [.. Enumerable.Range(0, Block + Period).Select(i => (byte)(i % Period))];

    private readonly Socket _listener;
    private readonly Socket _from;
    private readonly Socket _to;
    private readonly Thread _sender;
    private readonly Thread _receiver;
    private long _sent;
    private long _received;
    private volatile bool _stopping;
    private volatile string? _failure;

    public Transfer(GatewayLab lab, int port)
    {
        _listener = lab.Right.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        _listener.Bind(new System.Net.IPEndPoint(GatewayLab.RightIPv4, port));
        _listener.Listen();
        _from = lab.Left.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        _from.Connect(GatewayLab.RightIPv4, port);
        _to = _listener.Accept();
        (_sender, _receiver) = (new Thread(Send) { IsBackground = true }, new Thread(Receive) { IsBackground = true });
        _receiver.Start();
        _sender.Start();
    }

    /// <summary>Bytes that arrived so far.</summary>
    public long Received => Interlocked.Read(ref _received);

    /// <summary>Ends it; each byte that was sent has to arrive, and be right.</summary>
    public void Finish()
    {
        _stopping = true;
        Assert.True(_sender.Join(TimeSpan.FromSeconds(60)), "the sender is stuck");
        Assert.True(_receiver.Join(TimeSpan.FromSeconds(60)), "the end did not arrive");
        Assert.Null(_failure);
        Assert.Equal(_sent, Received);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stopping = true;
        foreach (var socket in (Socket[])[_from, _to, _listener]) socket.Dispose();
        _sender.Join();
        _receiver.Join();
    }

    private void Send()
    {
        try
        {
            while (!_stopping)
            {
                _sent += _from.Send(Pattern.AsSpan((int)(_sent % Period), Block));
                Thread.Sleep(5);
            }
            _from.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            _failure ??= e.Message;
        }
    }

    private void Receive()
    {
        var buffer = new byte[Block];
        try
        {
            while (_to.Receive(buffer) is > 0 and var length)
            {
                if (!buffer.AsSpan(0, length).SequenceEqual(Pattern.AsSpan((int)(_received % Period), length))) _failure ??= $"wrong bytes behind {_received}";
                Interlocked.Add(ref _received, length);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            _failure ??= e.Message;
        }
    }
}
