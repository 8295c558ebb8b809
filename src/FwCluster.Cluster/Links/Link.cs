using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using Akka.Actor;
using Akka.Event;
using FwCluster.Cluster.Nodes;
using FwCluster.Cluster.Protocol.V1;
using FwCluster.Cluster.Wire;
using Google.Protobuf;

namespace FwCluster.Cluster.Links;

/// <summary>
/// One way from this node to another one, for what packets wait for (<c>link.proto</c>): written by whatever thread has something to say, and sent by it.
/// Nobody waits for the other node: what it does not take yet waits here, and where too much waits, the rest is dropped and counted. A thread of the
/// link's own makes the connection, and makes it again where it breaks. As with Akka's remoting, a message comes once or not at all, in order.
/// </summary>
internal sealed class Link : IDisposable
{
    /// <summary>A message is said when it has grown to so many bytes: one that is larger makes what is behind it wait.</summary>
    public const int FullMessage = 48 * 1024;

    private const int MostWaiting = 4 * 1024 * 1024;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongTime = TimeSpan.FromSeconds(2); // a node that has ended is gone by then

    private readonly Lock _lock = new();
    private readonly WireWriter _said = new();
    private readonly ManualResetEventSlim _closed = new();
    private readonly NodeContext _node;
    private readonly Address _address;
    private readonly int _port, _to;
    private LinkSocket? _socket;
    private bool _isWaiting;

    /// <summary>Makes a link, and begins to connect.</summary>
    /// <param name="node">This node.</param>
    /// <param name="to">The number that the other one's start drew.</param>
    /// <param name="address">Where it is a member.</param>
    /// <param name="port">Its port for links there.</param>
    public Link(NodeContext node, int to, Address address, int port)
    {
        (_node, _to, _address, _port) = (node, to, address, port);
        new Thread(Keep) { Name = string.Create(CultureInfo.InvariantCulture, $"to {address.Host}"), IsBackground = true }.Start();
    }

    /// <summary>True while there is a connection.</summary>
    public bool IsUp => Volatile.Read(ref _socket) is not null;

    /// <summary>Says something; it goes at the end of this thread's turn, at once where it has none.</summary>
    /// <param name="field">What it is: a field of <see cref="LinkStream"/>.</param>
    /// <param name="message">The message; it is copied.</param>
    /// <param name="canWait">It goes with the next that cannot, or when the gate has it sent, so that it does not wake the other node by itself.</param>
    public void Write(int field, ReadOnlySpan<byte> message, bool canWait = false)
    {
        lock (_lock)
        {
            if (_closed.IsSet) return;
            if (_said.Length + message.Length > MostWaiting)
            {
                _node.Statistics.CountUnsent();
                return;
            }
            _said.Bytes(field, message);
        }
        if (!canWait && !Turn.TryAdd(this)) Send();
    }

    /// <summary>Sends what was said, as far as the other node takes it.</summary>
    public void Send()
    {
        lock (_lock)
        {
            if (_socket is null || _isWaiting || _said.Length == 0) return;
            _node.Statistics.CountBatchSent();
            Send(_socket);
        }
    }

    /// <summary>The other node is gone.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _closed.Set();
            _said.Clear();
            _socket?.Dispose();
        }
    }

    private void Send(LinkSocket socket)
    {
        try
        {
            socket.Write(_said.Written);
            _said.Clear();
            _isWaiting = !socket.TrySend();
        }
        catch (Exception e) when (IsBroken(e))
        {
            socket.Dispose(); // its own thread sees it, and connects again
            return;
        }
        if (_isWaiting) ThreadPool.UnsafeQueueUserWorkItem(static link => link.SendRest(), this, preferLocal: false);
    }

    /// <summary>Waits until the other node takes more, so that nobody else has to.</summary>
    private void SendRest()
    {
        while (true)
        {
            LinkSocket? socket;
            lock (_lock) socket = _socket;
            if (socket is null) return;
            try
            {
                socket.WaitForRoom();
                lock (_lock)
                {
                    if (socket != _socket) return;
                    if (!socket.TrySend()) continue;
                    _isWaiting = false;
                    if (_said.Length > 0) Send(socket);
                    return;
                }
            }
            catch (Exception e) when (IsBroken(e))
            {
                socket.Dispose();
                return;
            }
        }
    }

    private void Keep()
    {
        var pause = FirstPause;
        var downSince = Environment.TickCount64;
        var isTold = false;
        while (!_closed.IsSet)
        {
            var (lasted, problem) = Use();
            if (lasted > LongTime) (pause, downSince, isTold) = (FirstPause, Environment.TickCount64, false);
            if (!isTold && !_closed.IsSet && Environment.TickCount64 - downSince > LongTime.TotalMilliseconds)
            {
                isTold = true;
                _node.Log.Warning("no link to {0}:{1}, and packets of connections that are there wait in vain: {2}", _address.Host, _port, problem);
            }
            _closed.Wait(pause);
            pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, LongestPause.Ticks));
        }
    }

    /// <summary>Connects, and returns when the connection has ended: how long it was there, and why it is not.</summary>
    private (TimeSpan Lasted, string Problem) Use()
    {
        long begun = 0;
        var problem = "the other node closes it";
        LinkSocket? socket = null;
        try
        {
            socket = LinkSocket.Connect(_address.Host, _port, _node.Certificates, _node.Log);
            begun = Stopwatch.GetTimestamp();
            if (Begin(socket)) socket.WaitForEnd();
        }
        catch (Exception e) when (IsBroken(e))
        {
            problem = e.Message;
        }
        lock (_lock) (_socket, _isWaiting) = (null, false);
        socket?.Dispose();
        return (begun == 0 ? TimeSpan.Zero : Stopwatch.GetElapsedTime(begun), problem);
    }

    private bool Begin(LinkSocket socket)
    {
        var begin = new WireWriter();
        begin.Bytes(LinkStream.BeginFieldNumber, new LinkBegin { From = _node.Map[0].Uid, To = _to }.ToByteArray());
        lock (_lock)
        {
            if (_closed.IsSet) return false;
            socket.Write(begin.Written);
            _socket = socket;
            Send(socket);
            return true;
        }
    }

    // A TLS stream that has failed, or was closed meanwhile, says so as an invalid operation.
    private static bool IsBroken(Exception e)
        => e is SocketException or IOException or AuthenticationException or CryptographicException or InvalidOperationException or OperationCanceledException;
}
