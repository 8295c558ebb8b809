using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using FwCluster.Referee;

namespace FwCluster.Chart.Tests;

/// <summary>The chart's README has each value with the comment that values.yaml has; the schema has each value, too.</summary>
public sealed partial class ReadmeTests
{
    private const string Begin = "<!-- values -->\n";
    private const string End = "<!-- /values -->\n";

    [Fact]
    public void TheReadmeHasEachValueAsItStandsInItsFile()
    {
        var file = Path.Combine(Repository.Chart, "README.md");
        var readme = File.ReadAllText(file);
        var expected = Table();
        var (from, to) = (readme.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length, readme.IndexOf(End, StringComparison.Ordinal));
        if (Environment.GetEnvironmentVariable("FWCLUSTER_TEST_WRITE_README") is "yes") File.WriteAllText(file, readme[..from] + expected + readme[to..]);
        else Assert.Equal(expected, readme[from..to]);
    }

    [Fact]
    public void EachValueHasAComment() => Assert.All(Values(), value => Assert.False(string.IsNullOrEmpty(value.Comment), $"{value.Path} has no comment"));

    [Fact]
    public void TheSchemaHasEachValueAndNoOther()
    {
        using var schema = JsonDocument.Parse(File.ReadAllText(Path.Combine(Repository.Chart, "values.schema.json")));
        var known = new List<string>();
        Collect(schema.RootElement, "", known);
        Assert.Equal(Values().Select(v => v.Path).Order(StringComparer.Ordinal), known.Where(path => path != "global").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void EachExampleIsDocumented()
    {
        var readme = File.ReadAllText(Path.Combine(Repository.Chart, "README.md"));
        Assert.True(Repository.ChartExamples.Length >= 8);
        Assert.All(Repository.ChartExamples, example => Assert.Contains($"(examples/{example}.yaml)", readme, StringComparison.Ordinal));
    }

    private static void Collect(JsonElement schema, string path, List<string> known)
    {
        if (!schema.TryGetProperty("properties", out var properties)) return;
        Assert.False(schema.GetProperty("additionalProperties").GetBoolean());
        foreach (var property in properties.EnumerateObject())
        {
            var below = path.Length == 0 ? property.Name : $"{path}.{property.Name}";
            // Maps of Kubernetes' own and of a person's choice are values as a whole.
            if (property.Value.TryGetProperty("properties", out _) && !Whole().IsMatch(below)) Collect(property.Value, below, known);
            else known.Add(below);
        }
    }

    private static string Table()
    {
        var text = new StringBuilder("| value | default | |\n|---|---|---|\n");
        foreach (var (path, fallback, comment) in Values()) text.Append($"| `{path}` | {(fallback.Length > 0 ? $"`{fallback}`" : "")} | {comment} |\n");
        return text.ToString();
    }

    /// <summary>Each value with its default and the comment above it, in the order of the file.</summary>
    private static List<(string Path, string Default, string Comment)> Values()
    {
        var values = new List<(string, string, string)>();
        var path = new List<string>();
        var comment = new List<string>();
        var skippedBelow = -1;
        foreach (var line in File.ReadLines(Path.Combine(Repository.Chart, "values.yaml")))
        {
            var indent = line.Length - line.TrimStart().Length;
            if (line.Trim().Length == 0) comment.Clear();
            else if (skippedBelow >= 0 && indent > skippedBelow) continue;
            else if (line.TrimStart().StartsWith('#')) comment.Add(line.Trim().TrimStart('#').Trim());
            else if (Key().Match(line) is { Success: true } key)
            {
                skippedBelow = -1;
                path.RemoveRange(indent / 2, path.Count - indent / 2);
                path.Add(key.Groups["name"].Value);
                var (name, value) = (string.Join('.', path), key.Groups["value"].Value.Trim());
                if (value.Length == 0 && !Whole().IsMatch(name)) continue;
                values.Add((name, value is "|" or "\"\"" ? "" : value, string.Join(' ', comment).Replace("|", "\\|", StringComparison.Ordinal)));
                comment.Clear();
                if (value is "|" or "") skippedBelow = indent;
            }
        }
        return values;
    }

    [GeneratedRegex("^ *(?<name>[A-Za-z0-9]+):(?<value>.*)$")]
    private static partial Regex Key();

    [GeneratedRegex(@"(resources|nodeSelector|issuerRef)$")]
    private static partial Regex Whole();
}
