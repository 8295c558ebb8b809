using System.Buffers.Binary;

namespace FwCluster.Capture.Files;

/// <summary>
/// Reads a capture, pcap or pcapng, from a file or a pipe, packet by packet in bounded memory. A capture that breaks off is read up to
/// there: <see cref="Break"/> then says where and why. Reading a packet does not allocate, and never throws for what the capture holds.
/// </summary>
public abstract class CaptureFileReader : IDisposable
{
    /// <summary>Most bytes of one packet, and libpcap's limit too (MAXIMUM_SNAPLEN): a longer one is a broken length.</summary>
    public const int MaxPacketLength = 262_144;

    private readonly CaptureInput _input;

    private protected CaptureFileReader(CaptureInput input) => _input = input;

    /// <summary>Packets read so far.</summary>
    public long PacketCount { get; private protected set; }

    /// <summary>Bytes read so far.</summary>
    public long Position => _input.Position;

    /// <summary>Bytes of the whole capture; -1 for a pipe.</summary>
    public long Length => _input.Length;

    /// <summary>Where the capture broke off, once it has; null while it is well.</summary>
    public CaptureBreak? Break { get; private set; }

    /// <summary>Who is shown every record as it is in the capture, to copy it; null for nobody.</summary>
    internal ICaptureRecordSink? Records { get; set; }

    private protected CaptureInput Input => _input;

    /// <summary>Opens a capture file, a named pipe, or the standard input.</summary>
    /// <param name="path">The file's path; <c>-</c> for the standard input.</param>
    /// <exception cref="CaptureFormatException">It is not a capture.</exception>
    /// <exception cref="IOException">It cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be opened.</exception>
    public static CaptureFileReader Open(string path)
        => Open(path == "-"
            ? Console.OpenStandardInput()
            : new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0));

    /// <summary>Reads a capture from a stream, which the reader then owns.</summary>
    /// <exception cref="CaptureFormatException">It is not a capture.</exception>
    public static CaptureFileReader Open(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var input = new CaptureInput(stream);
        try
        {
            return Sniff(input);
        }
        catch
        {
            input.Dispose();
            throw;
        }
    }

    /// <summary>Reads the next packet.</summary>
    /// <returns>False at the end, and where the capture breaks: see <see cref="Break"/>.</returns>
    public abstract bool TryRead(out CapturedPacket packet);

    /// <inheritdoc/>
    public void Dispose()
    {
        _input.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Notes that the record at <paramref name="offset"/> cannot be read. Returns false, to be returned.</summary>
    private protected bool BreakAt(long offset, string reason)
    {
        Break ??= new CaptureBreak(PacketCount + 1, offset, _input.ReadError is { } error ? $"reading failed: {error}" : reason);
        return false;
    }

    private static CaptureFileReader Sniff(CaptureInput input)
    {
        var head = input.Peek(4);
        if (head.Length < 4)
        {
            throw new CaptureFormatException(input.ReadError
                ?? (head.IsEmpty ? "it is empty, not a capture" : "it ends before a capture's file header does"));
        }
        var magic = BinaryPrimitives.ReadUInt32LittleEndian(head);
        if (magic == PcapngBlock.SectionHeader) return new PcapngReader(input);
        if (PcapReader.IsMagic(magic)) return new PcapReader(input);
        throw new CaptureFormatException(Unknown(head));
    }

    private static string Unknown(ReadOnlySpan<byte> head) => head switch
    {
        [0x1f, 0x8b, ..] => "it is compressed with gzip: gunzip -c FILE | fwctl replay - ...",
        [0x28, 0xb5, 0x2f, 0xfd] => "it is compressed with zstd: zstd -dc FILE | fwctl replay - ...",
        [0x04, 0x22, 0x4d, 0x18] => "it is compressed with lz4: lz4 -dc FILE | fwctl replay - ...",
        _ => $"it is neither pcap nor pcapng: it begins with {Convert.ToHexStringLower(head)}; editcap of Wireshark converts other formats",
    };
}
