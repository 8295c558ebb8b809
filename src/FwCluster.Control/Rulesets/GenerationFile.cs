using System.Globalization;

namespace FwCluster.Control.Rulesets;

/// <summary>The file that says, beside the rules of a generation, who applied them, when and why: a line a field.</summary>
internal static class GenerationFile
{
    private const string Head = "# Rules that were applied. To change rules apply others: what is here is history.\n";

    /// <summary>The file's text.</summary>
    public static string Write(RulesetGeneration generation) => Head + string.Create(CultureInfo.InvariantCulture, $"""
        generation: {generation.Number}
        applied: {generation.Applied.UtcDateTime:O}
        author: {OneLine(generation.Author)}
        comment: {OneLine(generation.Comment)}
        restores: {generation.Restores}
        confirm-by: {generation.ConfirmBy?.UtcDateTime:O}
        sha256: {generation.Digest}

        """).ReplaceLineEndings("\n");

    /// <summary>Reads the file's text.</summary>
    /// <exception cref="FormatException">It is not such a file's.</exception>
    public static RulesetGeneration Read(string text)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in text.Split('\n'))
        {
            if (line.StartsWith('#') || line.Length == 0) continue;
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0) throw new FormatException($"'{line}' is no field; 'author: alice' would be one");
            fields[line[..colon]] = line[(colon + 1)..].Trim();
        }
        string Field(string name) => fields.TryGetValue(name, out var value) ? value : throw new FormatException($"there is no field '{name}'");
        return new RulesetGeneration
        {
            Number = ulong.Parse(Field("generation"), NumberStyles.None, CultureInfo.InvariantCulture),
            Applied = Time(Field("applied")),
            Author = Field("author"),
            Comment = Field("comment"),
            Restores = ulong.Parse(Field("restores"), NumberStyles.None, CultureInfo.InvariantCulture),
            ConfirmBy = Field("confirm-by") is { Length: > 0 } time ? Time(time) : null,
            Digest = Field("sha256"),
        };
    }

    /// <summary>Text without what would break a line.</summary>
    public static string OneLine(string text) => new([.. text.Select(c => char.IsControl(c) || c is '\u2028' or '\u2029' ? ' ' : c)]);

    private static DateTimeOffset Time(string text) => DateTimeOffset.ParseExact(text, "O", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
}
