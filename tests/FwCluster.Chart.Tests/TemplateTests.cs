using FwCluster.Referee;
using k8s.Models;
using YamlDotNet.RepresentationModel;

namespace FwCluster.Chart.Tests;

/// <summary>
/// What the chart renders to, for the default values and each documented combination. That every document is one of Kubernetes' models, with no
/// field that they have not, is asserted by reading it (<see cref="RenderedChart"/>).
/// </summary>
public sealed class TemplateTests
{
    private static readonly string[] Held = ["CAP_NET_ADMIN", "CAP_NET_RAW"];

    public static TheoryData<string> Combinations => ["default", .. Repository.ChartExamples];

    [Theory]
    [MemberData(nameof(Combinations))]
    public void PodsMountAndNameWhatIsThere(string example)
    {
        var chart = ChartRenderer.RenderExample(example);
        foreach (var (component, pod) in chart.Pods)
        {
            var container = Assert.Single(pod.Spec.Containers);
            var claims = chart.Control?.Spec.VolumeClaimTemplates?.Select(claim => claim.Metadata.Name) ?? [];
            var volumes = pod.Spec.Volumes.Select(volume => volume.Name).Concat(component == "control" ? claims : []).ToList();
            Assert.Equal(volumes.Distinct().Order(), volumes.Order());
            // Each volume is mounted somewhere, and nothing else is.
            Assert.Equal(volumes.Order(), container.VolumeMounts.Select(mount => mount.Name).Order());
            // What a volume is made of is rendered, or named by a value.
            foreach (var volume in pod.Spec.Volumes)
            {
                if (volume.ConfigMap is { } map && example is not "existing-rules") chart.Named<V1ConfigMap>(map.Name);
                if (volume.Secret is { } secret && example is not ("existing-secrets" or "cert-manager" or "own-authority")) chart.Named<V1Secret>(secret.SecretName);
            }
            // Each file that the settings name is in a volume.
            var settings = Settings(chart, component);
            foreach (var file in new[] { Text(settings, "cluster", "tls", "certificate"), Text(settings, "cluster", "tls", "key"), Text(settings, "cluster", "tls", "ca"),
                Text(settings, "control", "certificate"), Text(settings, "control", "authority"), Text(settings, "control", "tokens"), Text(settings, "rules", "ipv4"),
                Text(settings, "rules", "ipv6"), Text(settings, "rules", "sets"), Text(settings, "control", "directory"), Text(settings, "state", "socket") })
            {
                var mount = Assert.Single(container.VolumeMounts, mount => file.StartsWith(mount.MountPath + "/", StringComparison.Ordinal));
                var name = Path.GetFileName(file);
                var volume = pod.Spec.Volumes.FirstOrDefault(volume => volume.Name == mount.Name);
                if (volume?.Secret is { } secret && chart.All<V1Secret>().FirstOrDefault(s => s.Metadata.Name == secret.SecretName) is { } made) Assert.Contains(name, made.Data.Keys);
                if (volume?.ConfigMap is { } map && chart.All<V1ConfigMap>().FirstOrDefault(m => m.Metadata.Name == map.Name) is { } known) Assert.Contains(name, known.Data.Keys);
            }
            // The settings' own file is the one that the program is told.
            Assert.Equal(["--config", $"/etc/fwcluster/settings/{component}.yaml"], container.Args);
        }
    }

