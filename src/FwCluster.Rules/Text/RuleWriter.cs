using System.Text;

namespace FwCluster.Rules.Text;

/// <summary>Writes the words of a rule, a space before each, quoted where <c>iptables-save</c> quotes.</summary>
public sealed class RuleWriter(StringBuilder text)
{
    /// <summary>Writes an option or a word that needs no quoting.</summary>
    public RuleWriter Word(string word)
    {
        if (text.Length > 0) text.Append(' ');
        text.Append(word);
        return this;
    }
}
