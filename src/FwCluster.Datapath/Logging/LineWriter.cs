using System.Globalization;
using System.Text;

namespace FwCluster.Datapath.Logging;

/// <summary>Writes text as UTF-8 into a buffer, and what does not fit not at all: <c>nf_log_buf_add</c>. Does not allocate.</summary>
internal ref struct LineWriter(Span<byte> buffer)
{
    private readonly Span<byte> _buffer = buffer;
    private int _length;

    /// <summary>Bytes written.</summary>
    public readonly int Length => _length;

    public void Text(scoped ReadOnlySpan<byte> text)
    {
        text = text[..Math.Min(text.Length, _buffer.Length - _length)];
        text.CopyTo(_buffer[_length..]);
        _length += text.Length;
    }

    public void Text(string text)
    {
        Span<byte> bytes = stackalloc byte[256];
        Encoding.UTF8.TryGetBytes(text.AsSpan(0, Math.Min(text.Length, bytes.Length / 3)), bytes, out var length);
        Text(bytes[..length]);
    }

    /// <summary>A name, a number, a blank: <c>TTL=64 </c>.</summary>
    public void Field(scoped ReadOnlySpan<byte> name, uint value)
    {
        Text(name);
        Decimal(value);
        Blank();
    }

    public void Blank() => Text(" "u8);

    public void Decimal(uint value)
    {
        Span<byte> digits = stackalloc byte[10];
        value.TryFormat(digits, out var length, default, CultureInfo.InvariantCulture);
        Text(digits[..length]);
    }

    /// <summary>A number in base 16 with at least <paramref name="digits"/> digits.</summary>
    public void Hex(uint value, int digits, bool upper = false)
    {
        Span<byte> text = stackalloc byte[8];
        var at = text.Length;
        do
        {
            text[--at] = (upper ? "0123456789ABCDEF"u8 : "0123456789abcdef"u8)[(int)(value & 0xf)];
            value >>= 4;
        }
        while (value != 0 || text.Length - at < digits);
        Text(text[at..]);
    }

    /// <summary>Bytes in base 16, two digits each.</summary>
    public void Bytes(scoped ReadOnlySpan<byte> bytes)
    {
        foreach (var one in bytes) Hex(one, 2, upper: true);
    }

    /// <summary>An Ethernet address: the low 48 bits, colons between.</summary>
    public void Mac(ulong address)
    {
        for (var shift = 40; shift >= 0; shift -= 8)
        {
            Hex((byte)(address >> shift), 2);
            if (shift != 0) Text(":"u8);
        }
    }

    /// <summary>An IPv4 address with dots.</summary>
    public void IPv4(scoped ReadOnlySpan<byte> address)
    {
        for (var i = 0; i < 4; i++)
        {
            if (i != 0) Text("."u8);
            Decimal(address[i]);
        }
    }

    /// <summary>An IPv6 address with all its digits (%pI6).</summary>
    public void IPv6(scoped ReadOnlySpan<byte> address)
    {
        for (var i = 0; i < 16; i++)
        {
            if (i != 0 && (i & 1) == 0) Text(":"u8);
            Hex(address[i], 2);
        }
    }

    /// <summary>The name of an interface; nothing for none.</summary>
    public void Name(UInt128 name)
    {
        for (; (byte)name != 0; name >>= 8) Text([(byte)name]);
    }
}