    [Theory]
    [MemberData(nameof(Combinations))]
    public void SelectorsMatchAndPortsAgree(string example)
    {
        var chart = ChartRenderer.RenderExample(example);
        Assert.True(Matches(chart.Gateways.Spec.Selector.MatchLabels, chart.Pods["gateway"]));
        if (chart.Control is { } control)
        {
            Assert.True(Matches(control.Spec.Selector.MatchLabels, chart.Pods["control"]));
            Assert.Equal(control.Spec.ServiceName, Peers(chart).Metadata.Name);
        }
        foreach (var service in chart.All<V1Service>())
        {
            var chosen = chart.Pods.Where(p => Matches(service.Spec.Selector, p.Value)).ToList();
            // Pods join by all that there are, and all are watched; clients ask those that rule.
            if (service.Spec.ClusterIP == "None") Assert.Equal(chart.Pods.Keys, chosen.Select(p => p.Key));
            else Assert.Contains("control", Text(Settings(chart, Assert.Single(chosen).Key), "cluster", "roles"), StringComparison.Ordinal);
            Assert.DoesNotContain(chart.All<V1Pod>(), test => service.Spec.Selector.All(pair => test.Metadata.Labels.TryGetValue(pair.Key, out var value) && value == pair.Value));
            foreach (var port in service.Spec.Ports)
            {
                foreach (var (_, pod) in chosen)
                    Assert.Equal(port.Port, Assert.Single(pod.Spec.Containers[0].Ports, p => p.Name == (string)port.TargetPort).ContainerPort);
            }
        }
        foreach (var (component, pod) in chart.Pods)
        {
            var container = pod.Spec.Containers[0];
            var settings = Settings(chart, component);
            int Port(string name) => Assert.Single(container.Ports, p => p.Name == name).ContainerPort;
            Assert.Equal($"$(POD_IP):{Port("cluster")}", Assert.Single(container.Env, e => e.Name == "FWCLUSTER_CLUSTER_LISTEN").Value);
            Assert.Equal($"{Port("links")}", Text(settings, "cluster", "link-port"));
            Assert.Equal($"0.0.0.0:{Port("control")}", Text(settings, "control", "listen"));
            Assert.Equal($"0.0.0.0:{Port("health")}", Text(settings, "state", "health-listen"));
            // $(POD_IP) is replaced by what stands before it.
            Assert.True(container.Env.IndexOf(container.Env.First(e => e.Name == "POD_IP")) < container.Env.IndexOf(container.Env.First(e => e.Name == "FWCLUSTER_CLUSTER_LISTEN")));
            foreach (var probe in new[] { container.StartupProbe, container.LivenessProbe, container.ReadinessProbe }) Assert.Equal(Port("health"), probe.Grpc.Port);
            Assert.Equal(("live", "live", "ready"), (container.StartupProbe.Grpc.Service, container.LivenessProbe.Grpc.Service, container.ReadinessProbe.Grpc.Service));
            // By the discovery service's name.
            var peers = Peers(chart);
            Assert.True(peers.Spec.PublishNotReadyAddresses);
            Assert.Equal(["cluster", "links"], peers.Spec.Ports.Select(port => port.Name));
            Assert.Equal($"{peers.Metadata.Name}.firewall.svc:{Port("cluster")}", Text(settings, "cluster", "seeds"));
        }
        // What gateways must not be cut off from: their own ports, and the node's.
        var exempt = Text(Settings(chart, "gateway"), "queue", "exempt").Split(',');
        Assert.Superset(new HashSet<string>(["10250/tcp", "6443/tcp", "53/tcp", .. chart.Pods["gateway"].Spec.Containers[0].Ports.Select(p => $"{p.ContainerPort}/tcp")]), new HashSet<string>(exempt));
    }

    /// <summary>Whatever the ports are, the daemon takes them as its settings, and gateways cut none of them off.</summary>
    [Fact]
    public void TheClustersPortsMayBeOthers()
    {
        var chart = ChartRenderer.Render("-set", "cluster.port=7001", "-set", "cluster.linkPort=7003");
        Assert.Equal([("cluster", 7001), ("links", 7003)], Peers(chart).Spec.Ports.Select(port => (port.Name, port.Port)));
        foreach (var (component, pod) in chart.Pods)
        {
            var container = pod.Spec.Containers[0];
            Assert.Equal(["7001", "7003"], container.Ports.Where(port => port.Name is "cluster" or "links").Select(port => $"{port.ContainerPort}"));
            Assert.Equal("$(POD_IP):7001", Assert.Single(container.Env, e => e.Name == "FWCLUSTER_CLUSTER_LISTEN").Value);
            Assert.Equal("7003", Text(Settings(chart, component), "cluster", "link-port"));
        }
        Assert.Equal(["7003/tcp", "7001/tcp", "4054/tcp", "4055/tcp", "10250/tcp", "6443/tcp", "53/tcp"], Text(Settings(chart, "gateway"), "queue", "exempt").Split(','));
    }

