using System.Buffers.Binary;
using FwCluster.Packets;

namespace FwCluster.Capture.Files;

/// <summary>The pcap format (draft-ietf-opsawg-pcap): a header of 24 bytes, then records; either byte order, micro- or nanoseconds.</summary>
internal sealed class PcapReader : CaptureFileReader
{
    private const int FileHeaderLength = 24;
    private const int RecordHeaderLength = 16;
    private const uint MicrosecondMagic = 0xa1b2c3d4;
    private const uint NanosecondMagic = 0xa1b23c4d;

    private readonly bool _bigEndian;
    private readonly uint _ticksPerSecond;
    private readonly CaptureInterface _interface;
    private bool _interfaceShown;

    internal PcapReader(CaptureInput input)
        : base(input)
    {
        var header = input.Peek(FileHeaderLength);
        if (header.Length < FileHeaderLength)
            throw new CaptureFormatException($"it ends after {header.Length} of the {FileHeaderLength} bytes of pcap's file header");
        _bigEndian = BinaryPrimitives.ReadUInt32BigEndian(header) is MicrosecondMagic or NanosecondMagic;
        var nanoseconds = Read32(header) == NanosecondMagic;
        _ticksPerSecond = nanoseconds ? 1_000_000_000u : 1_000_000u;
        var version = Read16(header[4..]);
        if (version != 2) throw new CaptureFormatException($"it is pcap of version {version}; what is known is version 2");
        // The upper bits of the link type tell the length of a frame check sequence, which trails the IP packet and is never looked at.
        var link = (LinkType)(Read32(header[20..]) & 0x03ff_ffff);
        _interface = new CaptureInterface(
            link, Read32(header[16..]), null, nanoseconds ? CaptureClock.Nanoseconds : CaptureClock.Microseconds);
        input.Advance(FileHeaderLength);
    }

    internal static bool IsMagic(uint magic)
        => magic is MicrosecondMagic or NanosecondMagic
            || BinaryPrimitives.ReverseEndianness(magic) is MicrosecondMagic or NanosecondMagic;

    public override bool TryRead(out CapturedPacket packet)
    {
        packet = default;
        if (Break is not null) return false;
        if (!_interfaceShown)
        {
            Records?.PcapInterface(_interface);
            _interfaceShown = true;
        }

        var offset = Input.Position;
        var header = Input.Peek(RecordHeaderLength);
        if (header.IsEmpty) return Input.ReadError is not null && BreakAt(offset, "");
        if (header.Length < RecordHeaderLength)
            return BreakAt(offset, $"the record header of {RecordHeaderLength} bytes ends after {header.Length}");
        var ticks = ((ulong)Read32(header) * _ticksPerSecond) + Read32(header[4..]);
        var captured = Read32(header[8..]);
        var wireLength = Read32(header[12..]);
        if (captured > MaxPacketLength)
            return BreakAt(offset, $"the record says it holds {captured} bytes; a packet has at most {MaxPacketLength}");

        var record = Input.Peek(RecordHeaderLength + (int)captured);
        if (record.Length < RecordHeaderLength + (int)captured)
            return BreakAt(offset, $"the record of {captured} bytes ends after {record.Length - RecordHeaderLength}");
        Input.Advance(record.Length);
        PacketCount++;
        var data = record[RecordHeaderLength..];
        Records?.PcapPacket(ticks, wireLength);
        packet = new CapturedPacket
        {
            Number = PacketCount,
            Timestamp = _interface.Clock.ToNanoseconds(ticks),
            Interface = _interface,
            Data = data,
            // A record may claim less than it holds; what it holds was surely on the wire.
            WireLength = Math.Max(wireLength, captured),
        };
        return true;
    }

    private uint Read32(ReadOnlySpan<byte> bytes)
        => _bigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);

    private ushort Read16(ReadOnlySpan<byte> bytes)
        => _bigEndian ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : BinaryPrimitives.ReadUInt16LittleEndian(bytes);
}
