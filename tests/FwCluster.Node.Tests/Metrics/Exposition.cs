using System.Globalization;
using System.Text.RegularExpressions;

namespace FwCluster.Node.Tests.Metrics;

/// <summary>What a daemon told Prometheus.</summary>
internal sealed partial class Exposition
{
    private readonly List<(string Name, Dictionary<string, string> Labels, double Value)> _series = [];

    public Exposition(string text)
    {
        Text = text;
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (Head().Match(line) is { Success: true } head)
            {
                var (name, rest) = (head.Groups["name"].Value, head.Groups["rest"].Value);
                var family = Families.GetValueOrDefault(name) ?? (Families[name] = new Family(name));
                if (head.Groups["what"].Value == "TYPE") family.Kind = rest;
                else family.Help = rest;
                continue;
            }
            var series = Series().Match(line);
            if (!series.Success) throw new InvalidDataException($"no series: {line}");
            var labels = Label().Matches(series.Groups["labels"].Value).ToDictionary(l => l.Groups["name"].Value, l => l.Groups["value"].Value);
            _series.Add((series.Groups["name"].Value, labels, double.Parse(series.Groups["value"].Value, CultureInfo.InvariantCulture)));
            Families[FamilyOf(series.Groups["name"].Value)].Labels.UnionWith(labels.Keys);
        }
    }

    /// <summary>As it came.</summary>
    public string Text { get; }

    /// <summary>Its metrics, by name.</summary>
    public SortedDictionary<string, Family> Families { get; } = new(StringComparer.Ordinal);

    /// <summary>The names that a query may ask for: those of a histogram with its suffixes.</summary>
    public IEnumerable<string> Names => _series.Select(s => s.Name).Distinct();

    /// <summary>The sum of the series of a name that have these labels, <c>label=value</c>; null where there is none.</summary>
    public double? Sum(string name, params string[] labels)
    {
        var found = _series.Where(s => s.Name == name && labels.All(l => s.Labels.Contains(KeyValuePair.Create(l[..l.IndexOf('=')], l[(l.IndexOf('=') + 1)..])))).ToArray();
        return found.Length == 0 ? null : found.Sum(s => s.Value);
    }

    /// <summary>The metric that a name belongs to.</summary>
    public string FamilyOf(string name) => Families.ContainsKey(name) ? name : Suffix().Replace(name, "");

    /// <summary>A metric.</summary>
    internal sealed record Family(string Name)
    {
        public string Kind { get; set; } = "";

        public string Help { get; set; } = "";

        public SortedSet<string> Labels { get; } = new(StringComparer.Ordinal);
    }

    [GeneratedRegex("^# (?<what>TYPE|HELP) (?<name>[a-zA-Z0-9_:]+) (?<rest>.*)$")]
    private static partial Regex Head();

    [GeneratedRegex(@"^(?<name>[a-zA-Z0-9_:]+)(\{(?<labels>.*)\})? (?<value>\S+)$")]
    private static partial Regex Series();

    [GeneratedRegex("(?<name>[a-zA-Z0-9_]+)=\"(?<value>(?:[^\"\\\\]|\\\\.)*)\"")]
    private static partial Regex Label();

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex Suffix();
}
