using FwCluster.Datapath.Shards;

namespace FwCluster.Cluster.Wire;

/// <summary>Reads a <c>ShardRequests</c>, request by request.</summary>
internal ref struct RequestsReader(ReadOnlySpan<byte> message, ShardCodec codec, long now)
{
    private const int RequestField = 1;
    private const int NodeField = 2;

    private readonly ShardCodec _codec = codec;
    private readonly long _now = now;
    private WireReader _reader = new(message);

    /// <summary>The request, after <see cref="Next"/>.</summary>
    public ShardRequest Request;

    /// <summary>The shard that it is for, as the sender has it.</summary>
    public int Shard;

    /// <summary>The sender's worker.</summary>
    public int Worker;

    /// <summary>The packet beside the request.</summary>
    public ReadOnlySpan<byte> Packet;

    /// <summary>The request as it came.</summary>
    public ReadOnlySpan<byte> Bytes;

    /// <summary>The message, or a request in it, cannot be read.</summary>
    public bool IsBroken;

    /// <summary>The node that sends a <c>ShardRequests</c>; 0 where it does not say.</summary>
    public static int NodeOf(ReadOnlySpan<byte> message)
    {
        var reader = new WireReader(message);
        while (reader.Next())
        {
            if (reader.Field == NodeField) return (int)reader.Number;
        }
        return 0;
    }

    /// <summary>Begins a <c>ShardRequests</c>.</summary>
    public static void Begin(WireWriter writer, int node) => writer.Fixed(NodeField, node);

    /// <summary>Adds a request as it came.</summary>
    public static void Append(WireWriter writer, ReadOnlySpan<byte> request) => writer.Bytes(RequestField, request);

    /// <summary>Goes to the next request.</summary>
    public bool Next()
    {
        while (_reader.Next())
        {
            if (_reader.Field != RequestField) continue;
            Bytes = _reader.Bytes;
            if (_codec.TryRead(Bytes, _now, out Request, out Shard, out Worker, out Packet)) return true;
            IsBroken = true;
        }
        IsBroken |= _reader.IsBroken;
        return false;
    }
}
