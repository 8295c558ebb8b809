using System.Buffers.Binary;

namespace FwCluster.Conntrack.Sctp;

/// <summary>Walks the chunks of a packet, in a <c>foreach</c> (<c>for_each_sctp_chunk</c>). A chunk of length 0 never ends: check
/// before (<see cref="SctpTracker"/> does).</summary>
/// <param name="packet">The packet, from its IP header on and without padding.</param>
/// <param name="offset">Where the first chunk begins.</param>
internal ref struct SctpChunks(ReadOnlySpan<byte> packet, int offset)
{
    private readonly ReadOnlySpan<byte> _packet = packet;
    private int _offset = offset;

    /// <summary>The chunk that <see cref="MoveNext"/> came to.</summary>
    public SctpChunk Current { get; private set; }

    /// <summary>From the first chunk on.</summary>
    public readonly SctpChunks GetEnumerator() => this;

    /// <summary>Goes on to the next chunk whose header is there.</summary>
    public bool MoveNext()
    {
        if (_packet.Length - _offset < SctpChunk.HeaderBytes) return false;
        Current = new SctpChunk(_packet[_offset..]);
        _offset += Current.Length + 3 & ~3;
        return true;
    }
}

/// <summary>One chunk, and what follows it in the packet.</summary>
/// <param name="bytes">At least its header.</param>
internal readonly ref struct SctpChunk(ReadOnlySpan<byte> bytes)
{
    /// <summary>Type, flags and length.</summary>
    public const int HeaderBytes = 4;

    private const int InitBytes = 16;
    private const byte PeersTag = 1;

    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>What it is.</summary>
    public SctpChunkType Type => (SctpChunkType)_bytes[0];

    /// <summary>ABORT and SHUTDOWN COMPLETE: the packet carries the receiver's own tag back (the T bit).</summary>
    public bool CarriesPeersTag => (_bytes[1] & PeersTag) != 0;

    /// <summary>Bytes as its header says, the header included; the padding to four not.</summary>
    public int Length => BinaryPrimitives.ReadUInt16BigEndian(_bytes[2..]);

    /// <summary>The tag that INIT and INIT ACK ask the other side to use; false where the packet ends within the chunk's fixed
    /// part.
    /// </summary>
    public bool TryReadInitiateTag(out uint tag)
    {
        tag = 0;
        if (_bytes.Length < HeaderBytes + InitBytes) return false;
        tag = BinaryPrimitives.ReadUInt32BigEndian(_bytes[HeaderBytes..]);
        return true;
    }
}
