using System.Runtime.InteropServices;

namespace FwCluster.Capture.Netlink;

/// <summary>Steps through the attributes of a netlink message (struct nlattr). Reads nothing beyond them, whatever they say.</summary>
internal ref struct NetlinkAttributes(Span<byte> bytes)
{
    private const int HeaderBytes = 4;
    private const ushort TypeMask = 0x3fff; // without NLA_F_NESTED and NLA_F_NET_BYTEORDER

    private Span<byte> _rest = bytes;

    /// <summary>The type of the attribute stepped to.</summary>
    public ushort Type { get; private set; }

    /// <summary>Its value.</summary>
    public Span<byte> Value { get; private set; }

    /// <summary>Steps to the next attribute; false at the end.</summary>
    public bool Next()
    {
        if (_rest.Length < HeaderBytes) return false;
        var length = MemoryMarshal.Read<ushort>(_rest);
        if (length < HeaderBytes || length > _rest.Length) return false;
        Type = (ushort)(MemoryMarshal.Read<ushort>(_rest[2..]) & TypeMask);
        Value = _rest[HeaderBytes..length];
        _rest = _rest[Math.Min((length + 3) & ~3, _rest.Length)..];
        return true;
    }
}
