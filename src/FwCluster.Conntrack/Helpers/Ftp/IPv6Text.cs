using FwCluster.Packets;

namespace FwCluster.Conntrack.Helpers.Ftp;

/// <summary>
/// Reads an IPv6 address that ends with a delimiter, and takes what the kernel's <c>in6_pton</c> takes: leading zeroes
/// without number, "::" for one group or more, and a dotted IPv4 address at the end, behind which a colon is a delimiter too. A
/// zero byte is a delimiter everywhere.
/// </summary>
internal static class IPv6Text
{
    private const int Groups = 8;

    /// <summary>Reads the address.</summary>
    /// <param name="text">Text that begins with the address.</param>
    /// <param name="delimiter">Printable and no digit; where it is a letter or a punctuation of addresses, it delimits all the
    /// same.</param>
    /// <param name="address">The address, where found.</param>
    /// <param name="length">Bytes before the delimiter, where found.</param>
    public static FtpMatch Read(ReadOnlySpan<byte> text, byte delimiter, out IpAddress address, out int length)
    {
        address = default;
        length = 0;
        Span<ushort> groups = stackalloc ushort[Groups];
        var count = 0;
        var gap = -1; // where "::" stands, in groups; one group of it is counted already
        var at = 0;
        while (true)
        {
            if (at == text.Length) return FtpMatch.Cut;

            // A second colon behind the first, or two at the very beginning.
            if (text[at] == ':' && text[at] != delimiter)
            {
                if (gap >= 0) return FtpMatch.Malformed;
                if (at == 0)
                {
                    if (++at == text.Length) return FtpMatch.Cut;
                    if (text[at] != ':') return FtpMatch.Malformed;
                }
                groups[count++] = 0;
                gap = count;
                if (++at == text.Length) return FtpMatch.Cut;
                if (IsEnd(text[at], delimiter)) break;
                continue;
            }

            // A group, and what ends it.
            if (count == Groups) return FtpMatch.Malformed;
            var start = at;
            var value = 0;
            while (at < text.Length && text[at] != delimiter && char.IsAsciiHexDigit((char)text[at]))
            {
                if (value > 0xFFF) return FtpMatch.Malformed;
                value = value << 4 | HexDigit(text[at++]);
            }
            if (at == text.Length) return FtpMatch.Cut;
            if (at == start) return FtpMatch.Malformed;

            if (IsEnd(text[at], delimiter))
            {
                if (gap < 0 && count != Groups - 1) return FtpMatch.Malformed;
                groups[count++] = (ushort)value;
                break;
            }
            if (text[at] == '.')
            {
                if (gap < 0 ? count != Groups - 2 : count > Groups - 2) return FtpMatch.Malformed;
                at = start;
                var match = Dotted(text, delimiter, ref at, out var high, out var low);
                if (match != FtpMatch.Found) return match;
                groups[count++] = high;
                groups[count++] = low;
                break;
            }
            if (text[at] != ':' || count >= Groups - 1) return FtpMatch.Malformed;
            groups[count++] = (ushort)value;
            at++;
        }

        length = at;
        address = Spread(groups, count, gap);
        return FtpMatch.Found;
    }

    /// <summary>Four numbers up to 255, from <paramref name="at"/> to the delimiter (<c>in4_pton</c>).</summary>
    private static FtpMatch Dotted(ReadOnlySpan<byte> text, byte delimiter, ref int at, out ushort high, out ushort low)
    {
        high = 0;
        low = 0;
        uint value = 0;
        for (var part = 0; part < 4; part++)
        {
            var start = at;
            var number = 0;
            while (at < text.Length && char.IsAsciiDigit((char)text[at]))
            {
                number = number * 10 + text[at++] - '0';
                if (number > 255) return FtpMatch.Malformed;
            }
            if (at == text.Length) return FtpMatch.Cut;
            if (at == start) return FtpMatch.Malformed;
            value = value << 8 | (uint)number;

            var character = text[at];
            var ends = IsEnd(character, delimiter) || character == ':';
            if (part == 3 ? !ends : ends || character != '.') return FtpMatch.Malformed;
            if (part < 3) at++;
        }
        high = (ushort)(value >> 16);
        low = (ushort)value;
        return FtpMatch.Found;
    }

    /// <summary>Puts the groups behind "::" at the end, zeroes before them.</summary>
    private static IpAddress Spread(ReadOnlySpan<ushort> groups, int count, int gap)
    {
        var head = gap < 0 ? count : gap;
        var value = UInt128.Zero;
        for (var i = 0; i < count; i++)
        {
            var place = i < head ? i : Groups - count + i;
            value |= (UInt128)groups[i] << (16 * (Groups - 1 - place));
        }
        return IpAddress.FromValue(value);
    }

    private static bool IsEnd(byte character, byte delimiter) => character == delimiter || character == 0;

    private static int HexDigit(byte character)
        => character <= '9' ? character - '0' : (character | 0x20) - 'a' + 10;
}