    [Theory]
    [MemberData(nameof(Combinations))]
    public void PodsMayDoNoMoreThanTheyMust(string example)
    {
        var chart = ChartRenderer.RenderExample(example);
        foreach (var pod in chart.Pods.Values.Select(p => p.Spec).Concat(chart.All<V1Pod>().Select(p => p.Spec)))
        {
            Assert.False(pod.AutomountServiceAccountToken);
            Assert.True(pod.SecurityContext.RunAsNonRoot);
            Assert.NotEqual(0, pod.SecurityContext.RunAsUser);
            Assert.Equal("RuntimeDefault", pod.SecurityContext.SeccompProfile.Type);
            Assert.True(pod.HostPID is null or false && pod.HostIPC is null or false);
            foreach (var container in pod.Containers)
            {
                var context = container.SecurityContext;
                Assert.True(context.ReadOnlyRootFilesystem);
                Assert.False(context.AllowPrivilegeEscalation);
                Assert.Null(context.Privileged);
                Assert.Equal(["ALL"], context.Capabilities.Drop);
                Assert.Equal(container.Name == "gateway" ? Held : [], context.Capabilities.Add?.Select(c => "CAP_" + c) ?? []);
                Assert.Equal(container.Name == "gateway", pod.HostNetwork is true);
                Assert.NotEmpty(container.Resources.Requests);
                Assert.NotEmpty(container.Resources.Limits);
            }
            foreach (var init in pod.InitContainers ?? [])
            {
                Assert.Equal(["CHOWN"], init.SecurityContext.Capabilities.Add);
                Assert.Equal(["ALL"], init.SecurityContext.Capabilities.Drop);
                Assert.True(init.SecurityContext.ReadOnlyRootFilesystem);
            }
            // What may be written is a volume.
            Assert.All(pod.Volumes, volume => Assert.True(volume.HostPath is null || volume.Name == "state"));
        }
    }

    [Fact]
    public void GatewaysAreChangedOneAfterTheOtherAndDrained()
    {
        var gateways = ChartRenderer.RenderExample("edge-nodes").Gateways.Spec;
        Assert.Equal("1", (string)gateways.UpdateStrategy.RollingUpdate.MaxUnavailable);
        Assert.Equal(["/usr/bin/fwclusterd", "--drain", "30", "--config", "/etc/fwcluster/settings/gateway.yaml"], gateways.Template.Spec.Containers[0].Lifecycle.PreStop.Exec.Command);
        Assert.Equal(120, gateways.Template.Spec.TerminationGracePeriodSeconds);
        Assert.Equal("", gateways.Template.Spec.NodeSelector["node-role.kubernetes.io/edge"]);
        Assert.Equal("NoSchedule", Assert.Single(gateways.Template.Spec.Tolerations).Effect);
        Assert.Equal(("ClusterFirstWithHostNet", "use-vc"), (gateways.Template.Spec.DnsPolicy, Assert.Single(gateways.Template.Spec.DnsConfig.Options).Name));
    }

    [Theory]
    [InlineData("default", 3)]
    [InlineData("hardened", 5)]
    public void ControlNodesAreApartAndKeepTheirRules(string example, int replicas)
    {
        var chart = ChartRenderer.RenderExample(example);
        var control = chart.Control!.Spec;
        Assert.Equal(replicas, control.Replicas);
        Assert.Equal("Parallel", control.PodManagementPolicy);
        Assert.Equal("state", Assert.Single(control.VolumeClaimTemplates).Metadata.Name);
        var apart = control.Template.Spec.Affinity.PodAntiAffinity;
        var term = example == "hardened"
            ? Assert.Single(apart.RequiredDuringSchedulingIgnoredDuringExecution)
            : Assert.Single(apart.PreferredDuringSchedulingIgnoredDuringExecution).PodAffinityTerm;
        Assert.True(Matches(term.LabelSelector.MatchLabels, chart.Pods["control"]));
        Assert.Equal("kubernetes.io/hostname", term.TopologyKey);
        var budget = chart.One<V1PodDisruptionBudget>().Spec;
        Assert.True(Matches(budget.Selector.MatchLabels, chart.Pods["control"]));
        Assert.Equal("1", (string)budget.MaxUnavailable);
        var policy = chart.One<V1NetworkPolicy>().Spec;
        Assert.True(Matches(policy.PodSelector.MatchLabels, chart.Pods["control"]));
        Assert.Equal([["cluster", "links"], ["control"], ["health"]], policy.Ingress.Select(rule => rule.Ports.Select(port => (string)port.Port)));
        Assert.Equal(example == "hardened" ? 2 : 0, policy.Ingress[0].FromProperty?.Count ?? 0);
    }

