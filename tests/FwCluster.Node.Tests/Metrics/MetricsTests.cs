using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using FwCluster.Node.Tests.Metrics.Otlp;
using FwCluster.Referee;
using FwCluster.Referee.Lab;
using YamlDotNet.RepresentationModel;

namespace FwCluster.Node.Tests.Metrics;

/// <summary>What a running daemon tells Prometheus and a collector, and whether documentation, dashboard and alerts know it by the same names.</summary>
[Collection(DaemonTests.Name)]
public sealed partial class MetricsTests(MetricsLab lab) : IClassFixture<MetricsLab>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    // Prometheus' own, of every target.
    private static readonly string[] OfPrometheus = ["up", "job", "instance"];

    [KernelFact]
    public void WhatWasCountedIsTold()
    {
        var before = lab.Scrape();
        lab.Net.Left.Execute("ping -c 3 -i 0.2 -W 5 10.77.2.2");
        Assert.False(lab.Net.CanConnect(GatewayLab.RightIPv4, 7004, TimeSpan.FromMilliseconds(500)));
        var after = lab.Scrape();

        double More(string name, params string[] labels) => (after.Sum(name, labels) ?? 0) - (before.Sum(name, labels) ?? 0);
        var rule = (string[])["family=ipv4", "table=filter", "chain=FORWARD", "position=1", "comment=pings \\\"as\\\" seen"];
        Assert.Equal((6, 504), (More("fwcluster_rule_packets_total", rule), More("fwcluster_rule_bytes_total", rule)));
        var syns = More("fwcluster_policy_packets_total", "family=ipv4", "chain=FORWARD", "policy=DROP");
        Assert.InRange(syns, 1, 3);
        Assert.Equal(syns, More("fwcluster_port_drops_total", "reason=rules"));
        Assert.Equal(syns, More("fwcluster_port_packets_total", "fate=dropped"));
        Assert.InRange(More("fwcluster_port_packets_total", "fate=accepted"), 6, 100);
        Assert.Equal(syns, More("fwcluster_drop_files_packets_total", "outcome=written"));

        // A question for the first ping and for each SYN, and their answers: each is in one range, and they took some time.
        var questions = More("fwcluster_questions_total");
        Assert.InRange(questions, 1 + syns, 100);
        Assert.Equal(questions, More("fwcluster_question_duration_seconds_count"));
        Assert.Equal(questions, More("fwcluster_question_duration_seconds_bucket", "le=+Inf"));
        Assert.InRange(More("fwcluster_question_duration_seconds_sum"), 1e-6, 60);
        Assert.Equal(questions, More("fwcluster_shard_questions_total"));
        Assert.True(More("fwcluster_conntrack_inserted_total") >= 1);
        Assert.Equal(after.Sum("fwcluster_conntrack_entries"), after.Sum("fwcluster_shard_entries"));
        Assert.Equal((1, 0, 4), (after.Sum("fwcluster_cluster_members"), after.Sum("fwcluster_cluster_unreachable"), after.Sum("fwcluster_cluster_shards")));
        Assert.Equal((1, 0), (after.Sum("fwcluster_ready"), after.Sum("fwcluster_held")));
        Assert.Equal(1, after.Sum("target_info", "service_name=fwclusterd", "service_instance_id=gate"));
    }

    [KernelFact]
    public void RulesThatAreGoneLeaveNoSeriesBehind()
    {
        var generation = lab.Scrape().Sum("fwcluster_ruleset_generation");
        var file = Path.Combine(lab.Folder, "other.rules");
        File.WriteAllText(file, MetricsLab.Rules("others"));
        lab.RunFwctl("rules", "apply", file);
        try
        {
            var scraped = lab.Scrape();
            Assert.Equal(generation + 1, scraped.Sum("fwcluster_ruleset_generation"));
            Assert.Equal(0, scraped.Sum("fwcluster_rule_packets_total", "comment=others"));
            // The collector was told of it since the last time, so it may be there once more.
            Assert.True(SpinWait.SpinUntil(() => !lab.Scrape().Text.Contains("pings", StringComparison.Ordinal), Patience));
        }
        finally
        {
            File.WriteAllText(file, MetricsLab.Rules(MetricsLab.Comment));
            lab.RunFwctl("rules", "apply", file);
        }
    }

    [KernelFact]
    public void ACollectorGetsTheMetricsAndTheTraceOfAChange()
    {
        var file = Path.Combine(lab.Folder, "traced.rules");
        File.WriteAllText(file, MetricsLab.Rules(MetricsLab.Comment));
        lab.RunFwctl("rules", "apply", file);
        var collector = lab.Collector;
        Assert.True(SpinWait.SpinUntil(() => collector.Spans.Any(s => s.Name == "ruleset.apply") && collector.Metrics.ContainsKey("fwcluster.rule.packets"), Patience),
            string.Join(' ', collector.Metrics.Keys) + lab.Daemon.Log);
        var apply = collector.Spans.Last(s => s.Name == "ruleset.apply");
        var steps = collector.Spans.Where(s => s.TraceId == apply.TraceId && s.ParentSpanId == apply.SpanId).OrderBy(s => s.StartTimeUnixNano).ToArray();
        Assert.Equal(["ruleset.check", "ruleset.prepare", "ruleset.commit"], steps.Select(s => s.Name));
        Assert.All(steps[1..], step => Assert.Equal("gate", Attribute(step, "fwcluster.node")?.StringValue));
        Assert.Equal(Attribute(apply, "fwcluster.ruleset.generation")?.IntValue, Attribute(steps[2], "fwcluster.ruleset.generation")?.IntValue);
        Assert.All(steps, step => Assert.InRange(step.EndTimeUnixNano, step.StartTimeUnixNano, apply.EndTimeUnixNano));
        Assert.Equal(("fwclusterd", "gate"), (collector.Resource["service.name"], collector.Resource["service.instance.id"]));
        Assert.Equal("s", collector.Metrics["fwcluster.question.duration"]);
    }

    [KernelFact]
    public void OnTheNetworkNothingElseIsAnswered()
    {
        string Status(string path) => lab.Net.Gateway.Execute($"curl -s -o /dev/null -w %{{http_code}} http://{MetricsLab.Address}{path}");
        Assert.Equal(("200", "404", "404", "404"), (Status("/metrics"), Status("/rules"), Status("/readyz"), Status("/connections")));
        Assert.Equal("404", lab.Net.Gateway.Execute($"curl -s -o /dev/null -w %{{http_code}} -X POST http://{MetricsLab.Address}/counters/zero"));
    }

    [KernelFact]
    public void TheDocumentationTellsOfEachMetric()
    {
        var written = string.Concat(TableLine().Matches(File.ReadAllText(Path.Combine(Repository.Root, "docs", "metrics.md"))).Select(line => line.Value + "\n"));
        lab.Net.Left.Execute("ping -c 1 -W 5 10.77.2.2"); // who has never asked a shard tells of no question's time
        var scraped = lab.Scrape();
        var told = string.Concat(scraped.Families.Values.Where(f => f.Name.StartsWith("fwcluster_", StringComparison.Ordinal)).Select(f
            => $"| `{f.Name}` | {f.Kind} | {string.Join(", ", f.Labels.Where(l => l != "le"))} | {f.Help} |\n"));
        Assert.True(written == told, $"docs/metrics.md should have the table\n\n{told}");
    }

    [KernelFact]
    public void DashboardAndAlertsAskForWhatThereIs()
    {
        var scraped = lab.Scrape();
        var names = scraped.Names.Concat(OfPrometheus).ToHashSet();
        var queries = Dashboard().Concat(Alerts()).ToArray();
        Assert.True(queries.Length > 50, $"{queries.Length} queries");
        foreach (var query in queries)
        {
            var asked = Name().Matches(query).Select(m => m.Value).ToArray();
            Assert.True(asked.Length > 0 && asked.All(names.Contains), $"{string.Join(' ', asked.Where(name => !names.Contains(name)))} in {query}");
            var labels = asked.SelectMany(name => scraped.Families.TryGetValue(scraped.FamilyOf(name), out var family) ? family.Labels : []).Concat(OfPrometheus).ToHashSet();
            foreach (var group in LabelsOf().Matches(query).Select(m => m.Groups["by"].Success ? m.Groups["by"].Value : LabelName().Replace(m.Groups["of"].Value, "$1")))
                foreach (var label in group.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
                    Assert.True(labels.Contains(label), $"no label '{label}' in {query}");
        }
        // And the other way round: what is told is looked at, but for what only explains something else.
        var unseen = scraped.Names.Where(n => n.StartsWith("fwcluster_", StringComparison.Ordinal) && !queries.Any(q => q.Contains(n, StringComparison.Ordinal)));
        Assert.InRange(unseen.Count(), 0, 20);
    }

    [KernelFact]
    public void PrometheusUnderstandsAll()
    {
        Assert.SkipWhen(Promtool.WhyNot is not null, Promtool.WhyNot ?? "");
        Assert.DoesNotContain(Promtool.CheckMetrics(lab.Scrape().Text), line => line.StartsWith("fwcluster", StringComparison.Ordinal) || line.Contains("error", StringComparison.OrdinalIgnoreCase));
        var folder = Path.Combine(Repository.Root, "deploy", "prometheus");
        Promtool.Run(["check", "rules", Path.Combine(folder, "fwcluster.rules.yaml")]);
        Promtool.Run(["test", "rules", Path.Combine(folder, "fwcluster.tests.yaml")]);
        var file = Path.Combine(lab.Folder, "dashboard.yaml");
        File.WriteAllText(file, "groups:\n- name: dashboard\n  rules:\n" + string.Concat(Dashboard().Select((query, i)
            => $"  - record: panel:{i.ToString(CultureInfo.InvariantCulture)}\n    expr: {JsonSerializer.Serialize(query.Replace("$__rate_interval", "5m", StringComparison.Ordinal))}\n")));
        Promtool.Run(["check", "rules", file]);
    }

    [KernelFact]
    public void AnAddressThatIsTakenAndACollectorByHttp()
    {
        using var net = new NetworkLab();
        var place = net.AddNamespace("lone");
        using var collector = new OtlpReceiver(place);
        using (var daemon = new Daemon(place, "", $"metrics: {{ collector: \"http://127.0.0.1:{OtlpReceiver.HttpPort}\", collector-protocol: http, collector-seconds: 1 }}",
            mode: "mirror"))
        {
            Assert.True(SpinWait.SpinUntil(() => collector.Metrics.ContainsKey("fwcluster.port.packets"), Patience), daemon.Log);
        }
        var refused = place.TryExecute(Daemon.Program, ["--set", $"metrics.listen=127.0.0.1:{OtlpReceiver.HttpPort}", "--set", "state.socket="]);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains($"metrics.listen is '127.0.0.1:{OtlpReceiver.HttpPort}', which cannot be listened on: Address already in use", refused.Error);
    }

    private static AnyValue? Attribute(Span span, string key) => span.Attributes.FirstOrDefault(a => a.Key == key)?.Value;

    private static IEnumerable<string> Dashboard()
    {
        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(Repository.Root, "deploy", "grafana", "fwcluster.json")));
        return [.. json.RootElement.GetProperty("panels").EnumerateArray().Where(p => p.TryGetProperty("targets", out _))
            .SelectMany(p => p.GetProperty("targets").EnumerateArray()).Select(t => t.GetProperty("expr").GetString()!)];
    }

    private static IEnumerable<string> Alerts()
    {
        var yaml = new YamlStream();
        using var text = new StreamReader(Path.Combine(Repository.Root, "deploy", "prometheus", "fwcluster.rules.yaml"));
        yaml.Load(text);
        return [.. ((YamlSequenceNode)yaml.Documents[0].RootNode["groups"]).SelectMany(g => (YamlSequenceNode)g["rules"]).Select(r => ((YamlScalarNode)r["expr"]).Value!)];
    }

    [GeneratedRegex(@"^\| `fwcluster_\w+` \|.*\|$", RegexOptions.Multiline)]
    private static partial Regex TableLine();

    [GeneratedRegex(@"\b((fwcluster|dotnet)_\w+|up)\b(?=[{\[) ]|$)", RegexOptions.Multiline)]
    private static partial Regex Name();

    [GeneratedRegex(@"\b(by|on) \((?<by>[^)]*)\)|\{(?<of>[^}]*)\}")]
    private static partial Regex LabelsOf();

    [GeneratedRegex("(\\w+)=~?\"[^\"]*\"")]
    private static partial Regex LabelName();
}
