using System.Buffers.Binary;

namespace FwCluster.Referee.Netlink;

/// <summary>Walks netlink attributes: length and type in host order, content padded to 4 bytes.</summary>
internal ref struct NetlinkAttributes(ReadOnlySpan<byte> bytes)
{
    private const int TypeMask = 0x3fff; // without NLA_F_NESTED and NLA_F_NET_BYTEORDER
    private ReadOnlySpan<byte> _rest = bytes;

    public int Type { get; private set; }

    public ReadOnlySpan<byte> Content { get; private set; }

    public readonly byte Byte => Content[0];

    public readonly ushort Word => BinaryPrimitives.ReadUInt16BigEndian(Content);

    public readonly uint Double => BinaryPrimitives.ReadUInt32BigEndian(Content);

    public readonly ulong Quad => BinaryPrimitives.ReadUInt64BigEndian(Content);

    public readonly string Text => System.Text.Encoding.ASCII.GetString(Content).TrimEnd('\0');

    public readonly NetlinkAttributes Nested => new(Content);

    public bool Next()
    {
        if (_rest.Length < 4) return false;
        var length = BinaryPrimitives.ReadUInt16LittleEndian(_rest);
        Type = BinaryPrimitives.ReadUInt16LittleEndian(_rest[2..]) & TypeMask;
        if (length < 4 || length > _rest.Length) return false;
        Content = _rest[4..length];
        _rest = _rest[Math.Min((length + 3) & ~3, _rest.Length)..];
        return true;
    }
}