    [Theory]
    [InlineData("default", "control")]
    [InlineData("all-in-one", "gateway")]
    public void WhoRulesFollowsTheConfigMapAndMayCreateEventsAlone(string example, string ruling)
    {
        var chart = ChartRenderer.RenderExample(example);
        var rule = Assert.Single(chart.One<V1Role>().Rules);
        Assert.Equal(("", "events", "create"), (Assert.Single(rule.ApiGroups), Assert.Single(rule.Resources), Assert.Single(rule.Verbs)));
        var binding = chart.One<V1RoleBinding>();
        Assert.Equal(("Role", chart.One<V1Role>().Metadata.Name), (binding.RoleRef.Kind, binding.RoleRef.Name));
        var subject = Assert.Single(binding.Subjects);
        Assert.Equal(("ServiceAccount", chart.One<V1ServiceAccount>().Metadata.Name, "firewall"), (subject.Kind, subject.Name, subject.NamespaceProperty));
        foreach (var (component, pod) in chart.Pods)
        {
            var settings = Settings(chart, component);
            Assert.Equal(component == ruling, ((YamlMappingNode)settings["rules"]).Children.ContainsKey("follow"));
            Assert.Equal(component == ruling, pod.Spec.Volumes.Any(v => v.Projected is not null));
            if (component != ruling) continue;
            Assert.Equal(subject.Name, pod.Spec.ServiceAccountName);
            Assert.Equal("yes", Text(settings, "rules", "follow"));
            Assert.Equal(pod.Spec.Volumes.Single(v => v.Name == "rules").ConfigMap.Name, Text(settings, "kubernetes", "config-map"));
            Assert.Equal("/var/run/secrets/kubernetes.io/serviceaccount", pod.Spec.Containers[0].VolumeMounts.Single(mount => mount.Name == "account").MountPath);
        }
        var left = ChartRenderer.Render("-f", Path.Combine(Repository.Chart, "examples", "trial.yaml"), "-set", "rules.follow=false");
        Assert.Empty(left.All<V1Role>());
        Assert.Empty(left.All<V1RoleBinding>());
        Assert.All(left.Pods.Values, pod => Assert.DoesNotContain(pod.Spec.Volumes, v => v.Projected is not null));
        Assert.False(Settings(left, "control").Children.ContainsKey("kubernetes"));
    }

    [Fact]
    public void ASmallClusterHasNoOtherPods()
    {
        var chart = ChartRenderer.RenderExample("all-in-one");
        Assert.Null(chart.Control);
        Assert.Equal("capture,conntrack,control", Text(Settings(chart, "gateway"), "cluster", "roles"));
        Assert.Empty(chart.All<V1PodDisruptionBudget>());
        Assert.All(chart.All<V1Service>(), service => Assert.True(Matches(service.Spec.Selector, chart.Pods["gateway"])));
    }

