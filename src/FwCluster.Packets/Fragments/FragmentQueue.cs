using System.Buffers;

namespace FwCluster.Packets.Fragments;

/// <summary>The fragments of one datagram that are here: the kernel's inet_frag_queue. The table that it is in owns it.</summary>
internal sealed class FragmentQueue
{
    /// <summary>Memory of this object, its lists and its place in the table, about.</summary>
    public const int OwnBytes = 512;

    private const int FragmentBytes = 32;

    private readonly List<Piece> _pieces = [];
    private readonly List<Run> _runs = [];
    private byte[] _buffer = [];
    private int _used;
    private int _headerPosition;

    public FragmentQueue(FragmentKey key, FragmentSource? source)
    {
        Key = key;
        Source = source;
        Node = new LinkedListNode<FragmentQueue>(this);
    }

    /// <summary>What happened to a fragment's data.</summary>
    internal enum Insertion
    {
        Added,
        Duplicate,
        Overlap,
    }

    // Immutable.
    public FragmentKey Key { get; }

    public FragmentSource? Source { get; }

    /// <summary>Its place in the order of deadlines.</summary>
    public LinkedListNode<FragmentQueue> Node { get; }

    // Mutable, owned by the table.
    public long Deadline { get; set; }

    /// <summary>The sender's fragment count when the last fragment of this datagram came.</summary>
    public uint SourceCount { get; set; }

    // Mutable, owned by the reassembler.

    /// <summary>Where the data ends, as far as is known.</summary>
    public int DataLength { get; set; }

    public bool HasLast { get; set; }

    /// <summary>One bit for each ECN codepoint seen.</summary>
    public int EcnSeen { get; set; }

    public int LargestFragment { get; set; }

    /// <summary>The largest IPv4 fragment that had "don't fragment" set.</summary>
    public int LargestUnfragmentable { get; set; }

    /// <summary>Bytes of the header of the fragment at offset 0, once it is here.</summary>
    public int HeaderLength { get; private set; }

    public bool IsEmpty => _pieces.Count == 0;

    /// <summary>Every byte from 0 to the end is here.</summary>
    public bool IsComplete => HasLast && HeaderLength != 0 && Received == DataLength;

    /// <summary>Bytes of memory that this queue holds.</summary>
    public int MemoryBytes => OwnBytes + _buffer.Length + _pieces.Count * FragmentBytes;

    private int Received { get; set; }

    /// <summary>
    /// Puts data in its place: inet_frag_queue_insert (net/ipv4/inet_fragment.c). What lies within a run of fragments that arrived one behind
    /// the other is a duplicate; any other overlap is an attack.
    /// </summary>
    /// <param name="offset">Where the data begins in the datagram.</param>
    /// <param name="end">Where it ends.</param>
    /// <param name="data">The data, or what a capture left of it.</param>
    public Insertion Insert(int offset, int end, ReadOnlySpan<byte> data)
    {
        var index = FirstRunEndingAfter(offset);
        if (index < _runs.Count && _runs[index].Start < end)
            return _runs[index].Start <= offset && end <= _runs[index].End ? Insertion.Duplicate : Insertion.Overlap;

        if (index == _runs.Count && index > 0 && _runs[^1].End == offset)
            _runs[^1] = _runs[^1] with { End = end };
        else
            _runs.Insert(index, new Run(offset, end));
        _pieces.Add(new Piece(offset, end, Store(data), data.Length));
        Received += end - offset;
        return Insertion.Added;
    }

    /// <summary>Keeps the header of the fragment at offset 0: it becomes the datagram's.</summary>
    public void KeepHeader(ReadOnlySpan<byte> header)
    {
        _headerPosition = Store(header);
        HeaderLength = header.Length;
    }

    /// <summary>Forgets the fragments. The sizes of the largest stay, as the kernel leaves them in ip_frag_reinit.</summary>
    public void Clear()
    {
        _pieces.Clear();
        _runs.Clear();
        _used = 0;
        HeaderLength = 0;
        Received = 0;
        DataLength = 0;
        HasLast = false;
        EcnSeen = 0;
    }

    /// <summary>Gives the buffer back to the pool.</summary>
    public void Release()
    {
        if (_buffer.Length != 0) ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    /// <summary>Copies header and data to where they belong, with the header's fields as the first fragment had them.</summary>
    /// <returns>Bytes up to the first that a capture cut off.</returns>
    public int CopyTo(Span<byte> packet)
    {
        var present = HeaderLength + DataLength;
        _buffer.AsSpan(_headerPosition, HeaderLength).CopyTo(packet);
        foreach (var piece in _pieces)
        {
            _buffer.AsSpan(piece.Position, piece.Captured).CopyTo(packet[(HeaderLength + piece.Offset)..]);
            if (piece.Captured < piece.End - piece.Offset) present = Math.Min(present, HeaderLength + piece.Offset + piece.Captured);
        }
        return present;
    }

    private int FirstRunEndingAfter(int offset)
    {
        var (low, high) = (0, _runs.Count);
        // Most trains come in order: their next fragment lies behind the last run.
        if (high > 0 && _runs[^1].End <= offset) return high;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_runs[middle].End <= offset) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    private int Store(ReadOnlySpan<byte> bytes)
    {
        var position = _used;
        if (_buffer.Length - _used < bytes.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_used + bytes.Length, 2 * _buffer.Length));
            _buffer.AsSpan(0, _used).CopyTo(larger);
            Release();
            _buffer = larger;
        }
        bytes.CopyTo(_buffer.AsSpan(position));
        _used += bytes.Length;
        return position;
    }

    /// <summary>Data of one fragment: where it belongs, and where in the buffer it lies.</summary>
    private readonly record struct Piece(int Offset, int End, int Position, int Captured);

    /// <summary>Fragments that arrived in order, one directly behind the other, at the end of what was there.</summary>
    private readonly record struct Run(int Start, int End);
}
