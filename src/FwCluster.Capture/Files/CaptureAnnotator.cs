using System.Buffers.Binary;

namespace FwCluster.Capture.Files;

/// <summary>
/// Writes a capture back as pcapng with a comment on each packet. A pcapng capture keeps every block it has (interfaces, link types,
/// time stamps, names, earlier comments); a pcap capture gets one interface with its clock. The file appears when it is complete.
/// </summary>
/// <remarks>Attach it before the first packet is read. After each packet: <see cref="Annotate"/>. At the end: <see cref="Commit"/>.</remarks>
public sealed class CaptureAnnotator : ICaptureRecordSink, IDisposable
{
    private readonly ReplacedFile _file;
    private readonly byte[] _number = new byte[4];

    // The packet that was read last, as it stands in the capture, until its comment comes.
    private byte[] _block = new byte[4096];
    private int _blockLength;
    private bool _bigEndian = !BitConverter.IsLittleEndian;
    private ulong _pcapTicks;
    private uint _pcapWireLength;
    private Pending _pending;

    private enum Pending
    {
        None,
        Pcap,
        Pcapng,
    }

    private CaptureAnnotator(ReplacedFile file) => _file = file;

    /// <summary>Begins an annotated copy of a capture that has not been read from yet.</summary>
    /// <param name="reader">Who reads the capture.</param>
    /// <param name="path">Where the copy is to be; an existing file is replaced at the end.</param>
    /// <exception cref="IOException">The file cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be made.</exception>
    public static CaptureAnnotator Attach(CaptureFileReader reader, string path)
    {
        ArgumentNullException.ThrowIfNull(reader);
        if (reader.PacketCount != 0) throw new InvalidOperationException("an annotator is attached before the first packet is read");
        if (Directory.Exists(path)) throw new IOException($"{path} is a directory");
        var annotator = new CaptureAnnotator(new ReplacedFile(path));
        reader.Records = annotator;
        return annotator;
    }

    /// <summary>Writes the packet that was just read, with a comment.</summary>
    /// <param name="packet">The packet.</param>
    /// <param name="comment">The comment in UTF-8, at most 65,535 bytes; longer ones are cut.</param>
    public void Annotate(in CapturedPacket packet, ReadOnlySpan<byte> comment)
    {
        if (comment.Length > ushort.MaxValue) comment = comment[..ushort.MaxValue];
        var pending = _pending;
        _pending = Pending.None;
        if (pending == Pending.Pcap)
        {
            WritePacket(0, _pcapTicks, _pcapWireLength, packet.Data, default, comment);
            return;
        }
        if (pending == Pending.None) throw new InvalidOperationException("a packet is annotated once, after it is read");

        ReadOnlySpan<byte> block = _block.AsSpan(0, _blockLength);
        if (PcapngBlock.Read32(block, _bigEndian) == PcapngBlock.SimplePacket)
        {
            // A simple packet block has no options: it becomes an enhanced one, of interface 0 and without a time as it was.
            WritePacket(0, 0, PcapngBlock.Read32(block[8..], _bigEndian), packet.Data, default, comment);
            return;
        }
        var dataEnd = PcapngBlock.PacketDataOffset + PcapngBlock.Padded(packet.Data.Length);
        var options = dataEnd < block.Length - 4 ? block[dataEnd..^4] : default;
        var rest = options;
        while (PcapngBlock.TryNextOption(ref rest, _bigEndian, out _, out _))
        {
        }
        var kept = options[..^rest.Length];
        WriteOpened(block[..dataEnd], kept, comment);
    }

    /// <summary>Puts the file in its place.</summary>
    public void Commit()
    {
        Flush();
        _file.Commit();
    }

    /// <summary>Removes what was written, unless it was committed.</summary>
    public void Dispose() => _file.Dispose();

    void ICaptureRecordSink.PcapInterface(CaptureInterface source)
    {
        var program = "fwctl"u8;
        var optionsLength = 4 + PcapngBlock.Padded(program.Length) + 4;
        Write32(PcapngBlock.SectionHeader);
        Write32((uint)(28 + optionsLength));
        Write32(PcapngBlock.ByteOrderMagic);
        Write16(1);
        Write16(0);
        WriteUnknownSectionLength();
        WriteOption(PcapngBlock.OptionUserApplication, program);
        Write32(PcapngBlock.OptionEnd);
        Write32((uint)(28 + optionsLength));

        Write32(PcapngBlock.InterfaceDescription);
        Write32(32);
        Write16((ushort)source.Link);
        Write16(0);
        Write32(source.SnapLength);
        WriteOption(PcapngBlock.OptionTimestampResolution, [source.Clock.Resolution]);
        Write32(PcapngBlock.OptionEnd);
        Write32(32);
    }

