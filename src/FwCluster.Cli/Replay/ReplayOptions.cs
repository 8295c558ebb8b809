using System.Collections.Immutable;
using FwCluster.Conntrack;
using FwCluster.Conntrack.Helpers;
using FwCluster.Datapath;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Cli.Replay;

/// <summary>What <c>fwctl replay</c> was asked for, checked.</summary>
internal sealed record ReplayOptions
{
    /// <summary>The capture's path; <c>-</c> for the standard input.</summary>
    public required string Capture { get; init; }

    /// <summary>The IPv4 rule file (or, as command lines, of both families); null for none.</summary>
    public string? Rules { get; init; }

    /// <summary>The IPv6 rule file; null for none.</summary>
    public string? Rules6 { get; init; }

    /// <summary>The file with the sets' content; null for none.</summary>
    public string? Sets { get; init; }

    /// <summary>Go on from the counters in the rule files, as <c>iptables-restore -c</c>.</summary>
    public bool KeepCounters { get; init; }

    /// <summary>The host's addresses.</summary>
    public required ImmutableArray<HostAddress> Local { get; init; }

    /// <summary>The interface name that incoming packets have for rules; empty for none.</summary>
    public InterfaceName InInterface { get; init; }

    /// <summary>The interface name that outgoing packets have for rules; empty for none.</summary>
    public InterfaceName OutInterface { get; init; }

    /// <summary>The helpers.</summary>
    public required IReadOnlyList<ConnectionHelper> Helpers { get; init; }

    /// <summary>Limits and timeouts.</summary>
    public required ConntrackSettings Settings { get; init; }

    /// <summary>The tables to list.</summary>
    public required ImmutableArray<TableId> Tables { get; init; }

    /// <summary>Print a line a packet.</summary>
    public bool Packets { get; init; }

    /// <summary>Print the connections that are left.</summary>
    public bool Connections { get; init; }

    /// <summary>Print the expectations that are left.</summary>
    public bool Expectations { get; init; }

    /// <summary>Print JSON instead of text.</summary>
    public bool Json { get; init; }

    /// <summary>Where the annotated capture goes; null for nowhere.</summary>
    public string? Annotate { get; init; }

    /// <summary>True where nothing but the chains was asked for.</summary>
    public bool ListsChains => !Packets && !Connections && !Expectations;
}
