using System.Buffers.Binary;
using System.Text;
using FwCluster.Packets;

namespace FwCluster.Capture.Files;

/// <summary>The pcapng format (draft-ietf-opsawg-pcapng): blocks; sections in either byte order; several interfaces and link types.</summary>
internal sealed class PcapngReader : CaptureFileReader
{
    /// <summary>More interfaces in one section than any host has: a capture of nothing but descriptions must not eat the memory.</summary>
    private const int MaxInterfaces = 65_536;

    private readonly List<CaptureInterface> _interfaces = [];
    private bool _bigEndian;

    internal PcapngReader(CaptureInput input)
        : base(input)
    {
        var head = input.Peek(28);
        if (head.Length < 28) throw new CaptureFormatException($"it ends after {head.Length} of the 28 bytes of a pcapng section header");
        if (SectionFault(head, out _) is { } fault) throw new CaptureFormatException(fault);
    }

    public override bool TryRead(out CapturedPacket packet)
    {
        packet = default;
        while (Break is null)
        {
            var offset = Input.Position;
            var block = NextBlock(offset);
            if (block.IsEmpty) return false;
            var type = PcapngBlock.Read32(block, _bigEndian);
            switch (type)
            {
                case PcapngBlock.SectionHeader:
                    _interfaces.Clear();
                    break;
                case PcapngBlock.InterfaceDescription:
                    if (ReadInterface(block) is { } fault) return BreakAt(offset, fault);
                    break;
                case PcapngBlock.EnhancedPacket or PcapngBlock.ObsoletePacket or PcapngBlock.SimplePacket:
                    if ((fault = ReadPacket(type, block, ref packet)) is not null) return BreakAt(offset, fault);
                    Records?.Block(block, _bigEndian);
                    return true;
                default:
                    break;
            }
            Records?.Block(block, _bigEndian);
        }
        return false;
    }

    /// <summary>The next block, moved over; empty at the end of the capture and where it breaks.</summary>
    private ReadOnlySpan<byte> NextBlock(long offset)
    {
        var head = Input.Peek(PcapngBlock.MinimumLength);
        if (head.IsEmpty)
        {
            if (Input.ReadError is not null) BreakAt(offset, "");
            return default;
        }
        if (head.Length < PcapngBlock.MinimumLength)
        {
            BreakAt(offset, $"the block ends after {head.Length} bytes; the shortest has {PcapngBlock.MinimumLength}");
            return default;
        }
        // A section header says by itself in which byte order it is; its type reads the same in both.
        if (BinaryPrimitives.ReadUInt32LittleEndian(head) == PcapngBlock.SectionHeader)
        {
            head = Input.Peek(28);
            if (head.Length < 28)
            {
                BreakAt(offset, $"the section header of 28 bytes ends after {head.Length}");
                return default;
            }
            if (SectionFault(head, out _bigEndian) is { } fault)
            {
                BreakAt(offset, fault);
                return default;
            }
        }
        var length = PcapngBlock.Read32(head[4..], _bigEndian);
        if (length < PcapngBlock.MinimumLength || length > PcapngBlock.MaximumLength || length % 4 != 0)
        {
            BreakAt(offset, $"the block says it has {length} bytes; right are multiples of 4 from {PcapngBlock.MinimumLength} to "
                + $"{PcapngBlock.MaximumLength}");
            return default;
        }
        var block = Input.Peek((int)length);
        if (block.Length < length)
        {
            BreakAt(offset, $"the block of {length} bytes ends after {block.Length}");
            return default;
        }
        var trailing = PcapngBlock.Read32(block[^4..], _bigEndian);
        if (trailing != length)
        {
            BreakAt(offset, $"the block says {length} bytes before and {trailing} behind its content");
            return default;
        }
        Input.Advance(block.Length);
        return block;
    }

