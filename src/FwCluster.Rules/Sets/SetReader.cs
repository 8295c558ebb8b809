using FwCluster.Rules.Text;

namespace FwCluster.Rules.Sets;

/// <summary>Reads what <c>ipset save</c> writes, and what <c>ipset restore</c> reads of it: <c>create</c> and <c>add</c>. All of a file's
/// mistakes are reported, each with its place; a file with a mistake makes no sets.</summary>
public static class SetReader
{
    /// <summary>Reads a file.</summary>
    /// <param name="text">What is in it.</param>
    /// <param name="fileName">Its name, for messages.</param>
    public static SetReadResult Read(string text, string fileName)
    {
        ArgumentNullException.ThrowIfNull(text);
        var lines = text.Split('\n');
        for (var i = 0; i < lines.Length; i++) lines[i] = lines[i].TrimEnd('\r');
        var errors = new ErrorList(fileName, lines);
        var sets = new Dictionary<string, SetBuilder>(StringComparer.Ordinal);
        for (var i = 0; i < lines.Length; i++)
        {
            if (lines[i].TrimStart() is "" or ['#', ..]) continue;
            if (RestoreWords.Split(lines[i], 0, i + 1, errors) is { } words) ReadLine(sets, words, errors);
        }
        var made = new Dictionary<string, IpSet>(StringComparer.Ordinal);
        foreach (var set in sets.Values.Where(s => !s.IsList)) made.Add(set.Name, set.Build(made, errors));
        // A list may not hold a list, so that those are the last.
        foreach (var set in sets.Values.Where(s => s.IsList)) made.Add(set.Name, set.Build(made, errors));
        return errors.Count > 0 ? new(null, errors.InOrder()) : new(new SetCollection(made.Values), []);
    }

    private static void ReadLine(Dictionary<string, SetBuilder> sets, List<Token> words, ErrorList errors)
    {
        var maybeThere = words.RemoveAll(w => w.Text is "-exist" or "-!") > 0;
        if (words.Count == 0) return;
        var command = words[0];
        switch (command.Text)
        {
            case "COMMIT":
                break;
            case "create" or "-N" when words.Count >= 3:
                if (sets.ContainsKey(words[1].Text) && !maybeThere) errors.Error(words[1], $"there is a set \"{words[1]}\" already");
                else sets[words[1].Text] = SetBuilder.Create(words, errors);
                break;
            case "add" or "-A" when words.Count >= 3:
                if (sets.TryGetValue(words[1].Text, out var set)) set.Add(words, maybeThere);
                else errors.Error(words[1], $"there is no set \"{words[1]}\" yet", Nearest.Hint(words[1].Text, sets.Keys) ?? "create it on a line before");
                break;
            case "create" or "-N" or "add" or "-A":
                errors.Error(words[^1], $"something is missing after \"{words[^1]}\"",
                    command.Text is "add" or "-A" ? "write add SET ELEMENT" : "write create SET TYPE");
                break;
            default:
                errors.Error(command, $"\"{command}\" is not supported in a file of sets", "there are create and add, as ipset save writes them");
                break;
        }
    }
}
