using System.Collections;
using System.Text.Json;
using System.Text.RegularExpressions;
using FwCluster.Node.Configuration;
using FwCluster.Referee;
using FwCluster.Referee.Lab;

namespace FwCluster.EndToEnd.Tests.Documents;

/// <summary>The words that the product knows: commands, options, settings, values of the chart, metrics. Asked of the product itself.</summary>
internal static partial class ProductWords
{
    private static readonly System.CommandLine.RootCommand Fwctl = Cli.Fwctl.CreateCommand();

    private static readonly Lazy<HashSet<string>> DaemonOptions = new(()
        => [.. Option().Matches(Command.Run(Path.Combine(AppContext.BaseDirectory, "fwclusterd"), ["--help"])).Select(option => option.Value)]);

    private static readonly Lazy<HashSet<string>> ChartValues = new(() =>
    {
        using var schema = JsonDocument.Parse(File.ReadAllText(Path.Combine(Repository.Root, "charts", "fwcluster", "values.schema.json")));
        var paths = new HashSet<string>(StringComparer.Ordinal);
        Collect(schema.RootElement, "", paths);
        return paths;
    });

    private static readonly Lazy<HashSet<string>> MetricNames = new(()
        => [.. Metric().Matches(File.ReadAllText(Path.Combine(Repository.Root, "docs", "metrics.md"))).Select(metric => metric.Groups["name"].Value)]);

    /// <summary>The settings of the daemon, by path.</summary>
    public static IReadOnlySet<string> Settings { get; } = SettingsReader.Read(null, new Hashtable(), []).Texts.Keys.ToHashSet(StringComparer.Ordinal);

    /// <summary>What is wrong with a whole command line of fwctl, the words behind its name; null for nothing.</summary>
    public static string? WrongInFwctl(IReadOnlyList<string> words)
    {
        var parsed = Fwctl.Parse(words);
        return parsed.Errors.Count == 0 ? null : string.Join("; ", parsed.Errors.Select(error => error.Message));
    }

    /// <summary>What is wrong with a part of a command line of fwctl, as sentences quote it: without what has to follow.</summary>
    public static string? WrongInPartOfFwctl(IEnumerable<string> words)
    {
        System.CommandLine.Command command = Fwctl;
        var known = new List<System.CommandLine.Option>(command.Options);
        foreach (var word in words)
        {
            if (word.StartsWith('-'))
            {
                var name = word.Split('=')[0];
                if (!known.Any(option => option.Name == name || option.Aliases.Contains(name))) return $"fwctl {command.Name} has no {name}";
            }
            else if (command.Subcommands.FirstOrDefault(sub => sub.Name == word) is { } sub)
            {
                command = sub;
                known.AddRange(sub.Options);
            }
            else if (command.Subcommands.Count > 0) return $"{command.Name} has no subcommand {word}";
        }
        return null;
    }

    /// <summary>What is wrong with the options of fwclusterd; null for nothing.</summary>
    public static string? WrongInDaemon(IReadOnlyList<string> words)
    {
        for (var i = 0; i < words.Count; i++)
        {
            var name = words[i].Split('=')[0];
            if (name.StartsWith('-') && !DaemonOptions.Value.Contains(name)) return $"fwclusterd has no {name}";
            if (name != "--set") continue;
            var assignment = words[i].Contains('=', StringComparison.Ordinal) ? words[i]["--set=".Length..] : i + 1 < words.Count ? words[i + 1] : "";
            if (assignment != "PATH=VALUE" && !Settings.Contains(assignment.Split('=')[0])) return $"fwclusterd has no setting {assignment}";
        }
        return null;
    }

    /// <summary>True where there is a setting of this path, or settings below it.</summary>
    public static bool IsSetting(string path)
        => path.StartsWith("tracking.sysctl.", StringComparison.Ordinal) || Settings.Any(setting => IsOrIsBelow(setting, path.TrimEnd('*').TrimEnd('.')));

    /// <summary>True where the Helm chart has a value of this path, or values below it.</summary>
    public static bool IsChartValue(string path) => ChartValues.Value.Any(value => IsOrIsBelow(value, path.TrimEnd('*').TrimEnd('.')) || path.StartsWith(value + ".", StringComparison.Ordinal) && IsWhole(value));

    /// <summary>True where docs/metrics.md, which has them all, has this metric.</summary>
    public static bool IsMetric(string name) => MetricNames.Value.Contains(name);

    // Below these the names are Kubernetes' or a person's.
    private static bool IsWhole(string value) => value.EndsWith("nodeSelector", StringComparison.Ordinal) || value.EndsWith("resources", StringComparison.Ordinal) || value.EndsWith("nnotations", StringComparison.Ordinal)
        || value.EndsWith("abels", StringComparison.Ordinal) || value.EndsWith("issuerRef", StringComparison.Ordinal);

    private static bool IsOrIsBelow(string path, string upper) => path == upper || path.StartsWith(upper + ".", StringComparison.Ordinal);

    private static void Collect(JsonElement schema, string path, HashSet<string> paths)
    {
        if (path.Length > 0) paths.Add(path);
        if (!schema.TryGetProperty("properties", out var properties)) return;
        foreach (var property in properties.EnumerateObject()) Collect(property.Value, path.Length == 0 ? property.Name : $"{path}.{property.Name}", paths);
    }

    [GeneratedRegex(@"(?<![\w-])--?[a-z?][a-z-]*")]
    private static partial Regex Option();

    [GeneratedRegex("^\\| `(?<name>fwcluster_[a-z_]+)` \\|", RegexOptions.Multiline)]
    private static partial Regex Metric();
}
