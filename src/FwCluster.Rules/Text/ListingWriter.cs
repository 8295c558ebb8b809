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

    /// <summary>Writes text as it is, without a space before it.</summary>
    public ListingWriter Raw(string words)
    {
        text.Append(words);
        return this;
    }

    /// <summary>Writes a space, then a number in decimal.</summary>
    public ListingWriter Number(ulong value) => Words(value.ToString(CultureInfo.InvariantCulture));

    /// <summary>Writes a space, then a number as <c>0x</c> and lower-case hexadecimal digits.</summary>
    public ListingWriter Hex(ulong value) => Words("0x" + value.ToString("x", CultureInfo.InvariantCulture));
}
