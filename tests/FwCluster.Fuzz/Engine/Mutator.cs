using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace FwCluster.Fuzz.Engine;

/// <summary>Makes inputs from other inputs: a few random changes, one on top of the other.</summary>
internal sealed class Mutator(Random random, IReadOnlyList<byte[]> dictionary, int maxBytes)
{
    private static readonly long[] Interesting =
    [
        0, 1, -1, 2, 3, 4, 5, 6, 7, 8, 15, 16, 17, 19, 20, 21, 31, 32, 33, 39, 40, 41, 60, 63, 64, 65, 100, 127, 128, 129, 255, 256, 512, 1000, 1024,
        1500, 4096, 32767, 32768, 65534, 65535, 65536, 100663045, 262144, 2147483647, 2147483648, 4294967294, 4294967295,
    ];

    private byte[] _bytes = new byte[maxBytes];
    private byte[] _other = new byte[maxBytes];
    private int _length;

    /// <summary>Changes <paramref name="parent"/>; <paramref name="partner"/> may lend a piece. Valid until the next call.</summary>
    public ReadOnlySpan<byte> Mutate(ReadOnlySpan<byte> parent, ReadOnlySpan<byte> partner)
    {
        _length = Math.Min(parent.Length, maxBytes);
        parent[.._length].CopyTo(_bytes);
        for (var changes = 1 << random.Next(5); changes > 0; changes--) Change(partner);
        return _bytes.AsSpan(0, _length);
    }

    private void Change(ReadOnlySpan<byte> partner)
    {
        if (_length == 0)
        {
            Insert(0, RandomPiece(partner));
            return;
        }
        var at = random.Next(_length);
        switch (random.Next(15))
        {
            case 0:
                _bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                _bytes[at] = (byte)random.Next(256);
                break;
            case 2:
                _bytes[at] += (byte)random.Next(-16, 17);
                break;
            case 3:
                Number(at, static (value, random) => value + random.Next(-35, 36));
                break;
            case 4:
                Number(at, static (_, random) => Interesting[random.Next(Interesting.Length)]);
                break;
            case 5:
            case 6:
                Remove(at, PieceLength(_length - at));
                break;
            case 7:
                Insert(at, Piece(_bytes.AsSpan(0, _length)));
                break;
            case 8:
                Overwrite(at, Piece(_bytes.AsSpan(0, _length)));
                break;
            case 9:
                Insert(at, RandomPiece(partner));
                break;
            case 10:
                Insert(at, Word());
                break;
            case 11:
                Overwrite(at, Word());
                break;
            case 12:
                WrittenNumber(at);
                break;
            case 13:
                Splice(at, partner);
                break;
            default:
                Line(at);
                break;
        }
    }

    /// <summary>A binary number of 1, 2 or 4 bytes in either order.</summary>
    private void Number(int at, Func<long, Random, long> change)
    {
        var rest = _bytes.AsSpan(at, _length - at);
        switch (random.Next(5))
        {
            case 0 when rest.Length >= 2:
                BinaryPrimitives.WriteInt16BigEndian(rest, (short)change(BinaryPrimitives.ReadInt16BigEndian(rest), random));
                break;
            case 1 when rest.Length >= 2:
                BinaryPrimitives.WriteInt16LittleEndian(rest, (short)change(BinaryPrimitives.ReadInt16LittleEndian(rest), random));
                break;
            case 2 when rest.Length >= 4:
                BinaryPrimitives.WriteInt32BigEndian(rest, (int)change(BinaryPrimitives.ReadInt32BigEndian(rest), random));
                break;
            case 3 when rest.Length >= 4:
                BinaryPrimitives.WriteInt32LittleEndian(rest, (int)change(BinaryPrimitives.ReadInt32LittleEndian(rest), random));
                break;
            default:
                rest[0] = (byte)change(rest[0], random);
                break;
        }
    }

    /// <summary>A number in digits, the next one from here on.</summary>
    private void WrittenNumber(int at)
    {
        while (at < _length && !char.IsAsciiDigit((char)_bytes[at])) at++;
        var end = at;
        while (end < _length && char.IsAsciiDigit((char)_bytes[end])) end++;
        if (end == at) return;
        Remove(at, end - at);
        Insert(at, Encoding.ASCII.GetBytes(Interesting[random.Next(Interesting.Length)].ToString(CultureInfo.InvariantCulture)));
    }

    /// <summary>The whole line around a place: again somewhere else, or gone.</summary>
    private void Line(int at)
    {
        var start = _bytes.AsSpan(0, at).LastIndexOf((byte)'\n') + 1;
        var length = _bytes.AsSpan(at, _length - at).IndexOf((byte)'\n');
        var end = length < 0 ? _length : at + length + 1;
        var line = _bytes.AsSpan(start, end - start).ToArray();
        if (random.Next(3) == 0)
        {
            Remove(start, end - start);
            return;
        }
        var target = random.Next(_length);
        Insert(_bytes.AsSpan(0, target).LastIndexOf((byte)'\n') + 1, line);
    }

    /// <summary>Goes on as the partner does.</summary>
    private void Splice(int at, ReadOnlySpan<byte> partner)
    {
        if (partner.IsEmpty) return;
        var tail = partner[random.Next(partner.Length)..];
        var length = Math.Min(tail.Length, maxBytes - at);
        tail[..length].CopyTo(_bytes.AsSpan(at));
        _length = at + length;
    }

    private void Remove(int at, int count)
    {
        _bytes.AsSpan(at + count, _length - at - count).CopyTo(_bytes.AsSpan(at));
        _length -= count;
    }

    private void Insert(int at, ReadOnlySpan<byte> piece)
    {
        var count = Math.Min(piece.Length, maxBytes - _length);
        _bytes.AsSpan(0, at).CopyTo(_other);
        piece[..count].CopyTo(_other.AsSpan(at));
        _bytes.AsSpan(at, _length - at).CopyTo(_other.AsSpan(at + count));
        (_bytes, _other) = (_other, _bytes);
        _length += count;
    }

    private void Overwrite(int at, ReadOnlySpan<byte> piece)
    {
        var count = Math.Min(piece.Length, _length - at);
        piece[..count].CopyTo(_bytes.AsSpan(at));
    }

    private ReadOnlySpan<byte> Word() => dictionary.Count == 0 ? [] : dictionary[random.Next(dictionary.Count)];

    private ReadOnlySpan<byte> RandomPiece(ReadOnlySpan<byte> partner)
    {
        if (!partner.IsEmpty && random.Next(2) == 0) return Piece(partner);
        var piece = new byte[1 + random.Next(8)];
        random.NextBytes(piece);
        return piece;
    }

    private ReadOnlySpan<byte> Piece(ReadOnlySpan<byte> of)
    {
        var start = random.Next(of.Length);
        return of.Slice(start, PieceLength(of.Length - start));
    }

    // Mostly short.
    private int PieceLength(int most) => 1 + random.Next(Math.Min(most, 1 << random.Next(3, 12)));
}