    private static string? SectionFault(ReadOnlySpan<byte> head, out bool bigEndian)
    {
        bigEndian = BinaryPrimitives.ReadUInt32BigEndian(head[8..]) == PcapngBlock.ByteOrderMagic;
        if (PcapngBlock.Read32(head[8..], bigEndian) != PcapngBlock.ByteOrderMagic)
            return $"the section header's byte order mark is {Convert.ToHexStringLower(head.Slice(8, 4))}, not 1a2b3c4d in either order";
        var version = PcapngBlock.Read16(head[12..], bigEndian);
        if (version != 1) return $"the section is pcapng of version {version}; what is known is version 1";
        var length = PcapngBlock.Read32(head[4..], bigEndian);
        return length < 28 ? $"the section header says it has {length} bytes; the shortest has 28" : null;
    }

    private string? ReadInterface(ReadOnlySpan<byte> block)
    {
        if (block.Length < 20) return $"the interface description has {block.Length} bytes; the shortest has 20";
        if (_interfaces.Count == MaxInterfaces) return $"more than {MaxInterfaces} interfaces are described in one section";
        string? name = null;
        var clock = CaptureClock.Microseconds;
        var options = block[16..^4];
        while (PcapngBlock.TryNextOption(ref options, _bigEndian, out var code, out var value))
        {
            switch (code)
            {
                case PcapngBlock.OptionInterfaceName:
                    name = Encoding.UTF8.GetString(value);
                    break;
                case PcapngBlock.OptionTimestampResolution when value.Length >= 1:
                    clock = clock with { Resolution = value[0] };
                    break;
                case PcapngBlock.OptionTimestampOffset when value.Length >= 8:
                    clock = clock with
                    {
                        OffsetSeconds = _bigEndian
                            ? BinaryPrimitives.ReadInt64BigEndian(value)
                            : BinaryPrimitives.ReadInt64LittleEndian(value),
                    };
                    break;
                default:
                    break;
            }
        }
        var link = (LinkType)PcapngBlock.Read16(block[8..], _bigEndian);
        _interfaces.Add(new CaptureInterface(link, PcapngBlock.Read32(block[12..], _bigEndian), name, clock));
        return null;
    }

    /// <summary>Reads any of the three packet blocks; null, or what is wrong with it.</summary>
    private string? ReadPacket(uint type, ReadOnlySpan<byte> block, ref CapturedPacket packet)
    {
        var isSimple = type == PcapngBlock.SimplePacket;
        var dataOffset = isSimple ? PcapngBlock.SimpleDataOffset : PcapngBlock.PacketDataOffset;
        if (block.Length < dataOffset + 4) return $"the packet block has {block.Length} bytes; the shortest has {dataOffset + 4}";
        var id = type switch
        {
            PcapngBlock.EnhancedPacket => PcapngBlock.Read32(block[8..], _bigEndian),
            PcapngBlock.ObsoletePacket => PcapngBlock.Read16(block[8..], _bigEndian),
            _ => 0u,
        };
        if (id >= (uint)_interfaces.Count)
            return $"the packet is of interface {id}; the section has described {_interfaces.Count} so far";
        var source = _interfaces[(int)id];
        var room = (uint)(block.Length - dataOffset - 4);
        var wireLength = PcapngBlock.Read32(block[(dataOffset - 4)..], _bigEndian);
        uint captured;
        if (isSimple)
        {
            // A simple packet's captured length is not written: it is what the snap length and the block leave of it.
            captured = Math.Min(wireLength, source.SnapLength == 0 ? uint.MaxValue : source.SnapLength);
            if (captured > room) return $"the packet says it holds {captured} bytes; its block has room for {room}";
        }
        else
        {
            captured = PcapngBlock.Read32(block[(dataOffset - 8)..], _bigEndian);
            if (captured > room) return $"the packet says it holds {captured} bytes; its block has room for {room}";
        }
        if (captured > MaxPacketLength) return $"the packet says it holds {captured} bytes; a packet has at most {MaxPacketLength}";
        var ticks = isSimple
            ? 0UL
            : (ulong)PcapngBlock.Read32(block[12..], _bigEndian) << 32 | PcapngBlock.Read32(block[16..], _bigEndian);
        PacketCount++;
        packet = new CapturedPacket
        {
            Number = PacketCount,
            Timestamp = isSimple ? 0 : source.Clock.ToNanoseconds(ticks),
            Interface = source,
            Data = block.Slice(dataOffset, (int)captured),
            WireLength = Math.Max(wireLength, captured),
        };
        return null;
    }
}
