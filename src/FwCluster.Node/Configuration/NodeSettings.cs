using FwCluster.Capture.Divert;
using FwCluster.Conntrack;
using FwCluster.Conntrack.Helpers;
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

    /// <summary>The netfilter queue's number.</summary>
    public required int QueueNumber { get; init; }

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

    /// <summary>What is logged.</summary>
    public required LogLevel LogLevel { get; init; }

    /// <summary>JSON lines instead of text.</summary>
    public required bool LogJson { get; init; }

    /// <summary>The state's Unix socket, or null.</summary>
    public required string? StateSocket { get; init; }

    /// <summary>The file they came from, or null for the defaults.</summary>
    public required string? File { get; init; }
}

/// <summary>Where packets come from, and whether verdicts count.</summary>
public enum NodeMode
{
    /// <summary>Copies from interfaces: decided and counted, nothing enforced.</summary>
    Mirror,

    /// <summary>From a netfilter queue: enforced.</summary>
    Inline,
}
