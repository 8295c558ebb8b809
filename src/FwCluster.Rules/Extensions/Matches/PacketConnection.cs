using FwCluster.Conntrack;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary>What <c>nf_ct_get</c> finds at a packet.</summary>
internal enum PacketConnectionKind : byte
{
    /// <summary>Nothing: not tracked yet, INVALID, or UNTRACKED.</summary>
    None,

    /// <summary>The template that a CT target of the raw table has put there: an entry without addresses.</summary>
    Template,

    /// <summary>The packet's connection.</summary>
    Entry,
}

/// <summary>What the kernel's <c>skb-&gt;_nfct</c> says, also in the raw table, where only CT targets have written to it.</summary>
internal static class PacketConnection
{
    /// <summary>What the packet carries.</summary>
    public static PacketConnectionKind Kind(in PacketContext packet)
        => packet.Track.State == ConntrackState.None
            ? packet.Template is { IsSet: true, NoTrack: false } ? PacketConnectionKind.Template : PacketConnectionKind.None
            : packet.Track.State is ConntrackState.Invalid or ConntrackState.Untracked || packet.Track.Connection < 0
                ? PacketConnectionKind.None
                : PacketConnectionKind.Entry;

    /// <summary>The state that rules see: in the raw table INVALID, until a CT target makes it UNTRACKED or, with a template, NEW.</summary>
    public static ConntrackState State(in PacketContext packet)
        => packet.Track.State != ConntrackState.None ? packet.Track.State
            : !packet.Template.IsSet ? ConntrackState.Invalid
            : packet.Template.NoTrack ? ConntrackState.Untracked : ConntrackState.New;
}
