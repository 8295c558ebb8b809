using FwCluster.Referee;
using FwCluster.Referee.Lab;

namespace FwCluster.Chart.Tests.Pods;

/// <summary>The rules' ConfigMap changes under a control node that runs, and Kubernetes is told what became of it.</summary>
[Collection(PodsCollection.Name)]
public sealed class RulesEventTests(ImageRoot image)
{
    [KernelFact]
    public void AChangedConfigMapIsAppliedAndTheOutcomeIsAnEvent()
    {
        Assert.True(image.Made.ExitCode == 0, image.Made.Error);
        var chart = ChartRenderer.Render("-set", "control.replicas=1", "-set", "control.persistence.enabled=false", "-set", "cluster.beginAfterSeconds=0");
        using var net = new NetworkLab();
        var place = net.AddNamespace("node");
        using var api = new ApiServer(place);
        using var kubelet = new Kubelet(image.Path);
        kubelet.Change(kubelet.Account, Kubelet.Files(("token", api.Token), ("ca.crt", api.Authority)));
        kubelet.Resolve("fw-fwcluster-peers", "127.0.0.1");
        using var pod = kubelet.Start(chart, chart.Pods["control"].Spec, "fw-fwcluster-control-0", "127.0.0.1", place);
        pod.WaitUntilReady();
        var map = Path.Combine(pod.Folder, "rules");

        kubelet.Change(map, Kubelet.Files(("ipv4.rules", Rules("--dport 21"))));
        var applied = api.Next(pod);
        Assert.Equal(("Normal", "RulesApplied", "Applied: generation 2 is in force"), (applied.Type, applied.Reason, applied.Message));
        Assert.Equal(("v1", "ConfigMap", "fw-fwcluster-rules"), (applied.InvolvedObject.ApiVersion, applied.InvolvedObject.Kind, applied.InvolvedObject.Name));
        Assert.Equal(("fwclusterd", "fw-fwcluster-control-0"), (applied.Source.Component, applied.Source.Host));
        Assert.InRange(applied.LastTimestamp!.Value.ToUniversalTime(), DateTime.UtcNow.AddMinutes(-2), DateTime.UtcNow.AddMinutes(1));
        Assert.Contains("--dport 21", pod.Execute("/usr/bin/fwctl", "rules", "show"), StringComparison.Ordinal);

        // The kubelet renews tokens; and nothing of rules with a mistake is used.
        api.Token = "second";
        kubelet.Change(kubelet.Account, Kubelet.Files(("token", api.Token)));
        kubelet.Change(map, Kubelet.Files(("ipv4.rules", Rules("--dport 22") + "-A INPUT -j ACEPT\n"), ("ipv6.rules", "*filter\n-A INPUT --dport 70000\n")));
        var refused = api.Next(pod);
        Assert.Equal(("Warning", "RulesRefused"), (refused.Type, refused.Reason));
        Assert.StartsWith("Nothing was changed: ", refused.Message, StringComparison.Ordinal);
        Assert.Contains("\nipv4.rules:7:", refused.Message, StringComparison.Ordinal);
        Assert.Contains("\nipv6.rules:2:", refused.Message, StringComparison.Ordinal);
        Assert.Contains("--dport 21", pod.Execute("/usr/bin/fwctl", "rules", "show"), StringComparison.Ordinal);

        // Who shows another certificate than the authority's is told nothing. The rules are in force all the same.
        using var other = new NetworkLab();
        using var stranger = new ApiServer(other.AddNamespace("other"));
        kubelet.Change(kubelet.Account, Kubelet.Files(("ca.crt", stranger.Authority)));
        kubelet.Change(map, Kubelet.Files(("ipv4.rules", Rules("--dport 23")), ("ipv6.rules", "")));
        Assert.True(SpinWait.SpinUntil(() => pod.Output.Contains("No Event could be made about the ConfigMap fw-fwcluster-rules", StringComparison.Ordinal), TimeSpan.FromSeconds(60)), pod.Output);
        Assert.Contains("--dport 23", pod.Execute("/usr/bin/fwctl", "rules", "show"), StringComparison.Ordinal);
        api.AssertNoMore();
        pod.Stop();
    }

    private static string Rules(string ports)
        => $"*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -p tcp -m tcp {ports} -j ACCEPT\nCOMMIT\n";
}
