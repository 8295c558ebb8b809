using System.Text;

namespace FwCluster.Rules.Text;

/// <summary>Texts and names.</summary>
public sealed partial class ExtensionOptions
{
    /// <summary>Reads a text of <paramref name="min"/> to <paramref name="max"/> bytes, and reports a longer one: iptables cuts it off in
    /// silence, and two texts that begin alike are then one.</summary>
    public string Text(Token word, int min, int max)
    {
        var length = Encoding.UTF8.GetByteCount(word.Text);
        if (length < min) Error(word, $"{Name}: the text is too short", $"it has {min} to {max} bytes");
        else if (length > max) Error(word, $"{Name}: the text has {length} bytes, and {max} are possible", "shorten it");
        return word.Text;
    }

    /// <summary>Reads a name, whole or its beginning, upper or lower case: the first of <paramref name="names"/> that fits, as iptables
    /// does it in many places. Reports what fits none.</summary>
    /// <param name="word">The word.</param>
    /// <param name="what">What it should be, for the message.</param>
    /// <param name="names">The names.</param>
    /// <returns>Its index; -1 for none.</returns>
    public int Beginning(Token word, string what, IReadOnlyList<string> names)
    {
        for (var i = 0; word.Text.Length > 0 && i < names.Count; i++)
        {
            if (names[i].StartsWith(word.Text, StringComparison.OrdinalIgnoreCase)) return i;
        }
        Error(word, $"{Name}: \"{word}\" is not {what}", Nearest.Hint(word.Text, names) ?? $"there are {string.Join(", ", names)}");
        return -1;
    }
}
