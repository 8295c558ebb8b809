using FwCluster.Packets;

namespace FwCluster.Conntrack.Helpers.Ftp;

/// <summary>
/// The ways in which FTP writes an address and a port. Numbers are taken as the kernel takes them, which is not as the RFCs write
/// them: a number may be empty (0), of any length (modulo 2^32), and above 255, when it runs over into its neighbour to the
/// left. A firewall that read another address than the kernel does would let through what the kernel does not.
/// </summary>
internal static class FtpNumbers
{
    /// <summary>"h1,h2,h3,h4,p1,p2" and then the terminator (<c>try_rfc959</c>). The port may be any, 0 too.</summary>
    public static FtpMatch HostPort(ReadOnlySpan<byte> text, byte terminator, ref FtpEndpoint endpoint)
    {
        Span<uint> numbers = stackalloc uint[6];
        var match = Series(text, numbers, (byte)',', terminator, out _);
        if (match == FtpMatch.Found)
        {
            endpoint.SetFirstFourBytes(FourBytes(numbers));
            endpoint.Port = (ushort)(numbers[4] << 8 | numbers[5]);
        }
        return match;
    }

    /// <summary>The same from the first digit on, with or without parentheses round it (<c>try_rfc1123</c>): servers write what
    /// they like before it, as long as it has no digit.</summary>
    public static FtpMatch FirstHostPort(ReadOnlySpan<byte> text, byte terminator, ref FtpEndpoint endpoint)
    {
        var digit = text.IndexOfAnyInRange((byte)'0', (byte)'9');
        return digit < 0 ? FtpMatch.Cut : HostPort(text[digit..], terminator, ref endpoint);
    }

    /// <summary>"|1|10.0.0.1|6275|" or "|2|2001:db8::1|6275|", with any delimiter (<c>try_eprt</c>). The family must be the
    /// control connection's, the port must not be 0.</summary>
    public static FtpMatch ExtendedPort(ReadOnlySpan<byte> text, byte terminator, ref FtpEndpoint endpoint)
    {
        if (text.Length <= 3) return FtpMatch.Cut;
        var delimiter = text[0];
        if (!IsDelimiter(delimiter) || text[2] != delimiter) return FtpMatch.Malformed;
        if (text[1] != (endpoint.Family == IpFamily.IPv4 ? '1' : '2')) return FtpMatch.Malformed;

        var rest = text[3..];
        int length;
        FtpMatch match;
        if (endpoint.Family == IpFamily.IPv4)
        {
            Span<uint> numbers = stackalloc uint[4];
            match = Series(rest, numbers, (byte)'.', delimiter, out length);
            endpoint.SetFirstFourBytes(FourBytes(numbers));
        }
        else
        {
            match = IPv6Text.Read(rest, delimiter, out endpoint.Address, out length);
        }
        if (match != FtpMatch.Found) return match;
        // What ended the address is passed over unread: after dotted decimals it may also be a colon.
        return rest.Length <= length + 1 ? FtpMatch.Cut : Port(rest[(length + 1)..], delimiter, out endpoint.Port);
    }

    /// <summary>"|||6446|", with any delimiter (<c>try_epsv_response</c>). The address stays the speaker's.</summary>
    public static FtpMatch ExtendedPassive(ReadOnlySpan<byte> text, byte terminator, ref FtpEndpoint endpoint)
    {
        if (text.Length <= 3) return FtpMatch.Cut;
        var delimiter = text[0];
        if (!IsDelimiter(delimiter) || text[1] != delimiter || text[2] != delimiter) return FtpMatch.Malformed;
        return Port(text[3..], delimiter, out endpoint.Port);
    }

    /// <summary>As many numbers as <paramref name="numbers"/> holds, with a separator between each two
    /// (<c>try_number</c>).</summary>
    private static FtpMatch Series(
        ReadOnlySpan<byte> text, Span<uint> numbers, byte separator, byte terminator, out int length)
    {
        numbers.Clear();
        var index = 0;
        for (length = 0; length < text.Length; length++)
        {
            var character = text[length];
            if (char.IsAsciiDigit((char)character))
            {
                numbers[index] = unchecked(numbers[index] * 10 + character - '0');
            }
            else if (character == separator)
            {
                if (++index == numbers.Length) return FtpMatch.Malformed;
            }
            else
            {
                var ends = terminator == 0 || character == terminator;
                return ends && index == numbers.Length - 1 ? FtpMatch.Found : FtpMatch.Malformed;
            }
        }
        return FtpMatch.Cut;
    }

    /// <summary>A port modulo 2^16 that is not 0, and the delimiter (<c>get_port</c>).</summary>
    private static FtpMatch Port(ReadOnlySpan<byte> text, byte delimiter, out ushort port)
    {
        port = 0;
        foreach (var character in text)
        {
            if (character == delimiter) return port == 0 ? FtpMatch.Malformed : FtpMatch.Found;
            if (!char.IsAsciiDigit((char)character)) return FtpMatch.Malformed;
            port = unchecked((ushort)(port * 10 + character - '0'));
        }
        return FtpMatch.Cut;
    }

    private static uint FourBytes(ReadOnlySpan<uint> numbers)
        => numbers[0] << 24 | numbers[1] << 16 | numbers[2] << 8 | numbers[3];

    private static bool IsDelimiter(byte character)
        => character is >= 33 and <= 126 && !char.IsAsciiDigit((char)character);
}
