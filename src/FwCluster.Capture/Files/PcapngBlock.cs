using System.Buffers.Binary;

namespace FwCluster.Capture.Files;

/// <summary>The words of pcapng (draft-ietf-opsawg-pcapng): block types, option codes, and where fields lie in a block.</summary>
internal static class PcapngBlock
{
    public const uint SectionHeader = 0x0a0d0d0a;
    public const uint InterfaceDescription = 1;
    public const uint ObsoletePacket = 2;
    public const uint SimplePacket = 3;
    public const uint EnhancedPacket = 6;

    public const uint ByteOrderMagic = 0x1a2b3c4d;

    public const ushort OptionEnd = 0;
    public const ushort OptionComment = 1;
    public const ushort OptionInterfaceName = 2;
    public const ushort OptionTimestampResolution = 9;
    public const ushort OptionTimestampOffset = 14;
    public const ushort OptionUserApplication = 4;

    /// <summary>Type and length before the body.</summary>
    public const int HeadLength = 8;

    /// <summary>Type, length, length again.</summary>
    public const int MinimumLength = 12;

    /// <summary>Longest block read: libpcap's limit too. A longer one is a broken length.</summary>
    public const int MaximumLength = 16 * 1024 * 1024;

    /// <summary>Where the data of an enhanced (and of an obsolete) packet block begins.</summary>
    public const int PacketDataOffset = 28;

    /// <summary>Where the data of a simple packet block begins.</summary>
    public const int SimpleDataOffset = 12;

    public static uint Read32(ReadOnlySpan<byte> bytes, bool bigEndian)
        => bigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);

    public static ushort Read16(ReadOnlySpan<byte> bytes, bool bigEndian)
        => bigEndian ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : BinaryPrimitives.ReadUInt16LittleEndian(bytes);

    /// <summary>Length with the padding to 32 bits.</summary>
    public static int Padded(int length) => (length + 3) & ~3;

    /// <summary>
    /// Takes the next option from <paramref name="options"/>; false at their end, and where one says it is longer than they are.
    /// </summary>
    public static bool TryNextOption(ref ReadOnlySpan<byte> options, bool bigEndian, out ushort code, out ReadOnlySpan<byte> value)
    {
        code = 0;
        value = default;
        if (options.Length < 4) return false;
        code = Read16(options, bigEndian);
        var length = Read16(options[2..], bigEndian);
        if (code == OptionEnd || 4 + length > options.Length) return false;
        value = options.Slice(4, length);
        options = options[Math.Min(4 + Padded(length), options.Length)..];
        return true;
    }
}