    [Fact]
    public void CertManagerSignsForServersAndClients()
    {
        var signed = Assert.Single(ChartRenderer.RenderExample("cert-manager").Unmodelled("Certificate"));
        Assert.Equal(["commonName", "dnsNames", "duration", "issuerRef", "privateKey", "renewBefore", "secretName", "usages"], Keys(signed["spec"]));
        Assert.Equal(("company-ca", "ClusterIssuer"), (signed["spec"]["issuerRef"]["name"].ToString(), signed["spec"]["issuerRef"]["kind"].ToString()));
        Assert.Equal(["digital signature", "server auth", "client auth"], ((YamlSequenceNode)signed["spec"]["usages"]).Select(u => u.ToString()));
        Assert.Contains("fw-fwcluster.firewall.svc", ((YamlSequenceNode)signed["spec"]["dnsNames"]).Select(n => n.ToString()));

        var own = ChartRenderer.RenderExample("own-authority");
        var issuers = own.Unmodelled("Issuer").ToDictionary(i => i["metadata"]["name"].ToString(), i => i["spec"]);
        var certificates = own.Unmodelled("Certificate").ToDictionary(c => c["metadata"]["name"].ToString(), c => c["spec"]);
        Assert.Equal(["selfSigned"], Keys(issuers["fw-fwcluster-self-signed"]));
        Assert.Equal("fw-fwcluster-self-signed", certificates["fw-fwcluster-ca"]["issuerRef"]["name"].ToString());
        Assert.Equal(certificates["fw-fwcluster-ca"]["secretName"].ToString(), issuers["fw-fwcluster"]["ca"]["secretName"].ToString());
        Assert.Equal("fw-fwcluster", certificates["fw-fwcluster-tls"]["issuerRef"]["name"].ToString());
        Assert.Equal(own.Pods["gateway"].Spec.Volumes.Single(v => v.Name == "tls").Secret.SecretName, certificates["fw-fwcluster-tls"]["secretName"].ToString());
    }

    [Fact]
    public void WhatWasMadeOnceIsKept()
    {
        var first = ChartRenderer.Render();
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, AsObjects(first));
            var second = ChartRenderer.Render("-upgrade", "-objects", file);
            Assert.Equal(3, first.All<V1Secret>().Count());
            foreach (var secret in first.All<V1Secret>()) Assert.Equal(secret.Data, second.Named<V1Secret>(secret.Metadata.Name).Data);
            // Without the first, none would be the same.
            var other = ChartRenderer.Render();
            foreach (var secret in first.All<V1Secret>()) Assert.NotEqual(secret.Data, other.Named<V1Secret>(secret.Metadata.Name).Data);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void NotesSayWhatToDoNext()
    {
        var notes = ChartRenderer.Render().Notes;
        Assert.Contains("kubectl -n firewall rollout status daemonset/fw-fwcluster-gateway", notes, StringComparison.Ordinal);
        Assert.Contains("helm -n firewall test fw", notes, StringComparison.Ordinal);
        Assert.Contains("get secret fw-fwcluster-tls", notes, StringComparison.Ordinal);
        Assert.DoesNotContain("admin-token", ChartRenderer.RenderExample("existing-secrets").Notes, StringComparison.Ordinal);
    }

    /// <summary>The Secrets as the cluster has them.</summary>
    internal static string AsObjects(RenderedChart chart) => string.Join("---\n", chart.All<V1Secret>().Select(secret =>
        $"apiVersion: v1\nkind: Secret\nmetadata: {{name: {secret.Metadata.Name}, namespace: firewall}}\ndata:\n"
        + string.Concat(secret.Data.Select(d => $"  {d.Key}: {Convert.ToBase64String(d.Value)}\n"))));

    /// <summary>The settings of a component's pods.</summary>
    internal static YamlMappingNode Settings(RenderedChart chart, string component)
    {
        var name = chart.Pods[component].Spec.Volumes.Single(v => v.Name == "settings").ConfigMap.Name;
        var yaml = new YamlStream();
        yaml.Load(new StringReader(chart.Named<V1ConfigMap>(name).Data[component + ".yaml"]));
        return (YamlMappingNode)yaml.Documents[0].RootNode;
    }

    /// <summary>The service by which pods find each other.</summary>
    private static V1Service Peers(RenderedChart chart)
        => Assert.Single(chart.All<V1Service>(), s => s.Spec.ClusterIP == "None" && s.Spec.Ports.Any(port => port.Name == "cluster"));

    private static string Text(YamlNode node, params string[] path) => path.Aggregate(node, (at, key) => at[key]).ToString();

    private static string[] Keys(YamlNode node) => [.. ((YamlMappingNode)node).Children.Keys.Select(k => k.ToString()).Order(StringComparer.Ordinal)];

    private static bool Matches(IDictionary<string, string> selector, V1PodTemplateSpec pod)
        => selector.Count > 0 && selector.All(pair => pod.Metadata.Labels.TryGetValue(pair.Key, out var value) && value == pair.Value);
}
