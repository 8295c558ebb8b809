using FwCluster.Datapath.Shards;

namespace FwCluster.Cluster.Shards;

/// <summary>Requests for one shard, on their way to its actor. Used again.</summary>
internal sealed class ShardPart
{
    private ShardRequest[] _requests = new ShardRequest[8];
    private (int Holder, int PacketEnd)[] _places = new (int, int)[8];
    private byte[] _packets = new byte[1024];

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>Adds a request.</summary>
    public void Add(int holder, in ShardRequest request, ReadOnlySpan<byte> packet)
    {
        if (Count == _requests.Length)
        {
            Array.Resize(ref _requests, Count * 2);
            Array.Resize(ref _places, Count * 2);
        }
        var begin = Count == 0 ? 0 : _places[Count - 1].PacketEnd;
        var end = begin + packet.Length;
        if (end > _packets.Length) Array.Resize(ref _packets, Math.Max(end, _packets.Length * 2));
        packet.CopyTo(_packets.AsSpan(begin));
        _requests[Count] = request;
        _places[Count++] = (holder, end);
    }

    /// <summary>The worker that sent one.</summary>
    public int Holder(int index) => _places[index].Holder;

    /// <summary>One request.</summary>
    public ref readonly ShardRequest Request(int index) => ref _requests[index];

    /// <summary>The packet beside it.</summary>
    public ReadOnlySpan<byte> Packet(int index)
        => _packets.AsSpan((index == 0 ? 0 : _places[index - 1].PacketEnd).._places[index].PacketEnd);

    /// <summary>Makes it empty.</summary>
    public void Clear() => Count = 0;
}
