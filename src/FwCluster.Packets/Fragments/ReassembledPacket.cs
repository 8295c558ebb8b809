using System.Buffers;

namespace FwCluster.Packets.Fragments;

/// <summary>
/// A packet put together from its fragments: a fresh IP packet, without any sign of the fragments, in a buffer from the shared pool. Whoever
/// gets it owns it, and disposes of it once.
/// </summary>
public readonly struct ReassembledPacket : IDisposable
{
    private readonly byte[]? _buffer;
    private readonly int _length;

    internal ReassembledPacket(byte[] buffer, int length, int wireLength)
    {
        _buffer = buffer;
        _length = length;
        WireLength = wireLength;
    }

    /// <summary>The packet from its IP header on, up to the first byte that a capture cut off from a fragment; to the end where
    /// nothing was cut.</summary>
    public ReadOnlySpan<byte> Span => _buffer.AsSpan(0, _length);

    /// <summary>The same, for who keeps the packet.</summary>
    public ReadOnlyMemory<byte> Memory => _buffer.AsMemory(0, _length);

    /// <summary>Bytes of the whole packet, the cut-off ones included.</summary>
    public int WireLength { get; }

    /// <summary>Gives the buffer back to the pool.</summary>
    public void Dispose()
    {
        if (_buffer is not null) ArrayPool<byte>.Shared.Return(_buffer);
    }
}
