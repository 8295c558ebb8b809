using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Akka.Event;
using FwCluster.Cluster.Nodes;
using FwCluster.Cluster.Protocol.V1;
using FwCluster.Datapath;
using Google.Protobuf;

namespace FwCluster.Cluster.Links;

/// <summary>Reads one link of another node, on a thread of its own, and deals what it says: the thread that was woken by a message does all there is to do
/// about it here.</summary>
internal sealed class LinkReader
{
    private const int MostBytes = 2 * 1024 * 1024;
    private const int MostBytesOfStranger = 64;

    private static readonly TimeSpan HandshakeTime = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan MeetingTime = TimeSpan.FromSeconds(10);

    private readonly NodeContext _node;
    private readonly LinkListener _listener;
    private readonly Socket _socket;
    private readonly Thread _thread;
    private byte[] _bytes = new byte[64 * 1024];
    private int _begin, _end;

    /// <summary>Makes a reader.</summary>
    public LinkReader(NodeContext node, LinkListener listener, Socket socket)
    {
        (_node, _listener, _socket) = (node, listener, socket);
        _thread = new Thread(Read) { IsBackground = true };
    }

    /// <summary>Begins to read.</summary>
    public void Start() => _thread.Start();

    /// <summary>Ends, after what is being dealt.</summary>
    /// <param name="andWait">Returns when it has ended.</param>
    public void Close(bool andWait)
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It has ended already.
        }
        _socket.Dispose();
        if (andWait && _thread.IsAlive) _thread.Join();
    }

    private void Read()
    {
        var uid = 0;
        ShortSlice.Take();
        try
        {
            using var stream = Open();
            if (Meet(stream) is not { } from) return;
            uid = from.Uid;
            if (!_listener.Introduce(this, uid)) return;
            _socket.ReceiveTimeout = 0;
            Deal(stream, new Dealer(_node, from));
        }
        catch (Exception e) when (e is SocketException or IOException or AuthenticationException or ObjectDisposedException or InvalidProtocolBufferException)
        {
            _node.Log.Debug("a link ends: {0}", e.Message);
        }
#pragma warning disable CA1031 // whatever another node says, this one goes on; it connects again
        catch (Exception e)
#pragma warning restore CA1031
        {
            _node.Log.Error(e, "a link of another node ends");
        }
        finally
        {
            _listener.Forget(this, uid);
            _socket.Dispose();
        }
    }

    private Stream Open()
    {
        _socket.NoDelay = true;
        _socket.SendTimeout = _socket.ReceiveTimeout = (int)HandshakeTime.TotalMilliseconds;
        var peer = _socket.RemoteEndPoint?.ToString() ?? "";
        var clear = new NetworkStream(_socket, ownsSocket: true);
        if (_node.Certificates is not { } certificates) return clear;
        var tls = new SslStream(clear);
        tls.AuthenticateAsServer(certificates.AsServer(peer, _node.Log));
        return tls;
    }

    /// <summary>The node that speaks; null where it is none that is known here, or means another process.</summary>
    private Node? Meet(Stream stream)
    {
        int field;
        ReadOnlySpan<byte> message;
        while (!TryTake(MostBytesOfStranger, out field, out message))
        {
            if (!Fill(stream)) return null;
        }
        if (field != LinkStream.BeginFieldNumber) throw new IOException("a link does not begin with its beginning");
        var begin = LinkBegin.Parser.ParseFrom(message);
        if (begin.To != _node.Map[0].Uid) return null;
        return _node.Map.Await(begin.From, MeetingTime, _listener.Closed); // its greeting may still be on its way
    }

    private void Deal(Stream stream, Dealer dealer)
    {
        do
        {
            using var turn = Turn.Begin();
            while (TryTake(MostBytes, out var field, out var message)) dealer.Deal(field, message);
            dealer.Forward();
        }
        while (!dealer.From.IsGone && Fill(stream));
    }

    /// <summary>Takes the next field, where all of it is there.</summary>
    /// <exception cref="IOException">No field can begin so.</exception>
    private bool TryTake(int most, out int field, out ReadOnlySpan<byte> message)
    {
        field = 0;
        message = default;
        var rest = _bytes.AsSpan(_begin.._end);
        if (!TryTakeVarint(ref rest, out var key) || !TryTakeVarint(ref rest, out var length)) return false;
        if ((key & 7) != 2 || length > most) throw new IOException($"a link has a field {key >> 3} of type {key & 7} with {length} bytes");
        if (rest.Length < length) return false;
        field = key >> 3;
        message = rest[..length];
        _begin = _end - rest.Length + length;
        return true;
    }

    private static bool TryTakeVarint(ref Span<byte> rest, out int value)
    {
        value = 0;
        for (var i = 0; i < rest.Length; i++)
        {
            if (i == 4) throw new IOException("a link has a number that is too long");
            value |= (rest[i] & 0x7f) << 7 * i;
            if (rest[i] >= 0x80) continue;
            rest = rest[(i + 1)..];
            return true;
        }
        return false;
    }

    /// <summary>Reads what has come; false at the end. The buffer grows as bytes come, not as a length says.</summary>
    private bool Fill(Stream stream)
    {
        if (_begin == _end)
        {
            _begin = _end = 0;
        }
        else if (_end == _bytes.Length)
        {
            if (_begin == 0) Array.Resize(ref _bytes, _bytes.Length * 2);
            else _bytes.AsSpan(_begin.._end).CopyTo(_bytes);
            (_begin, _end) = (0, _end - _begin);
        }
        var read = stream.Read(_bytes.AsSpan(_end));
        _end += read;
        return read > 0;
    }
}
