using FwCluster.Packets;

namespace FwCluster.Referee.Netlink;

/// <summary>An entry of the kernel's connection table, as ctnetlink dumps it.</summary>
public sealed record KernelConnection
{
    /// <summary>The tuple of the original direction.</summary>
    public FlowTuple Original { get; init; }

    /// <summary>The tuple of the reply direction.</summary>
    public FlowTuple Reply { get; init; }

    /// <summary>The <c>IPS_*</c> bits.</summary>
    public uint Status { get; init; }

    /// <summary>Seconds until it expires, rounded down.</summary>
    public uint TimeoutSeconds { get; init; }

    /// <summary>Packets and bytes (IP header included) of the original direction.</summary>
    public (ulong Packets, ulong Bytes) OriginalCounters { get; init; }

    /// <summary>Packets and bytes of the reply direction.</summary>
    public (ulong Packets, ulong Bytes) ReplyCounters { get; init; }

    /// <summary>The connection mark.</summary>
    public uint Mark { get; init; }

    /// <summary><c>TCP_CONNTRACK_*</c>: 0 NONE, 1 SYN_SENT, 2 SYN_RECV, 3 ESTABLISHED, 4 FIN_WAIT, 5 CLOSE_WAIT, 6 LAST_ACK, 7 TIME_WAIT,
    /// 8 CLOSE, 9 SYN_SENT2; -1 for other protocols.</summary>
    public int TcpState { get; init; } = -1;

    /// <summary>Window scale and <c>IP_CT_TCP_FLAG_*</c> of the original sender.</summary>
    public (byte Scale, byte Flags) OriginalTcp { get; init; }

    /// <summary>Window scale and flags of the replying side.</summary>
    public (byte Scale, byte Flags) ReplyTcp { get; init; }

    /// <summary>The helper's name, or null.</summary>
    public string? Helper { get; init; }

    /// <summary>The original tuple of the connection that expected this one.</summary>
    public FlowTuple? Master { get; init; }

    /// <summary>True once a reply was seen (<c>IPS_SEEN_REPLY</c>).</summary>
    public bool SeenReply => (Status & 2) != 0;

    /// <summary>True where it survives early drop (<c>IPS_ASSURED</c>).</summary>
    public bool Assured => (Status & 4) != 0;

    public override string ToString()
        => $"{Original.Protocol} {TimeoutSeconds} tcp={TcpState} {KernelTuple.Describe(Original)} packets={OriginalCounters.Packets} "
            + $"bytes={OriginalCounters.Bytes}{(SeenReply ? "" : " [UNREPLIED]")} reply packets={ReplyCounters.Packets} "
            + $"bytes={ReplyCounters.Bytes}{(Assured ? " [ASSURED]" : "")}{(Helper is null ? "" : " helper=" + Helper)}"
            + (Master is { } master ? " master: " + KernelTuple.Describe(master) : "");
}
