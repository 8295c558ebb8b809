using System.Globalization;
using System.Text;

namespace FwCluster.Rules.Text;

/// <summary>Writes what <c>iptables -L -n</c> prints behind a rule's addresses: the words of its matches and its target, a space before each.</summary>
public sealed class ListingWriter(StringBuilder text)
{
    /// <summary>Writes a space, then the words.</summary>
    public ListingWriter Words(string words)
    {
        text.Append(' ').Append(words);
        return this;
    }

    /// <summary>Writes <c>!</c> where <paramref name="inverted"/>, then a word, a space before each.</summary>
    public ListingWriter Option(string word, bool inverted) => inverted ? Words("!").Words(word) : Words(word);

    /// <summary>Writes a text as <see cref="RuleWriter.String"/> does: quoted where it must be.</summary>
    public ListingWriter String(string value)
    {
        new RuleWriter(text).String(value);
        return this;
    }

    /// <summary>Writes a space, then a number in decimal.</summary>
    public ListingWriter Number(ulong value) => Words(value.ToString(CultureInfo.InvariantCulture));
}
