using System.Buffers;
using System.Globalization;
using System.Text;

namespace FwCluster.Rules.Text;

/// <summary>Writes the words of a rule, a space before each, quoted where <c>iptables-save</c> quotes.</summary>
public sealed class RuleWriter(StringBuilder text)
{
    private static readonly SearchValues<char> Plain =
        SearchValues.Create("_-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

    /// <summary>Writes an option or a word that needs no quoting.</summary>
    public RuleWriter Word(string word)
    {
        if (text.Length > 0 && text[^1] != '\n') text.Append(' ');
        text.Append(word);
        return this;
    }

    /// <summary>Writes a number, in decimal.</summary>
    public RuleWriter Number(ulong value) => Word(value.ToString(CultureInfo.InvariantCulture));

    /// <summary>Writes a number as <c>0x</c> and lower-case hexadecimal digits.</summary>
    public RuleWriter Hex(ulong value) => Word("0x" + value.ToString("x", CultureInfo.InvariantCulture));

    /// <summary>Writes <c>!</c> where <paramref name="inverted"/>, then the option.</summary>
    public RuleWriter Option(string option, bool inverted = false)
    {
        if (inverted) Word("!");
        return Word(option);
    }

    /// <summary>Writes a text as <c>xtables_save_string</c> does: as it is where it has only letters, digits, <c>_</c> and <c>-</c>; else in double
    /// quotes, with backslashes before <c>" \ '</c>.</summary>
    public RuleWriter String(string value)
    {
        if (value.Length > 0 && !value.AsSpan().ContainsAnyExcept(Plain)) return Word(value);
        var quoted = new StringBuilder("\"");
        foreach (var c in value)
        {
            if (c is '"' or '\\' or '\'') quoted.Append('\\');
            quoted.Append(c);
        }
        return Word(quoted.Append('"').ToString());
    }
}
