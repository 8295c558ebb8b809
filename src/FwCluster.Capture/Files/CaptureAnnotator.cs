namespace FwCluster.Capture.Files;

/// <summary>
/// Writes a capture back as pcapng with a comment on each packet. A pcapng capture keeps every block it has (interfaces, link types,
/// time stamps, names, earlier comments); a pcap capture gets one interface with its clock. The file appears when it is complete.
/// </summary>
/// <remarks>Attach it before the first packet is read. After each packet: <see cref="Annotate"/>. At the end: <see cref="Commit"/>.</remarks>
public sealed class CaptureAnnotator : ICaptureRecordSink, IDisposable
{
    private readonly ReplacedFile _file;
    private readonly PcapngBlockBuilder _builder = new();

    // The packet that was read last, as it stands in the capture, until its comment comes.
    private byte[] _block = new byte[4096];
    private int _blockLength;
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
        if (pending == Pending.None) throw new InvalidOperationException("a packet is annotated once, after it is read");
        _file.Stream.Write(pending == Pending.Pcap
            ? _builder.Packet(0, _pcapTicks, _pcapWireLength, packet.Data, comment)
            : WithComment(_block.AsSpan(0, _blockLength), packet.Data, comment));
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
        _file.Stream.Write(_builder.Section("fwctl"u8));
        _file.Stream.Write(_builder.Interface(source.Link, source.SnapLength, source.Clock.Resolution, default));
    }

    void ICaptureRecordSink.PcapPacket(ulong ticks, uint wireLength)
    {
        Flush();
        (_pcapTicks, _pcapWireLength, _pending) = (ticks, wireLength, Pending.Pcap);
    }

    void ICaptureRecordSink.Block(ReadOnlySpan<byte> block, bool bigEndian)
    {
        Flush();
        _builder.BigEndian = bigEndian;
        switch (PcapngBlock.Read32(block, bigEndian))
        {
            case PcapngBlock.SectionHeader:
                // The section grows by the comments: its length becomes "not said".
                _file.Stream.Write(block[..16]);
                _file.Stream.Write([255, 255, 255, 255, 255, 255, 255, 255]);
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

    /// <summary>A packet block with one more option.</summary>
    private ReadOnlySpan<byte> WithComment(ReadOnlySpan<byte> block, ReadOnlySpan<byte> data, ReadOnlySpan<byte> comment)
    {
        var bigEndian = _builder.BigEndian;
        // A simple packet block has no options: it becomes an enhanced one, of interface 0 and without a time as it was.
        if (PcapngBlock.Read32(block, bigEndian) == PcapngBlock.SimplePacket)
            return _builder.Packet(0, 0, PcapngBlock.Read32(block[8..], bigEndian), data, comment);

        var dataEnd = PcapngBlock.PacketDataOffset + PcapngBlock.Padded(data.Length);
        var options = dataEnd < block.Length - 4 ? block[dataEnd..^4] : default;
        var rest = options;
        while (PcapngBlock.TryNextOption(ref rest, bigEndian, out _, out _))
        {
        }
        _builder.BeginWith(block[..dataEnd]);
        _builder.Put(options[..^rest.Length]);
        _builder.PutOption(PcapngBlock.OptionComment, comment);
        return _builder.EndWithOptions();
    }
}
