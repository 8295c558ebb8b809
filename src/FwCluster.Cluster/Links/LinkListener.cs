using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using FwCluster.Cluster.Nodes;

namespace FwCluster.Cluster.Links;

/// <summary>Where the other nodes' links come in. Each has a reader with a thread of its own.</summary>
internal sealed class LinkListener : IDisposable
{
    private const int MostStrangers = 64;

    private static readonly TimeSpan FailurePause = TimeSpan.FromMilliseconds(50);

    private readonly Socket _socket;
    private readonly ConcurrentDictionary<int, LinkReader> _readers = new();
    private readonly ConcurrentDictionary<LinkReader, bool> _strangers = new();
    private readonly CancellationTokenSource _closed = new();

    private LinkListener(Socket socket) => _socket = socket;

    /// <summary>The port.</summary>
    public int Port => ((IPEndPoint)_socket.LocalEndPoint!).Port;

    /// <summary>Cancelled when no link is taken any more.</summary>
    public CancellationToken Closed => _closed.Token;

    /// <summary>Listens; connections wait until <see cref="Start"/>.</summary>
    /// <param name="address">This node's address.</param>
    /// <param name="port">The port; 0 takes a free one.</param>
    /// <exception cref="ClusterListenException">Nobody can listen there.</exception>
    public static LinkListener Open(IPAddress address, int port)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(address, port));
            socket.Listen();
            return new LinkListener(socket);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new ClusterListenException(string.Create(CultureInfo.InvariantCulture, $"link-port: cannot listen at {address}, port {port}: {e.Message}"), e);
        }
    }

    /// <summary>Takes the links of those who are members.</summary>
    public void Start(NodeContext node) => new Thread(() => Accept(node)) { Name = "links", IsBackground = true }.Start();

    /// <summary>Lets a reader speak for a node: what came by the one before has been dealt when this returns.</summary>
    /// <returns>False where no link is taken any more.</returns>
    public bool Introduce(LinkReader reader, int uid)
    {
        _strangers.TryRemove(reader, out _);
        while (!_closed.IsCancellationRequested)
        {
            if (_readers.TryAdd(uid, reader)) return !_closed.IsCancellationRequested || Close(reader);
            if (_readers.TryGetValue(uid, out var older)) older.Close(andWait: true);
        }
        return false;
    }

    /// <summary>True while there is a link from a node.</summary>
    public bool Has(int uid) => _readers.ContainsKey(uid);

    /// <summary>A reader has ended.</summary>
    public void Forget(LinkReader reader, int uid)
    {
        _strangers.TryRemove(reader, out _);
        _readers.TryRemove(KeyValuePair.Create(uid, reader));
    }

    /// <summary>Takes nothing more from a node.</summary>
    public void Close(int uid)
    {
        if (_readers.TryGetValue(uid, out var reader)) reader.Close(andWait: false);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _closed.Cancel();
        _socket.Dispose();
        foreach (var reader in _readers.Values.Concat(_strangers.Keys)) reader.Close(andWait: false);
    }

    private static bool Close(LinkReader reader)
    {
        reader.Close(andWait: false);
        return false;
    }

    private void Accept(NodeContext node)
    {
        while (!_closed.IsCancellationRequested)
        {
            try
            {
                Read(new LinkReader(node, this, _socket.Accept()));
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or OutOfMemoryException)
            {
                // No file descriptors, say, of which a thread needs some, too: members try again.
                _closed.Token.WaitHandle.WaitOne(FailurePause);
            }
        }
    }

    private void Read(LinkReader reader)
    {
        var isReading = false;
        try
        {
            if (_strangers.Count >= MostStrangers || !_strangers.TryAdd(reader, true)) return; // who does not say who he is shall not use up the threads
            reader.Start();
            isReading = true;
        }
        finally
        {
            if (!isReading)
            {
                _strangers.TryRemove(reader, out _);
                reader.Close(andWait: false);
            }
        }
    }
}
