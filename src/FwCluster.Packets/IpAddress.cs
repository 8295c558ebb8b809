using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace FwCluster.Packets;

/// <summary>
/// An IPv4 or IPv6 address as two integers in host order, so that it compares, masks and hashes without a loop. An IPv4
/// address is the low 32 bits; which family it is stands beside it, in the tuple or the headers, as in the kernel's
/// <c>union nf_inet_addr</c>.
/// </summary>
/// <param name="High">The first 64 bits of an IPv6 address; zero for IPv4.</param>
/// <param name="Low">The last 64 bits of an IPv6 address; the 32 bits of an IPv4 address.</param>
public readonly record struct IpAddress(ulong High, ulong Low) : IComparable<IpAddress>
{
    private static readonly SearchValues<char> DottedDecimal = SearchValues.Create("0123456789.");

    /// <summary>The address as one number, for ranges and prefixes.</summary>
    public UInt128 Value
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(High, Low);
    }

    /// <summary>The address whose number is <paramref name="value"/>.</summary>
    public static IpAddress FromValue(UInt128 value) => new((ulong)(value >> 64), (ulong)value);

    /// <summary>Reads 4 bytes in network order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static IpAddress ReadIPv4(ReadOnlySpan<byte> bytes) => new(0, BinaryPrimitives.ReadUInt32BigEndian(bytes));

    /// <summary>Reads 16 bytes in network order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static IpAddress ReadIPv6(ReadOnlySpan<byte> bytes)
        => new(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));

    /// <summary>Writes the address in network order: 4 bytes for IPv4, 16 for IPv6.</summary>
    public void Write(IpFamily family, Span<byte> bytes)
    {
        if (family == IpFamily.IPv4)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)Low);
            return;
        }
        BinaryPrimitives.WriteUInt64BigEndian(bytes, High);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], Low);
    }

    /// <summary>The netmask of a prefix: <paramref name="length"/> ones, then zeroes (IPv4: 0 to 32, IPv6: 0 to 128).</summary>
    public static IpAddress PrefixMask(IpFamily family, int length)
    {
        var bits = family.AddressBits();
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, bits);
        if (length == 0) return default;
        var ones = UInt128.MaxValue << (bits - length);
        return FromValue(family == IpFamily.IPv4 ? ones & uint.MaxValue : ones);
    }

    /// <summary>The bits of this address that are set in <paramref name="mask"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public IpAddress And(IpAddress mask) => new(High & mask.High, Low & mask.Low);

    /// <summary>Reads an address as people write it; its family is the one it was written in.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out IpAddress address, out IpFamily family)
    {
        address = default;
        family = default;
        // IPAddress reads "1" and "0x7f.1" as addresses too; what is meant here is four decimal parts, or colons.
        if (!text.Contains(':') && (text.Count('.') != 3 || text.ContainsAnyExcept(DottedDecimal))) return false;
        if (text.Contains('%') || !IPAddress.TryParse(text, out var parsed)) return false;
        (address, family) = From(parsed);
        return true;
    }

    /// <summary>Converts from the framework's address.</summary>
    public static (IpAddress Address, IpFamily Family) From(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        return address.AddressFamily == AddressFamily.InterNetwork
            ? (ReadIPv4(bytes), IpFamily.IPv4)
            : (ReadIPv6(bytes), IpFamily.IPv6);
    }

    /// <summary>The address as people write it: dotted, or RFC 5952.</summary>
    public string ToString(IpFamily family)
    {
        Span<byte> bytes = stackalloc byte[family.AddressBytes()];
        Write(family, bytes);
        return new IPAddress(bytes).ToString();
    }

    /// <inheritdoc/>
    public int CompareTo(IpAddress other) => High != other.High ? High.CompareTo(other.High) : Low.CompareTo(other.Low);

    /// <inheritdoc/>
    public static bool operator <(IpAddress left, IpAddress right) => left.CompareTo(right) < 0;

    /// <inheritdoc/>
    public static bool operator <=(IpAddress left, IpAddress right) => left.CompareTo(right) <= 0;

    /// <inheritdoc/>
    public static bool operator >(IpAddress left, IpAddress right) => left.CompareTo(right) > 0;

    /// <inheritdoc/>
    public static bool operator >=(IpAddress left, IpAddress right) => left.CompareTo(right) >= 0;
}
