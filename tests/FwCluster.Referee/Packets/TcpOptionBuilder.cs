using System.Buffers.Binary;

namespace FwCluster.Referee.Packets;

/// <summary>Writes TCP options in the order they are asked for, padded to a multiple of 4 bytes at the end.</summary>
public sealed class TcpOptionBuilder
{
    private readonly List<byte> _bytes = [];

    public TcpOptionBuilder Raw(params byte[] bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public TcpOptionBuilder NoOperation() => Raw(1);

    public TcpOptionBuilder MaximumSegmentSize(ushort size) => Raw(2, 4, (byte)(size >> 8), (byte)size);

    public TcpOptionBuilder WindowScale(byte shift) => Raw(3, 3, shift);

    public TcpOptionBuilder SackPermitted() => Raw(4, 2);

    public TcpOptionBuilder Sack(params (uint Left, uint Right)[] blocks)
    {
        ArgumentNullException.ThrowIfNull(blocks);
        var option = new byte[2 + 8 * blocks.Length];
        option[0] = 5;
        option[1] = (byte)option.Length;
        for (var i = 0; i < blocks.Length; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(option.AsSpan(2 + 8 * i), blocks[i].Left);
            BinaryPrimitives.WriteUInt32BigEndian(option.AsSpan(6 + 8 * i), blocks[i].Right);
        }
        return Raw(option);
    }

    public TcpOptionBuilder Timestamps(uint value, uint echo)
    {
        var option = new byte[10];
        option[0] = 8;
        option[1] = 10;
        BinaryPrimitives.WriteUInt32BigEndian(option.AsSpan(2), value);
        BinaryPrimitives.WriteUInt32BigEndian(option.AsSpan(6), echo);
        return Raw(option);
    }

    /// <summary>The options, padded with "end of options".</summary>
    public byte[] ToArray()
    {
        var bytes = new byte[(_bytes.Count + 3) & ~3];
        _bytes.CopyTo(bytes);
        return bytes.Length <= 40 ? bytes : throw new InvalidOperationException("a TCP header has room for 40 bytes of options");
    }
}
