using System.Buffers.Binary;
using FwCluster.Packets;

namespace FwCluster.Cluster.Wire;

/// <summary>Reads the fields of one protobuf message, in whatever order they come. What is broken ends the message and says so; it does not
/// throw.</summary>
internal ref struct WireReader(ReadOnlySpan<byte> message)
{
    private ReadOnlySpan<byte> _rest = message;
    private int _wireType;

    /// <summary>The message, or one in it, cannot be read.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Number of the field that is next to be read.</summary>
    public int Field { get; private set; }

    /// <summary>The value of a field of bytes, or of a message.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>The value of a field of a number.</summary>
    public ulong Number { get; private set; }

    /// <summary>The number as a flag.</summary>
    public readonly bool Flag => Number != 0;

    /// <summary>Goes to the next field and reads its value.</summary>
    /// <returns>False at the end, or where the message is broken.</returns>
    public bool Next()
    {
        if (_rest.IsEmpty || IsBroken) return false;
        var key = Varint();
        Field = (int)(key >> 3);
        _wireType = (int)(key & 7);
        Number = 0;
        Bytes = default;
        switch (_wireType)
        {
            case 0:
                Number = Varint();
                break;
            case 1:
                Number = Take(8) is { Length: 8 } eight ? BinaryPrimitives.ReadUInt64LittleEndian(eight) : 0;
                break;
            case 2:
                Bytes = Take(Varint());
                break;
            case 5:
                Number = Take(4) is { Length: 4 } four ? BinaryPrimitives.ReadUInt32LittleEndian(four) : 0;
                break;
            default:
                IsBroken = true;
                break;
        }
        return !IsBroken && Field > 0;
    }

    /// <summary>The number, where it is at most <paramref name="max"/>; else the message is broken.</summary>
    public ulong AtMost(ulong max)
    {
        if (Number > max) IsBroken = true;
        return Number;
    }

    /// <summary>The value as an address.</summary>
    public IpAddress Address(ref IpFamily family)
    {
        var isIPv4 = Bytes.Length == 4;
        if ((!isIPv4 && Bytes.Length != 16) || (family != 0 && (family == IpFamily.IPv4) != isIPv4))
        {
            IsBroken = true;
            return default;
        }
        family = isIPv4 ? IpFamily.IPv4 : IpFamily.IPv6;
        return isIPv4 ? IpAddress.ReadIPv4(Bytes) : IpAddress.ReadIPv6(Bytes);
    }

    /// <summary>Says that the message means nothing.</summary>
    public void Break() => IsBroken = true;

    private ReadOnlySpan<byte> Take(ulong length)
    {
        if (length > (ulong)_rest.Length)
        {
            IsBroken = true;
            return default;
        }
        var taken = _rest[..(int)length];
        _rest = _rest[(int)length..];
        return taken;
    }

    private ulong Varint()
    {
        ulong value = 0;
        for (var i = 0; i < _rest.Length && i < 10; i++)
        {
            value |= (ulong)(_rest[i] & 0x7f) << 7 * i;
            if (_rest[i] >= 0x80) continue;
            _rest = _rest[(i + 1)..];
            return value;
        }
        IsBroken = true;
        return 0;
    }
}
