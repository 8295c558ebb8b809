using k8s;
using k8s.Models;
using YamlDotNet.RepresentationModel;

namespace FwCluster.Chart.Tests;

/// <summary>What the chart renders to. Each document is read into Kubernetes' own model of it, and a field that the model has not is an error.</summary>
internal sealed class RenderedChart
{
    private const string Separator = "---\n# Source: ";

    private static readonly Dictionary<string, Func<string, object>> Kinds = new()
    {
        ["v1/ConfigMap"] = Read<V1ConfigMap>,
        ["v1/Pod"] = Read<V1Pod>,
        ["v1/Secret"] = Read<V1Secret>,
        ["v1/Service"] = Read<V1Service>,
        ["v1/ServiceAccount"] = Read<V1ServiceAccount>,
        ["apps/v1/DaemonSet"] = Read<V1DaemonSet>,
        ["apps/v1/StatefulSet"] = Read<V1StatefulSet>,
        ["networking.k8s.io/v1/NetworkPolicy"] = Read<V1NetworkPolicy>,
        ["rbac.authorization.k8s.io/v1/Role"] = Read<V1Role>,
        ["rbac.authorization.k8s.io/v1/RoleBinding"] = Read<V1RoleBinding>,
        ["policy/v1/PodDisruptionBudget"] = Read<V1PodDisruptionBudget>,
        // No package has models of these: their fields are asserted by the test that is about them.
        ["cert-manager.io/v1/Certificate"] = ReadAny,
        ["cert-manager.io/v1/Issuer"] = ReadAny,
        ["monitoring.coreos.com/v1/PrometheusRule"] = ReadAny,
        ["monitoring.coreos.com/v1/ServiceMonitor"] = ReadAny,
    };

    public RenderedChart(string text)
    {
        foreach (var document in text.Split(Separator, StringSplitOptions.RemoveEmptyEntries))
        {
            var (file, content) = (document[..document.IndexOf('\n', StringComparison.Ordinal)], document[(document.IndexOf('\n', StringComparison.Ordinal) + 1)..]);
            if (file.EndsWith("NOTES.txt", StringComparison.Ordinal)) Notes = content;
            else Objects.Add(ReadObject(file, content));
        }
    }

    /// <summary>All objects.</summary>
    public List<object> Objects { get; } = [];

    /// <summary>What is said after an installation.</summary>
    public string Notes { get; } = "";

    /// <summary>The gateways.</summary>
    public V1DaemonSet Gateways => One<V1DaemonSet>();

    /// <summary>The control nodes, where there are any apart from the gateways.</summary>
    public V1StatefulSet? Control => All<V1StatefulSet>().SingleOrDefault();

    /// <summary>The templates of the pods that run for long, by component.</summary>
    public Dictionary<string, V1PodTemplateSpec> Pods
        => new[] { Gateways.Spec.Template, Control?.Spec.Template }.OfType<V1PodTemplateSpec>().ToDictionary(pod => pod.Metadata.Labels["app.kubernetes.io/component"]);

    /// <summary>All objects of a kind.</summary>
    public IEnumerable<T> All<T>() => Objects.OfType<T>();

    /// <summary>The only object of a kind.</summary>
    public T One<T>() => Assert.Single(All<T>());

    /// <summary>The object of a kind with this name.</summary>
    public T Named<T>(string name)
        where T : IKubernetesObject<V1ObjectMeta>
        => Assert.Single(All<T>(), o => o.Metadata.Name == name);

    /// <summary>Objects that no model knows, of a kind.</summary>
    public IEnumerable<YamlMappingNode> Unmodelled(string kind) => All<YamlMappingNode>().Where(o => o["kind"].ToString() == kind);

    private static object ReadObject(string file, string content)
    {
        var about = KubernetesYaml.Deserialize<Dictionary<string, object>>(content);
        var kind = $"{about["apiVersion"]}/{about["kind"]}";
        if (!Kinds.TryGetValue(kind, out var read)) throw new InvalidOperationException($"{file}: no model is known for {kind}");
        try
        {
            return read(content);
        }
        catch (Exception e) when (e is not InvalidOperationException)
        {
            throw new InvalidOperationException($"{file}: {e.Message} {e.InnerException?.Message}\n{content}", e);
        }
    }

    private static object Read<T>(string content)
        where T : class
        => KubernetesYaml.Deserialize<T>(content, strict: true);

    private static YamlMappingNode ReadAny(string content)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(content));
        return (YamlMappingNode)yaml.Documents[0].RootNode;
    }
}
