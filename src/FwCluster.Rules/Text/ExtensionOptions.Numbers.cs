using System.Globalization;

namespace FwCluster.Rules.Text;

/// <summary>Numbers, ports, marks: the value types of <c>libxtables/xtoptions.c</c>.</summary>
public sealed partial class ExtensionOptions
{
    /// <summary>Reads a number as C does (decimal, 0x, octal by a leading 0), within a range; reports it where it is none.</summary>
    /// <param name="word">The word.</param>
    /// <param name="min">Least.</param>
    /// <param name="max">Greatest.</param>
    public ulong Number(Token word, ulong min, ulong max)
    {
        if (TryNumber(word.Text, out var value) && value >= min && value <= max) return value;
        Error(word, $"{Name}: \"{word}\" is not a number from {min} to {max}");
        return min;
    }

    /// <summary>Reads <c>a:b</c>, <c>a:</c>, <c>:b</c> or <c>a</c> as <c>XTTYPE_UINT32RC</c> does: a missing side is the end of the
    /// type's range. Does not say whether the range is the right way round.</summary>
    /// <param name="word">The word.</param>
    /// <param name="max">Greatest, also what a missing right side means.</param>
    public (ulong Low, ulong High) NumberRange(Token word, ulong max)
    {
        var colon = word.Text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0)
        {
            var single = word.Text.Length == 0 ? 0 : Number(word, 0, max);
            return (single, single);
        }
        if (word.Text.IndexOf(':', colon + 1) >= 0)
        {
            Error(word, $"{Name}: \"{word}\" has more than two parts", "write MIN:MAX");
            return (0, max);
        }
        var low = colon == 0 ? 0 : Number(word.Part(0, colon), 0, max);
        var high = colon == word.Text.Length - 1 ? max : Number(word.Part(colon + 1, word.Text.Length - colon - 1), 0, max);
        return (low, high);
    }

    /// <summary>Reads <c>value</c> or <c>value/mask</c>, 32 bits each (<c>XTTYPE_MARKMASK32</c>); without a mask it is all ones.</summary>
    public (uint Value, uint Mask) MarkMask(Token word)
    {
        var slash = word.Text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0) return ((uint)Number(word, 0, uint.MaxValue), uint.MaxValue);
        return ((uint)Number(word.Part(0, slash), 0, uint.MaxValue),
            (uint)Number(word.Part(slash + 1, word.Text.Length - slash - 1), 0, uint.MaxValue));
    }

    /// <summary>Reads a port, by number or by a service's name.</summary>
    /// <param name="word">The word.</param>
    /// <param name="protocol">Whose service names count; 0 for any, and for numbers in decimal only: <c>XTTYPE_PORTRC</c>, which asks
    /// <c>getaddrinfo</c>.</param>
    public ushort Port(Token word, byte protocol)
    {
        if (TryPort(word, protocol) is { } port) return port;
        ReportPort(word);
        return 0;
    }

    private static ushort? TryPort(Token word, byte protocol)
    {
        var isNumber = protocol == 0
            ? ulong.TryParse(word.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            : TryNumber(word.Text, out value);
        if (isNumber && value <= ushort.MaxValue) return (ushort)value;
        return ServiceNames.TryPort(word.Text, protocol, out var port) ? port : null;
    }

    private void ReportPort(Token word)
        => Error(word, $"{Name}: \"{word}\" is neither a port (0 to 65535) nor the name of a service");

    /// <summary>Reads <c>port</c>, <c>low:high</c>, <c>low:</c> or <c>:high</c>; reports a range the wrong way round.</summary>
    /// <param name="word">The word.</param>
    /// <param name="protocol">Whose service names count; 0 for any.</param>
    public (ushort Low, ushort High) PortRange(Token word, byte protocol)
    {
        var colon = word.Text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0)
        {
            var port = Port(word, protocol);
            return (port, port);
        }
        var (first, last) = (word.Part(0, colon), word.Part(colon + 1, word.Text.Length - colon - 1));
        var low = first.Text.Length == 0 ? (ushort)0 : TryPort(first, protocol);
        var high = last.Text.Length == 0 ? ushort.MaxValue : TryPort(last, protocol);
        if (low is null) ReportPort(first);
        if (high is null) ReportPort(last);
        if (low > high)
        {
            Error(word, $"{Name}: the port range \"{word}\" begins after its end",
                string.Create(CultureInfo.InvariantCulture, $"write {high}:{low}"));
        }
        return (low ?? 0, high ?? ushort.MaxValue);
    }

    /// <summary>Reads a number as <c>strtoumax</c> with base 0 does, the whole text being the number: decimal, <c>0x</c> hexadecimal,
    /// leading-zero octal.</summary>
    public static bool TryNumber(ReadOnlySpan<char> text, out ulong value)
    {
        value = 0;
        text = text.TrimStart(" \t\n\v\f\r");
        if (text.StartsWith("+")) text = text[1..];
        if (text.Length == 0) return false;
        if (text.Length > 2 && text[0] == '0' && text[1] is 'x' or 'X')
            return ulong.TryParse(text[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
        if (text[0] != '0') return ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
        foreach (var c in text)
        {
            if (c is < '0' or > '7' || value >> 61 != 0) return false;
            value = value << 3 | (uint)(c - '0');
        }
        return true;
    }
}
