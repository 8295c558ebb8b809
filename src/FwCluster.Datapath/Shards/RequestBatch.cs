namespace FwCluster.Datapath.Shards;

/// <summary>Requests of one worker on their way, with the packets that they ask about. Its memory is used again.</summary>
public sealed class RequestBatch
{
    private ShardRequest[] _requests = new ShardRequest[16];
    private (int Offset, int Length)[] _packets = new (int, int)[16];
    private byte[] _bytes = new byte[2048];
    private int _used;

    /// <summary>The worker that they come from.</summary>
    public int Worker { get; set; }

    /// <summary>Requests in it.</summary>
    public int Count { get; private set; }

    /// <summary>One of them.</summary>
    public ref readonly ShardRequest this[int index] => ref _requests[index];

    /// <summary>The packet beside a request.</summary>
    public ReadOnlySpan<byte> Packet(int index) => _bytes.AsSpan(_packets[index].Offset, _packets[index].Length);

    /// <summary>Adds a request and its packet; both are copied.</summary>
    public void Add(in ShardRequest request, ReadOnlySpan<byte> packet)
    {
        if (Count == _requests.Length)
        {
            Array.Resize(ref _requests, Count * 2);
            Array.Resize(ref _packets, Count * 2);
        }
        if (_bytes.Length - _used < packet.Length) Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _used + packet.Length));
        packet.CopyTo(_bytes.AsSpan(_used));
        _requests[Count] = request;
        _packets[Count++] = (_used, packet.Length);
        _used += packet.Length;
    }

    /// <summary>Empties it.</summary>
    public void Clear() => Count = _used = 0;
}
