using System.Text;

namespace FwCluster.Rules.Evaluation;

/// <summary>The name of a network interface, at most 15 bytes, as one number, so that a rule compares it under a mask as the kernel's
/// <c>ifname_compare_aligned</c> does.</summary>
/// <param name="Value">The bytes of the name, first byte lowest, zero-filled.</param>
public readonly record struct InterfaceName(UInt128 Value)
{
    /// <summary>Longest name (IFNAMSIZ - 1).</summary>
    public const int MaxLength = 15;

    /// <summary>Reads a name.</summary>
    /// <exception cref="ArgumentException">The name is longer than <see cref="MaxLength"/> bytes.</exception>
    public static InterfaceName From(string name)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        if (Encoding.UTF8.GetByteCount(name) > MaxLength)
            throw new ArgumentException($"interface name \"{name}\" is longer than {MaxLength} bytes", nameof(name));
        Encoding.UTF8.GetBytes(name, bytes);
        return new(System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(bytes));
    }

    /// <summary>True where there is no interface.</summary>
    public bool IsEmpty => Value == UInt128.Zero;

    /// <inheritdoc/>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt128LittleEndian(bytes, Value);
        var end = bytes.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
    }
}