    void ICaptureRecordSink.PcapPacket(ulong ticks, uint wireLength)
    {
        Flush();
        (_pcapTicks, _pcapWireLength, _pending) = (ticks, wireLength, Pending.Pcap);
    }

    void ICaptureRecordSink.Block(ReadOnlySpan<byte> block, bool bigEndian)
    {
        Flush();
        _bigEndian = bigEndian;
        switch (PcapngBlock.Read32(block, bigEndian))
        {
            case PcapngBlock.SectionHeader:
                // The section grows by the comments: its length becomes "not said".
                _file.Stream.Write(block[..16]);
                WriteUnknownSectionLength();
                _file.Stream.Write(block[24..]);
                break;
            case PcapngBlock.EnhancedPacket or PcapngBlock.SimplePacket or PcapngBlock.ObsoletePacket:
                if (_block.Length < block.Length) _block = new byte[Math.Max(block.Length, _block.Length * 2)];
                block.CopyTo(_block);
                (_blockLength, _pending) = (block.Length, Pending.Pcapng);
                break;
            default:
                _file.Stream.Write(block);
                break;
        }
    }

    /// <summary>A packet that nobody commented on is written as it was.</summary>
    private void Flush()
    {
        if (_pending == Pending.Pcapng) _file.Stream.Write(_block.AsSpan(0, _blockLength));
        _pending = Pending.None;
    }

    private void WritePacket(
        uint source, ulong ticks, uint wireLength, ReadOnlySpan<byte> data, ReadOnlySpan<byte> options, ReadOnlySpan<byte> comment)
    {
        var padded = PcapngBlock.Padded(data.Length);
        if (_block.Length < PcapngBlock.PacketDataOffset + padded) _block = new byte[PcapngBlock.PacketDataOffset + padded];
        var block = _block.AsSpan(0, PcapngBlock.PacketDataOffset + padded);
        Put32(block, PcapngBlock.EnhancedPacket);
        Put32(block[8..], source);
        Put32(block[12..], (uint)(ticks >> 32));
        Put32(block[16..], (uint)ticks);
        Put32(block[20..], (uint)data.Length);
        Put32(block[24..], wireLength);
        data.CopyTo(block[PcapngBlock.PacketDataOffset..]);
        block[(PcapngBlock.PacketDataOffset + data.Length)..].Clear();
        WriteOpened(block, options, comment);
    }

    /// <summary>Writes a packet block: head and data as they are, but for the length; then options, comment, end, length.</summary>
    private void WriteOpened(ReadOnlySpan<byte> headAndData, ReadOnlySpan<byte> options, ReadOnlySpan<byte> comment)
    {
        var length = (uint)(headAndData.Length + options.Length + 4 + PcapngBlock.Padded(comment.Length) + 4 + 4);
        _file.Stream.Write(headAndData[..4]);
        Write32(length);
        _file.Stream.Write(headAndData[PcapngBlock.HeadLength..]);
        _file.Stream.Write(options);
        WriteOption(PcapngBlock.OptionComment, comment);
        Write32(PcapngBlock.OptionEnd);
        Write32(length);
    }

    private void WriteOption(ushort code, ReadOnlySpan<byte> value)
    {
        Write16(code);
        Write16((ushort)value.Length);
        _file.Stream.Write(value);
        _file.Stream.Write("\0\0\0"u8[..(PcapngBlock.Padded(value.Length) - value.Length)]);
    }

    private void WriteUnknownSectionLength()
    {
        Write32(uint.MaxValue);
        Write32(uint.MaxValue);
    }

    private void Write32(uint value)
    {
        Put32(_number, value);
        _file.Stream.Write(_number);
    }

    private void Write16(ushort value)
    {
        if (_bigEndian) BinaryPrimitives.WriteUInt16BigEndian(_number, value);
        else BinaryPrimitives.WriteUInt16LittleEndian(_number, value);
        _file.Stream.Write(_number.AsSpan(0, 2));
    }

    private void Put32(Span<byte> bytes, uint value)
    {
        if (_bigEndian) BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        else BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
    }
}
