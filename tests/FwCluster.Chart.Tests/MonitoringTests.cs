using System.Text.Json;
using FwCluster.Referee;
using k8s.Models;
using YamlDotNet.RepresentationModel;

namespace FwCluster.Chart.Tests;

/// <summary>What Prometheus' operator and Grafana are given. They are no kinds of Kubernetes' own: the fields that their definitions ask for are asserted here.</summary>
public sealed class MonitoringTests
{
    /// <summary>What a chart may have are files of its own; these are copies of what stands elsewhere (FWCLUSTER_TEST_WRITE_README=yes makes them anew).</summary>
    [Theory]
    [InlineData("deploy/prometheus/fwcluster.rules.yaml")]
    [InlineData("deploy/grafana/fwcluster.json")]
    public void TheChartHasWhatIsDeployedWithoutIt(string file)
    {
        var (source, copy) = (Path.Combine(Repository.Root, file), Path.Combine(Repository.Chart, "files", Path.GetFileName(file)));
        if (Environment.GetEnvironmentVariable("FWCLUSTER_TEST_WRITE_README") is "yes") File.Copy(source, copy, overwrite: true);
        Assert.Equal(File.ReadAllText(source), File.ReadAllText(copy));
    }

    [Fact]
    public void NothingIsWatchedUnlessItIsAskedFor()
    {
        var chart = ChartRenderer.RenderExample("default");
        Assert.Empty(chart.Unmodelled("ServiceMonitor").Concat(chart.Unmodelled("PrometheusRule")));
        Assert.DoesNotContain(chart.All<V1ConfigMap>(), map => map.Data.ContainsKey("fwcluster.json"));
        Assert.DoesNotContain(chart.All<V1Service>(), service => service.Spec.Ports.Any(port => port.Name == "metrics"));
        foreach (var (component, pod) in chart.Pods)
        {
            Assert.DoesNotContain(pod.Spec.Containers[0].Ports, port => port.Name == "metrics");
            Assert.False(TemplateTests.Settings(chart, component).Children.ContainsKey("metrics"));
        }
    }

    [Theory]
    [InlineData("split", "")]
    [InlineData("all-in-one", "edge")]
    public void TheMonitorLeadsToEachPod(string mode, string name)
    {
        var chart = ChartRenderer.Render("-f", Path.Combine(Repository.Chart, "examples", "monitored.yaml"), "-set", $"mode={mode}", "-set", $"fullnameOverride={name}");
        var monitor = Assert.Single(chart.Unmodelled("ServiceMonitor"));
        Assert.Equal("prometheus", monitor["metadata"]["labels"]["release"].ToString());
        Assert.Equal(["endpoints", "selector"], Keys(monitor["spec"]));
        var selector = ((YamlMappingNode)monitor["spec"]["selector"]["matchLabels"]).ToDictionary(pair => pair.Key.ToString(), pair => pair.Value.ToString());
        var service = Assert.Single(chart.All<V1Service>(), s => selector.All(pair => s.Metadata.Labels.TryGetValue(pair.Key, out var value) && value == pair.Value));
        var endpoint = Assert.Single((YamlSequenceNode)monitor["spec"]["endpoints"]);
        Assert.Equal(["interval", "path", "port", "relabelings"], Keys(endpoint));
        Assert.Equal(("30s", "/metrics"), (endpoint["interval"].ToString(), endpoint["path"].ToString()));
        var port = Assert.Single(service.Spec.Ports, p => p.Name == endpoint["port"].ToString());
        // One job, by whose name the alerts know it.
        var job = Assert.Single((YamlSequenceNode)endpoint["relabelings"]);
        Assert.Equal(("job", name.Length > 0 ? "edge-fwcluster" : "fw-fwcluster"), (job["targetLabel"].ToString(), job["replacement"].ToString()));

        foreach (var (component, pod) in chart.Pods)
        {
            Assert.All(service.Spec.Selector, pair => Assert.Equal(pair.Value, pod.Metadata.Labels[pair.Key]));
            Assert.Equal(port.Port, Assert.Single(pod.Spec.Containers[0].Ports, p => p.Name == (string)port.TargetPort).ContainerPort);
            Assert.Equal($"0.0.0.0:{port.Port}", TemplateTests.Settings(chart, component)["metrics"]["listen"].ToString());
        }
        Assert.Contains($"{port.Port}/tcp", TemplateTests.Settings(chart, "gateway")["queue"]["exempt"].ToString().Split(','));
        if (mode != "split") return;
        var ingress = chart.One<V1NetworkPolicy>().Spec.Ingress;
        Assert.Equal([["cluster", "links"], ["control"], ["health"], [(string)port.TargetPort]], ingress.Select(rule => rule.Ports.Select(p => (string)p.Port)));
        Assert.Single(ingress[^1].FromProperty);
    }

    /// <summary>They are the rules that promtool checks and tries elsewhere, word by word.</summary>
    [Fact]
    public void TheAlertsAreThoseThatAreTried()
    {
        var rule = Assert.Single(ChartRenderer.RenderExample("monitored").Unmodelled("PrometheusRule"));
        Assert.Equal("prometheus", rule["metadata"]["labels"]["release"].ToString());
        Assert.Equal(["groups"], Keys(rule["spec"]));
        var yaml = new YamlStream();
        yaml.Load(new StringReader(File.ReadAllText(Path.Combine(Repository.Root, "deploy", "prometheus", "fwcluster.rules.yaml"))));
        Assert.Equal(yaml.Documents[0].RootNode, rule["spec"]);
        foreach (var alert in ((YamlSequenceNode)rule["spec"]["groups"]).SelectMany(group => (YamlSequenceNode)group["rules"]))
        {
            Assert.Equal(["alert", "annotations", "expr", "labels"], Keys(alert).Where(key => key != "for"));
            Assert.Matches("^(critical|warning|info)$", alert["labels"]["severity"].ToString());
        }
    }

    [Fact]
    public void TheDashboardIsFoundByItsLabel()
    {
        var map = ChartRenderer.RenderExample("monitored").Named<V1ConfigMap>("fw-fwcluster-dashboard");
        Assert.Equal("1", map.Metadata.Labels["grafana_dashboard"]);
        using var dashboard = JsonDocument.Parse(map.Data["fwcluster.json"]);
        using var source = JsonDocument.Parse(File.ReadAllText(Path.Combine(Repository.Root, "deploy", "grafana", "fwcluster.json")));
        Assert.True(JsonElement.DeepEquals(source.RootElement, dashboard.RootElement));
    }

    private static string[] Keys(YamlNode node) => [.. ((YamlMappingNode)node).Children.Keys.Select(k => k.ToString()).Order(StringComparer.Ordinal)];
}
