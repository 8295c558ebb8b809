using System.Buffers.Binary;

namespace FwCluster.Fuzz.Targets;

/// <summary>Takes an input apart into numbers and pieces. What is missing at its end is 0 and empty.</summary>
internal ref struct InputReader(ReadOnlySpan<byte> input)
{
    private ReadOnlySpan<byte> _rest = input;

    /// <summary>True where nothing is left.</summary>
    public readonly bool IsAtEnd => _rest.IsEmpty;

    /// <summary>The next byte.</summary>
    public byte Byte()
    {
        if (_rest.IsEmpty) return 0;
        var value = _rest[0];
        _rest = _rest[1..];
        return value;
    }

    /// <summary>A number of two bytes, the higher one first.</summary>
    public ushort UInt16() => (ushort)(Byte() << 8 | Byte());

    /// <summary>A piece that says its length in a number of two bytes before it.</summary>
    public ReadOnlySpan<byte> Piece()
    {
        var length = Math.Min(UInt16(), _rest.Length);
        var piece = _rest[..length];
        _rest = _rest[length..];
        return piece;
    }

    /// <summary>Writes what <see cref="Piece"/> reads.</summary>
    public static byte[] WritePiece(ReadOnlySpan<byte> piece)
    {
        var bytes = new byte[2 + piece.Length];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)piece.Length);
        piece.CopyTo(bytes.AsSpan(2));
        return bytes;
    }
}
