using System.Globalization;

namespace FwCluster.Cli.Top;

/// <summary>A sample as lines of text that fit into a terminal.</summary>
internal static class TopText
{
    private const int LeastRules = 3;

    /// <summary>The lines.</summary>
    /// <param name="sample">The sample.</param>
    /// <param name="width">Columns; a longer line is cut.</param>
    /// <param name="height">Lines; what matters least is left out.</param>
    /// <param name="message">A line at the top that says what is wrong; null for none.</param>
    public static IReadOnlyList<string> Lines(TopSample sample, int width, int height, string? message = null)
    {
        var lines = new List<string>
        {
            Text($"fwctl top  {sample.Time.ToLocalTime():HH:mm:ss}  generation {sample.Generation}  {sample.Nodes.Count} nodes  (q quits, n: rules of the next node)"),
        };
        if (message is not null) lines.Add(message);
        foreach (var (node, reason) in sample.Missing) lines.Add($"{node} is missing: {reason}");
        lines.Add("");
        lines.Add(Text($"{"NODE",-16} {"HEALTH",-12} {"SHARDS",6} {"CONNECTIONS",12} {"NEW/S",10} {"PACKETS/S",12} {"DROPS/S",10} {"DROPS",12}"));
        // Of many nodes, those with the most to do; the sum is of all.
        var room = Math.Max(1, height / 3 - 1);
        foreach (var node in sample.Nodes.OrderByDescending(n => n.Numbers.Packets.PerSecond).Take(room).OrderBy(n => n.Name, StringComparer.Ordinal))
            lines.Add(Line(sample, node.Name, node.Health, Text($"{node.Shards}"), node.Numbers));
        if (sample.Nodes.Count > 1) lines.Add(Line(sample, "sum", "", Text($"{sample.Nodes.Sum(n => n.Shards)}"), sample.Sum));
        var drops = sample.Sum.Drops.Where(d => d.Value.Total > 0).OrderByDescending(d => d.Value.PerSecond).ThenByDescending(d => d.Value.Total).ToList();
        var forDrops = Math.Min(drops.Count, height - lines.Count - LeastRules - 5);
        if (forDrops > 0)
        {
            lines.Add("");
            lines.Add(Text($"{"DROPS/S",10} {"DROPS",12}  REASON"));
            foreach (var (reason, count) in drops.Take(forDrops))
                lines.Add(Text($"{Rate(sample, count),10} {count.Total,12}  {reason}{Places(sample, reason)}"));
        }
        lines.Add("");
        lines.Add(Text($"{"HITS/S",10} {"PACKETS",12} {"BYTES",15}  RULE OF {sample.RulesOf ?? "ALL NODES"}"));
        foreach (var rule in sample.Rules.Take(Math.Max(0, height - lines.Count)))
        {
            lines.Add(string.Create(CultureInfo.InvariantCulture, $"{Rate(sample, rule.Packets),10} {rule.Packets.Total,12} {rule.Bytes.Total,15}  {(rule.Family == "ipv6" ? "-6 " : "")}"
                + $"{(rule.Table == "filter" ? "" : $"-t {rule.Table} ")}{rule.Rule}"));
        }
        return [.. lines.Take(height).Select(line => line.Length > width ? line[..width] : line)];
    }

    private static string Line(TopSample sample, string name, string health, string shards, TopNumbers numbers)
        => string.Create(CultureInfo.InvariantCulture, $"{name,-16} {health,-12} {shards,6} {numbers.Connections,12} {Rate(sample, numbers.New),10} {Rate(sample, numbers.Packets),12} "
            + $"{Rate(sample, numbers.Dropped),10} {numbers.Dropped.Total,12}");

    /// <summary>The nodes where it happens now.</summary>
    private static string Places(TopSample sample, string reason)
    {
        var places = sample.Nodes.Where(n => n.Numbers.Drops.TryGetValue(reason, out var count) && count.PerSecond > 0).Select(n => n.Name).ToList();
        return places.Count == 0 || sample.Nodes.Count == 1 ? "" : $"  ({string.Join(", ", places)})";
    }

    private static string Rate(TopSample sample, TopCount count) => sample.Seconds > 0 ? Text($"{count.PerSecond:0.0}") : "-";

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
