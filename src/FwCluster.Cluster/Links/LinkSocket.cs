using System.Net.Security;
using System.Net.Sockets;
using Akka.Event;
using FwCluster.Cluster.Security;

namespace FwCluster.Cluster.Links;

/// <summary>The sending end of a link's connection. Once it is made, nothing here waits but what says so.</summary>
internal sealed class LinkSocket : IDisposable
{
    private static readonly TimeSpan ConnectTime = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan HandshakeTime = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RoomTime = TimeSpan.FromMilliseconds(500);

    private readonly Socket _socket;
    private readonly Outgoing _outgoing;
    private readonly SslStream? _tls;

    private LinkSocket(Socket socket, ClusterCertificates? certificates)
    {
        _socket = socket;
        _outgoing = new Outgoing(socket);
        if (certificates is null) return;
        _tls = new SslStream(_outgoing);
    }

    /// <summary>Connects; with certificates, each end shows its own.</summary>
    /// <exception cref="SocketException">Nobody is there.</exception>
    /// <exception cref="IOException">The other one breaks off.</exception>
    /// <exception cref="System.Security.Authentication.AuthenticationException">The other one's certificate is not believed.</exception>
    /// <exception cref="OperationCanceledException">The other one does not answer in time.</exception>
    public static LinkSocket Connect(string host, int port, ClusterCertificates? certificates, ILoggingAdapter log)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            using (var time = new CancellationTokenSource(ConnectTime)) socket.ConnectAsync(host, port, time.Token).AsTask().GetAwaiter().GetResult();
            socket.SendTimeout = socket.ReceiveTimeout = (int)HandshakeTime.TotalMilliseconds;
            var link = new LinkSocket(socket, certificates);
            link._tls?.AuthenticateAsClient(certificates!.AsClient($"{host}:{port}", log));
            socket.Blocking = false;
            link._outgoing.Collects = true;
            return link;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Takes bytes to be sent.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (_tls is null) _outgoing.Write(bytes);
        else _tls.Write(bytes);
    }

    /// <summary>Sends what there is.</summary>
    /// <returns>False where some of it must wait until the other one takes more.</returns>
    /// <exception cref="SocketException">The connection is broken.</exception>
    public bool TrySend() => _outgoing.TrySend();

    /// <summary>Waits until there may be room to send, or a while.</summary>
    public void WaitForRoom() => _socket.Poll(RoomTime, SelectMode.SelectWrite);

    /// <summary>Waits until the connection ends. The other end says nothing by it.</summary>
    public void WaitForEnd()
    {
        Span<byte> nothing = stackalloc byte[256]; // TLS has something to say to itself
        while (true)
        {
            _socket.Poll(Timeout.InfiniteTimeSpan, SelectMode.SelectRead);
            if (_socket.Receive(nothing, SocketFlags.None, out var error) == 0 && error != SocketError.WouldBlock) return;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Both); // ends the wait of whoever waits
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It has ended already.
        }
        _socket.Dispose();
        _tls?.Dispose();
    }

    /// <summary>What TLS writes to: the socket itself during its handshake, later a buffer from which the socket takes what it can.</summary>
    private sealed class Outgoing(Socket socket) : Stream
    {
        private byte[] _bytes = new byte[4096];
        private int _begin, _end;

        public bool Collects { get; set; }

        public override bool CanRead => true;

        public override bool CanWrite => true;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (!Collects)
            {
                while (!buffer.IsEmpty) buffer = buffer[socket.Send(buffer)..];
                return;
            }
            if (_bytes.Length - _end < buffer.Length)
            {
                var old = _bytes.AsSpan(_begin.._end);
                if (old.Length + buffer.Length > _bytes.Length) _bytes = new byte[Math.Max(_bytes.Length * 2, old.Length + buffer.Length)];
                old.CopyTo(_bytes);
                (_begin, _end) = (0, old.Length);
            }
            buffer.CopyTo(_bytes.AsSpan(_end));
            _end += buffer.Length;
        }

        public bool TrySend()
        {
            while (_begin < _end)
            {
                var sent = socket.Send(_bytes.AsSpan(_begin.._end), SocketFlags.None, out var error);
                if (error == SocketError.WouldBlock) return false;
                if (error != SocketError.Success) throw new SocketException((int)error);
                _begin += sent;
            }
            _begin = _end = 0;
            return true;
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer) => socket.Receive(buffer);

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush()
        {
            // Sent by TrySend.
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
