using System.Net;
using System.Net.Sockets;

namespace FwCluster.Node.Tests;

/// <summary>Datagrams from left to right, some each millisecond, that nobody sends twice: what does not arrive was lost.</summary>
internal sealed class DatagramStream : IDisposable
{
    private const int PerBeat = 2;
    private readonly Socket _from;
    private readonly Socket _to;
    private readonly Thread _sender;
    private readonly Thread _receiver;
    private long _sent;
    private long _received;
    private volatile bool _stopping;

    public DatagramStream(GatewayLab lab, IPAddress address, int port)
    {
        _to = lab.Right.Run(() => new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp));
        _to.ReceiveBufferSize = 8 << 20;
        _to.ReceiveTimeout = 100;
        _to.Bind(new IPEndPoint(address, port));
        _from = lab.Left.Run(() => new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp));
        _from.Connect(address, port);
        (_sender, _receiver) = (new Thread(Send) { IsBackground = true }, new Thread(Receive) { IsBackground = true });
        _receiver.Start();
        _sender.Start();
    }

    /// <summary>How many were sent so far.</summary>
    public long Sent => Interlocked.Read(ref _sent);

    /// <summary>How many have arrived so far.</summary>
    public long Received => Interlocked.Read(ref _received);

    /// <summary>Sends no more, and waits for what is on the way: until all arrived, or nothing does for 2 s.</summary>
    public void Finish()
    {
        _stopping = true;
        _sender.Join();
        for (var (last, quiet) = (Received, 0); Received < Sent && quiet < 20; quiet = Received == last ? quiet + 1 : 0, last = Received) Thread.Sleep(100);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stopping = true;
        _sender.Join();
        _from.Dispose();
        _to.Dispose();
        _receiver.Join();
    }

    private void Send()
    {
        Span<byte> datagram = stackalloc byte[100];
        while (!_stopping)
        {
            for (var i = 0; i < PerBeat; i++)
            {
                _from.Send(datagram);
                Interlocked.Increment(ref _sent);
            }
            Thread.Sleep(1);
        }
    }

    private void Receive()
    {
        Span<byte> datagram = stackalloc byte[200];
        while (true)
        {
            try
            {
                _to.Receive(datagram);
                Interlocked.Increment(ref _received);
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock)
            {
                // Nothing for a while.
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }
}
