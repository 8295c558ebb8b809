using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FwCluster.Packets;

namespace FwCluster.Conntrack;

/// <summary>
/// One connection entry. Plain data of 192 bytes (three cache lines; a test asserts it), without references, in slabs of
/// <see cref="ConnectionTable"/>: a million connections are no work for the garbage collector, and an entry can be copied to
/// another node. Written only by the table that owns it.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct Connection
{
    // Immutable once made. There is no address translation: the reply tuple is always the original's inverse.

    /// <summary>The tuple of the original direction.</summary>
    public FlowTuple Original;

    // Mutable, first cache line: what every packet reads.

    /// <summary>When the entry ends unless a packet renews it, nanoseconds since the Unix epoch. Before the entry is confirmed:
    /// the timeout itself, as the kernel keeps it until <c>__nf_conntrack_confirm</c>.</summary>
    public long Expires;

    /// <summary>Next entry of the same bucket, or of the free list; -1 at the end. Owned by the table.</summary>
    internal int Next;

    /// <summary>Packet mark of the connection (<c>-j CONNMARK</c>).</summary>
    public uint Mark;

    /// <summary>Status bits.</summary>
    public ConnectionStatus Status;

    /// <summary>Conntrack zone (<c>-j CT --zone</c>), 0 by default.</summary>
    public ushort Zone;

    /// <summary>In which directions the zone counts.</summary>
    public ZoneDirections ZoneDirections;

    /// <summary>The helper's number in <see cref="ConnectionTable.Helpers"/>, plus one; 0 for none.</summary>
    public byte Helper;

    /// <summary>Number of the helper that expected this connection in <see cref="ConnectionTable.Helpers"/>, plus one; 0 where none did, or it was
    /// taken from its master before. Kept here as well as with the master, which may be in another table.</summary>
    public byte MasterHelper;

    /// <summary>Who decides this connection's packets.</summary>
    public GrantKind Grant;

    /// <summary>Per-protocol part of TCP; of SCTP where that is the protocol, see <see cref="Sctp"/>.</summary>
    public TcpTracking Tcp;

    // Third cache line.

    /// <summary>At the owner: how often the connection was called back from one holder because another one met it, 0 to 255.</summary>
    public byte Recalls;

    /// <summary>Packets and bytes of the original direction (bytes of the IP packets).</summary>
    public FlowCounters OriginalCounters;

    /// <summary>Packets and bytes of the reply direction.</summary>
    public FlowCounters ReplyCounters;

    /// <summary>When the first packet was accepted, nanoseconds since the Unix epoch.</summary>
    public long Started;

    /// <summary>UDP: when the first reply came plus two seconds; from then on the connection is a stream
    /// (<c>nf_conntrack_udp_packet</c>). Other protocols: unused.</summary>
    public long StreamAfter;

    /// <summary>Index of the connection whose helper expected this one, or -1. Valid while
    /// <see cref="MasterGeneration"/> is that entry's <see cref="Generation"/>.</summary>
    public int Master;

    /// <summary>Generation of the master when this connection began.</summary>
    public uint MasterGeneration;

    /// <summary>Counts the connections that have lived in this slot, so that a stale reference is seen to be one.</summary>
    public uint Generation;

    /// <summary>At the owner: who holds it, where <see cref="Grant"/> is <see cref="GrantKind.Exclusive"/>.</summary>
    public int Holder;

    /// <summary>The tuple of the reply direction.</summary>
    public readonly FlowTuple Reply => TupleInverse.Of(Original);

    /// <summary>The tuple of one direction.</summary>
    public readonly FlowTuple Tuple(Direction direction) => direction == Direction.Original ? Original : Reply;

    /// <summary>Per-protocol part of SCTP: the same bytes as <see cref="Tcp"/>, as in the kernel's <c>union
    /// nf_conntrack_proto</c>.
    /// </summary>
    [UnscopedRef]
    internal ref SctpTracking Sctp => ref Unsafe.As<TcpTracking, SctpTracking>(ref Tcp);

    /// <summary>State of an SCTP connection; <see cref="SctpState.None"/> for other protocols.</summary>
    public readonly SctpState SctpState => Original.Protocol == IpProtocol.Sctp
        ? Unsafe.As<TcpTracking, SctpTracking>(ref Unsafe.AsRef(in Tcp)).State
        : SctpState.None;

    /// <summary>Moves the end of the entry and counts the packet (<c>nf_ct_refresh_acct</c>).</summary>
    internal void Refresh(long timeout, long now, Direction direction, int bytes)
    {
        if ((Status & ConnectionStatus.FixedTimeout) == 0) Expires = IsConfirmed ? now + timeout : timeout;
        Count(direction, bytes);
    }

    /// <summary>Counts a packet (<c>nf_ct_acct_update</c>).</summary>
    internal void Count(Direction direction, int bytes)
    {
        if (direction == Direction.Original)
        {
            OriginalCounters.Packets++;
            OriginalCounters.Bytes += (uint)bytes;
        }
        else
        {
            ReplyCounters.Packets++;
            ReplyCounters.Bytes += (uint)bytes;
        }
    }

    /// <summary>True once the entry is in the table.</summary>
    public readonly bool IsConfirmed => (Status & ConnectionStatus.Confirmed) != 0;
}

/// <summary>Packets and bytes of one direction.</summary>
public struct FlowCounters
{
    /// <summary>Packets.</summary>
    public ulong Packets;

    /// <summary>Bytes of the IP packets, headers included.</summary>
    public ulong Bytes;
}

/// <summary>In which directions of a connection its zone counts (<c>--zone</c>, <c>--zone-orig</c>,
/// <c>--zone-reply</c>).</summary>
[Flags]
public enum ZoneDirections : byte
{
    /// <summary>No zone was given.</summary>
    None = 0,

    /// <summary>The original direction.</summary>
    Original = 1,

    /// <summary>The reply direction.</summary>
    Reply = 2,

    /// <summary>Both.</summary>
    Both = 3,
}

/// <summary>What the owner of a connection lets another table decide by itself.</summary>
public enum GrantKind : byte
{
    /// <summary>Nothing: the owner decides each packet.</summary>
    None,

    /// <summary>Everything: one holder has the connection, tracker and all, until it ends or is called back.</summary>
    Exclusive,

    /// <summary>Packets that do not begin or end it: several holders pass them, liberal about windows; what begins or ends a TCP connection is
    /// the owner's to decide.</summary>
    Shared,
}
