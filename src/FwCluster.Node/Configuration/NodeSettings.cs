using System.Net;
using FwCluster.Capture.Divert;
using FwCluster.Capture.Drops;
using FwCluster.Cluster;
using FwCluster.Conntrack;
using FwCluster.Conntrack.Helpers;
using FwCluster.Control.Rulesets;
using Microsoft.Extensions.Logging;

namespace FwCluster.Node.Configuration;

/// <summary>What the daemon runs by. Checked: <see cref="SettingsReader"/> makes none that is wrong. What each means stands in
/// <c>fwclusterd.yaml</c>.</summary>
public sealed record NodeSettings
{
    /// <summary>Where packets come from.</summary>
    public required NodeMode Mode { get; init; }

    /// <summary>The IPv4 rules' file, or null.</summary>
    public required string? RulesIPv4 { get; init; }

    /// <summary>The IPv6 rules' file, or null.</summary>
    public required string? RulesIPv6 { get; init; }

    /// <summary>The sets' file, or null.</summary>
    public required string? Sets { get; init; }

    /// <summary>Changes of these files are applied through the control plane.</summary>
    public required bool FollowsRules { get; init; }

    /// <summary>What Kubernetes is told of them; null where nothing is.</summary>
    public required KubernetesSettings? Kubernetes { get; init; }

    /// <summary>Packets that may wait in the kernel.</summary>
    public required int QueueLength { get; init; }

    /// <summary>Packets pass undecided while the daemon is down or has too much to do.</summary>
    public required bool FailOpen { get; init; }

    /// <summary>How packets are led to the queue.</summary>
    public required DivertSettings Divert { get; init; }

    /// <summary>The interfaces of the mirror.</summary>
    public required IReadOnlyList<string> MirrorInterfaces { get; init; }

    /// <summary>Bytes of the mirror's buffer, each interface's.</summary>
    public required int MirrorBufferBytes { get; init; }

    /// <summary>The helpers that attach by themselves, as the list was written.</summary>
    public required IReadOnlyList<ConnectionHelper> Helpers { get; init; }

    /// <summary>Limits and timeouts of tracking.</summary>
    public required ConntrackSettings Tracking { get; init; }

    /// <summary>The cluster it is a node of; null for none.</summary>
    public required ClusterSettings? Cluster { get; init; }

    /// <summary>What is logged.</summary>
    public required LogLevel LogLevel { get; init; }

    /// <summary>JSON lines instead of text.</summary>
    public required bool LogJson { get; init; }

    /// <summary>Lines of LOG and NFLOG rules that may wait for the log.</summary>
    public required int LogPacketsWaiting { get; init; }

    /// <summary>Where dropped packets are written, or null.</summary>
    public required DropSettings? Drops { get; init; }

    /// <summary>The state's Unix socket, or null.</summary>
    public required string? StateSocket { get; init; }

    /// <summary>Who is told what is counted.</summary>
    public required TelemetrySettings Telemetry { get; init; }

    /// <summary>Where the health service for probes listens, or null.</summary>
    public required IPEndPoint? HealthListen { get; init; }

    /// <summary>It takes packets: alone, or with the role capture in a cluster.</summary>
    public bool HasPorts => Cluster is null || Cluster.Roles.Contains(ClusterRoles.Capture);

    /// <summary>The control plane, or null.</summary>
    public required ControlPlaneSettings? Control { get; init; }

    /// <summary>The rules that the control plane has in force; null where the rule files say them.</summary>
    public InForce? Applied { get; init; }

    /// <summary>The file they came from, or null for the defaults.</summary>
    public required string? File { get; init; }

    /// <summary>Each setting's path and value, as text.</summary>
    public required IReadOnlyDictionary<string, string> Texts { get; init; }

    /// <summary>The settings that differ from those it runs by and that need a restart, by path.</summary>
    public IEnumerable<string> NeedingRestart(NodeSettings running)
    {
        ArgumentNullException.ThrowIfNull(running);
        foreach (var path in Texts.Keys.Union(running.Texts.Keys).Order(StringComparer.Ordinal))
        {
            var isSame = string.Equals(Texts.GetValueOrDefault(path), running.Texts.GetValueOrDefault(path), StringComparison.Ordinal);
            if (!isSame && !Reloaded.Any(prefix => path.StartsWith(prefix, StringComparison.Ordinal))) yield return path;
        }
        foreach (var helper in Helpers)
            if (helper.Ports.Count > 0 && running.Helpers.Any(h => h.Name == helper.Name && !h.Ports.SequenceEqual(helper.Ports)))
                yield return $"tracking.helpers (ports of {helper.Name})";
    }

    /// <summary>What SIGHUP changes. Helpers come and go; their ports do not change.</summary>
    private static readonly string[] Reloaded = ["rules.ipv4", "rules.ipv6", "rules.sets", "tracking.helpers", "log.level", "log.packets-waiting", "drops."];
}

/// <summary>Where packets come from, and whether verdicts count.</summary>
public enum NodeMode
{
    /// <summary>Copies from interfaces: decided and counted, nothing enforced.</summary>
    Mirror,

    /// <summary>From a netfilter queue: enforced.</summary>
    Inline,
}
