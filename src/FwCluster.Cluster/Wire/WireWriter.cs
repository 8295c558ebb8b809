using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using FwCluster.Packets;

namespace FwCluster.Cluster.Wire;

/// <summary>
/// Writes protobuf messages into a buffer that is used again: what goes between nodes for each question is not worth an object for each tuple in
/// it. A field is left out where its value is the default, as generated code does. A message in a message has its length before it in three
/// bytes, as a varint that is longer than it need be, which every reader takes.
/// </summary>
internal sealed class WireWriter
{
    private const int LengthBytes = 3;

    private byte[] _bytes = new byte[4096];

    /// <summary>Bytes written.</summary>
    public int Length { get; private set; }

    /// <summary>What was written.</summary>
    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    /// <summary>Makes it empty.</summary>
    public void Clear() => Length = 0;

    /// <summary>What was written, as an array of its own.</summary>
    public byte[] ToArray() => Written.ToArray();

    /// <summary>Adds bytes that were written elsewhere.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Room(bytes.Length));
        Length += bytes.Length;
    }

    /// <summary>Writes a number (<c>uint32</c>, <c>uint64</c>, <c>bool</c>, an enumeration).</summary>
    public void Number(int field, ulong value)
    {
        if (value == 0) return;
        Room(20);
        Varint((uint)field << 3);
        Varint(value);
    }

    /// <summary>Writes an <c>int64</c>.</summary>
    public void Signed(int field, long value) => Number(field, (ulong)value);

    /// <summary>Writes a flag.</summary>
    public void Flag(int field, bool value) => Number(field, value ? 1UL : 0);

    /// <summary>Writes an <c>sfixed32</c>.</summary>
    public void Fixed(int field, int value)
    {
        if (value == 0) return;
        Room(20);
        Varint((uint)field << 3 | 5);
        BinaryPrimitives.WriteInt32LittleEndian(_bytes.AsSpan(Length), value);
        Length += 4;
    }

    /// <summary>Writes bytes, or text in UTF-8.</summary>
    public void Bytes(int field, ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty) return;
        Room(20 + value.Length);
        Varint((uint)field << 3 | 2);
        Varint((uint)value.Length);
        value.CopyTo(_bytes.AsSpan(Length));
        Length += value.Length;
    }

    /// <summary>Writes an address: 4 or 16 bytes, also where they are all zero.</summary>
    public void Address(int field, IpAddress address, IpFamily family)
    {
        var length = family == IpFamily.IPv4 ? 4 : 16;
        Room(20);
        Varint((uint)field << 3 | 2);
        Varint((uint)length);
        address.Write(family, _bytes.AsSpan(Length, length));
        Length += length;
    }

    /// <summary>Begins a message in a message.</summary>
    /// <returns>What <see cref="End"/> needs.</returns>
    public int Begin(int field)
    {
        Room(20);
        Varint((uint)field << 3 | 2);
        Length += LengthBytes;
        return Length;
    }

    /// <summary>Ends a message in a message; at most 2 MiB.</summary>
    public void End(int begun)
    {
        var length = Length - begun;
        if (length >= 1 << 7 * LengthBytes) throw new InvalidOperationException($"a message of {length} bytes in a message");
        _bytes[begun - 3] = (byte)(length | 0x80);
        _bytes[begun - 2] = (byte)(length >> 7 | 0x80);
        _bytes[begun - 1] = (byte)(length >> 14);
    }

    private Span<byte> Room(int bytes)
    {
        if (_bytes.Length - Length < bytes) Array.Resize(ref _bytes, (int)BitOperations.RoundUpToPowerOf2((uint)(Length + bytes)));
        return _bytes.AsSpan(Length);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Varint(ulong value)
    {
        while (value >= 0x80)
        {
            _bytes[Length++] = (byte)(value | 0x80);
            value >>= 7;
        }
        _bytes[Length++] = (byte)value;
    }
}
