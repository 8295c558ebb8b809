using System.Diagnostics.CodeAnalysis;

namespace FwCluster.Conntrack;

/// <summary>The SCTP part of an entry (<c>struct ip_ct_sctp</c>). Lies where <see cref="TcpTracking"/> does.</summary>
public struct SctpTracking
{
    /// <summary>Verification tag that packets of the original direction carry; 0 while it is not known.</summary>
    internal uint OriginalTag;

    /// <summary>Verification tag that packets of the reply direction carry; 0 while it is not known.</summary>
    internal uint ReplyTag;

    /// <summary>What was noted.</summary>
    internal SctpFlags Flags;

    /// <summary>Direction of the heartbeat that <see cref="SctpFlags.HeartbeatFailed"/> is about.</summary>
    internal Direction LastDirection;

    /// <summary>The state of the connection.</summary>
    public SctpState State { get; internal set; }

    /// <summary>The verification tag of one direction.</summary>
    [UnscopedRef]
    internal ref uint Tag(Direction direction)
    {
        if (direction == Direction.Original) return ref OriginalTag;
        return ref ReplyTag;
    }
}

/// <summary>What is noted of an association.</summary>
[Flags]
internal enum SctpFlags : byte
{
    None = 0,

    /// <summary>An INIT of the original direction awaits its COOKIE ACK.</summary>
    InitOriginal = 1,

    /// <summary>An INIT of the reply direction awaits its COOKIE ACK.</summary>
    InitReply = 2,

    /// <summary>A HEARTBEAT came with another tag than its connection's (SCTP_FLAG_HEARTBEAT_VTAG_FAILED): if the peer answers
    /// it, the association was restarted on another path.</summary>
    HeartbeatFailed = 4,
}
