using System.Buffers.Binary;
using FwCluster.Packets;

namespace FwCluster.Capture.Files;

/// <summary>Builds one pcapng block at a time, in memory that is used again: <see cref="Begin"/>, the fields, <see cref="End"/>. Not
/// thread-safe.</summary>
internal sealed class PcapngBlockBuilder
{
    private byte[] _bytes = new byte[4096];
    private int _length;

    /// <summary>The byte order of what is written.</summary>
    public bool BigEndian { get; set; } = !BitConverter.IsLittleEndian;

    /// <summary>The section header of a capture that this program writes, without a length.</summary>
    public ReadOnlySpan<byte> Section(ReadOnlySpan<byte> program)
    {
        Begin(PcapngBlock.SectionHeader);
        Put32(PcapngBlock.ByteOrderMagic);
        Put16(1);
        Put16(0);
        PutUnknownSectionLength();
        PutOption(PcapngBlock.OptionUserApplication, program);
        return EndWithOptions();
    }

    /// <summary>An interface's description.</summary>
    /// <param name="link">The link-layer header of its packets.</param>
    /// <param name="snapLength">Most bytes kept of a packet; 0 for no limit.</param>
    /// <param name="resolution">How its time stamps count: 9 for nanoseconds (if_tsresol).</param>
    /// <param name="name">Its name in UTF-8; empty for none.</param>
    public ReadOnlySpan<byte> Interface(LinkType link, uint snapLength, byte resolution, ReadOnlySpan<byte> name)
    {
        Begin(PcapngBlock.InterfaceDescription);
        Put16((ushort)link);
        Put16(0);
        Put32(snapLength);
        if (!name.IsEmpty) PutOption(PcapngBlock.OptionInterfaceName, name);
        PutOption(PcapngBlock.OptionTimestampResolution, [resolution]);
        return EndWithOptions();
    }

    /// <summary>An enhanced packet block.</summary>
    /// <param name="source">Its interface's place among the section's.</param>
    /// <param name="ticks">Its time in the interface's units.</param>
    /// <param name="wireLength">Bytes on the wire.</param>
    /// <param name="data">The bytes kept.</param>
    /// <param name="comment">A comment in UTF-8, at most 65,535 bytes; empty for none.</param>
    public ReadOnlySpan<byte> Packet(uint source, ulong ticks, uint wireLength, ReadOnlySpan<byte> data, ReadOnlySpan<byte> comment)
    {
        Begin(PcapngBlock.EnhancedPacket);
        Put32(source);
        Put32((uint)(ticks >> 32));
        Put32((uint)ticks);
        Put32((uint)data.Length);
        Put32(wireLength);
        PutPadded(data);
        if (!comment.IsEmpty) PutOption(PcapngBlock.OptionComment, comment);
        return EndWithOptions();
    }

    /// <summary>Begins a block.</summary>
    public void Begin(uint type)
    {
        _length = 0;
        Put32(type);
        Put32(0);
    }

    /// <summary>Begins a block with one that is there, up to its options.</summary>
    public void BeginWith(ReadOnlySpan<byte> block)
    {
        _length = 0;
        Put(block);
    }

    /// <summary>Ends the options and the block, and hands it over. It stands until the next one begins.</summary>
    public ReadOnlySpan<byte> EndWithOptions()
    {
        Put32(PcapngBlock.OptionEnd);
        return End();
    }

    /// <summary>Ends the block and hands it over. It stands until the next one begins.</summary>
    public ReadOnlySpan<byte> End()
    {
        var length = (uint)_length + sizeof(uint);
        Write32(_bytes.AsSpan(4), length);
        Put32(length);
        return _bytes.AsSpan(0, _length);
    }

    public void PutOption(ushort code, ReadOnlySpan<byte> value)
    {
        Put16(code);
        Put16((ushort)value.Length);
        PutPadded(value);
    }

    public void PutUnknownSectionLength()
    {
        Put32(uint.MaxValue);
        Put32(uint.MaxValue);
    }

    public void Put32(uint value) => Write32(Reserve(sizeof(uint)), value);

    public void Put16(ushort value)
    {
        if (BigEndian) BinaryPrimitives.WriteUInt16BigEndian(Reserve(sizeof(ushort)), value);
        else BinaryPrimitives.WriteUInt16LittleEndian(Reserve(sizeof(ushort)), value);
    }

    public void Put(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Reserve(bytes.Length));

    private void PutPadded(ReadOnlySpan<byte> bytes)
    {
        var room = Reserve(PcapngBlock.Padded(bytes.Length));
        bytes.CopyTo(room);
        room[bytes.Length..].Clear();
    }

    private Span<byte> Reserve(int count)
    {
        if (_bytes.Length - _length < count) Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + count));
        _length += count;
        return _bytes.AsSpan(_length - count, count);
    }

    private void Write32(Span<byte> bytes, uint value)
    {
        if (BigEndian) BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        else BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
    }
}
