using FwCluster.Packets;

namespace FwCluster.Conntrack;

/// <content>Connections that one table owns and another one holds.</content>
public sealed partial class ConnectionTable
{
    /// <summary>Told of every entry that leaves the table, for whatever reason, while it can still be read; null for nobody.</summary>
    public Action<int>? Removing { get; set; }

    /// <summary>Where a first packet's expectation comes from, if not from this table alone: what was claimed for a connection of this tuple, or null.
    /// Null itself for a table whose own expectations are all there are.</summary>
    public Func<FlowTuple, ClaimedExpectation?>? ClaimedExpectations { get; set; }

    /// <summary>Told of every expectation that a helper notes; null for nobody.</summary>
    public Action<Expectation>? Expecting { get; set; }

    /// <summary>Told of every expectation that goes: met, over, or its master gone; null for nobody.</summary>
    public Action<Expectation>? ExpectationGone
    {
        get => _expectations.Gone;
        set => _expectations.Gone = value;
    }

    /// <summary>Asked before an expectation is noted: is there another table's that some packet would meet as well? Then it is not
    /// (<c>expect_clash</c>). Null where there is no other table.</summary>
    public Func<Expectation, bool>? IsExpectedElsewhere
    {
        get => _expectations.IsTakenElsewhere;
        set => _expectations.IsTakenElsewhere = value;
    }

    /// <summary>What the connection's helper remembers, for another table.</summary>
    /// <returns>The bytes; empty where there is no helper, or nothing to remember.</returns>
    public byte[] SaveHelper(int index)
    {
        var helper = _store[index].Helper;
        return helper == 0 ? [] : Helpers[helper - 1].Save(_expectations.HelperState(index));
    }

    /// <summary>Has the connection's helper remember what another table's did.</summary>
    public void LoadHelper(int index, ReadOnlySpan<byte> saved)
    {
        var helper = _store[index].Helper;
        if (helper != 0 && !saved.IsEmpty && Helpers[helper - 1].Load(saved) is { } state) _expectations.HelperState(index) = state;
    }

    /// <summary>Whoever held the connection is gone without having told what it saw last: its helper goes on with what comes
    /// (<see cref="Helpers.ConnectionHelper.PickUp"/>).</summary>
    public void PickUpHelper(int index)
    {
        var helper = _store[index].Helper;
        if (helper == 0) return;
        ref var state = ref _expectations.HelperState(index);
        state = Helpers[helper - 1].PickUp(state);
    }

    /// <summary>Takes over an expectation from another table, whose master is in this one.</summary>
    /// <param name="expectation">What is expected, by this table's index of its master.</param>
    /// <param name="expires">When it ends, nanoseconds since the Unix epoch.</param>
    public void AdoptExpectation(Expectation expectation, long expires)
    {
        ArgumentNullException.ThrowIfNull(expectation);
        expectation.Expires = expires;
        _expectations.Adopt(expectation);
    }

    /// <summary>Takes an expectation for a connection elsewhere that it was claimed for.</summary>
    /// <param name="expectation">The expectation, noted in this table and not gone since.</param>
    /// <param name="now">Nanoseconds since the Unix epoch.</param>
    /// <returns>What the connection inherits; null where the expectation's time is over.</returns>
    public ClaimedExpectation? Claim(Expectation expectation, long now)
    {
        ArgumentNullException.ThrowIfNull(expectation);
        if (expectation.Expires <= now)
        {
            _expectations.Remove(expectation);
            return null;
        }
        ref var master = ref _store[expectation.Master];
        var claimed = new ClaimedExpectation(master.Mark, master.Helper, expectation.Helper);
        if (!expectation.Permanent) _expectations.Remove(expectation);
        return claimed;
    }

    /// <summary>Takes over a confirmed connection from another table.</summary>
    /// <param name="entry">The connection as that table had it; its end by this one's clock.</param>
    /// <returns>Its index here.</returns>
    public int Adopt(in Connection entry)
    {
        var index = Borrow(in entry);
        _store.Link(index);
        return index;
    }

    /// <summary>Makes a connection of another table readable, without its being in this one: it is not found, and goes with <see cref="GiveBack"/>.</summary>
    public int Borrow(in Connection entry)
    {
        var index = _store.Allocate();
        ref var slot = ref _store[index];
        var generation = slot.Generation;
        slot = entry;
        slot.Generation = generation;
        slot.Next = slot.Master = -1; // places in the other table
        return index;
    }

    /// <summary>Gives the place of a borrowed connection back.</summary>
    public void GiveBack(int index) => _store.Free(index);

    /// <summary>Takes a connection out of this table for another one: nobody is told, and what it expects goes with it.</summary>
    public void Surrender(int index)
    {
        _store.Unlink(index);
        if (_store[index].Helper != 0) _expectations.Forget(index);
        _store.Free(index);
    }

    /// <summary>Writes what another table has made of a connection of this one over it: everything but what is this table's own (its place, its
    /// helper and master, who holds it).</summary>
    public void Update(int index, in Connection entry)
    {
        ref var mine = ref _store[index];
        (mine.Expires, mine.Mark, mine.Tcp, mine.StreamAfter) = (entry.Expires, entry.Mark, entry.Tcp, entry.StreamAfter);
        (mine.OriginalCounters, mine.ReplyCounters) = (entry.OriginalCounters, entry.ReplyCounters);
        mine.Status = entry.Status & ~ConnectionStatus.Dying;
    }

    /// <summary>Shows some of the entries to somebody who may remove the one he is shown.</summary>
    /// <param name="from">The place to begin at, from 0.</param>
    /// <param name="budget">Places to look at.</param>
    /// <param name="visit">Called with the index of each entry found.</param>
    /// <returns>Where to go on; 0 after the last.</returns>
    public int Visit(int from, int budget, Action<int> visit)
    {
        ArgumentNullException.ThrowIfNull(visit);
        var end = Math.Min(_store.Capacity, from + budget);
        for (var index = from; index < end; index++)
        {
            if (IsInTable(_store[index])) visit(index);
        }
        return end < _store.Capacity ? end : 0;
    }

    /// <summary>From now on several tables pass the connection's packets, and this one sees but what begins and ends it: windows and the exact numbers
    /// of resets, which need every segment, are no longer asked for.</summary>
    public static void MakeLiberal(ref Connection connection)
    {
        if (connection.Original.Protocol != IpProtocol.Tcp) return;
        ref var tcp = ref connection.Tcp;
        tcp.Original.Flags = (tcp.Original.Flags | TcpWindowFlags.BeLiberal) & ~TcpWindowFlags.MaxAckSet;
        tcp.Reply.Flags = (tcp.Reply.Flags | TcpWindowFlags.BeLiberal) & ~TcpWindowFlags.MaxAckSet;
    }

    /// <summary>True where the packets of the connection may be passed by several tables: both ends have spoken, and nobody has begun to close it.</summary>
    public static bool MayBeShared(in Connection connection)
        => (connection.Status & ConnectionStatus.SeenReply) != 0
            && connection.Original.Protocol switch
            {
                IpProtocol.Tcp => connection.Tcp.State == TcpState.Established && (connection.Status & ConnectionStatus.Assured) != 0,
                IpProtocol.Sctp => false,
                _ => true,
            };

    /// <summary>When a connection ends whose holder is gone without having told: as if its last packet had come now.</summary>
    public void Resume(int index, long now)
    {
        ref var connection = ref _store[index];
        connection.Expires = now + (connection.Original.Protocol switch
        {
            IpProtocol.Tcp => _tcp.TimeoutOf(connection.Tcp.State),
            IpProtocol.Udp or IpProtocol.UdpLite => _udp.TimeoutOf(connection),
            IpProtocol.Sctp => _sctp.TimeoutOf(connection.SctpState),
            IpProtocol.Icmp or IpProtocol.IcmpV6 => _icmp.TimeoutOf(connection),
            _ => _generic.TimeoutOf(connection),
        });
    }

    /// <summary>True where a packet of a connection that is here is the owner's to decide: it begins or ends something of a shared one, or its helper
    /// might announce something.</summary>
    private bool IsForOwner(in TrackResult found, ref readonly PacketHeaders headers, ReadOnlySpan<byte> packet, long now)
    {
        ref var connection = ref _store[found.Connection];
        if (connection.Helper != 0)
        {
            var helper = Helpers[connection.Helper - 1];
            if (helper.Protocol != headers.Protocol) return false;
            var call = CallFor(ref connection, found with { State = StateOf(in connection, found.Direction) }, in headers, packet, now);
            return helper.MayExpect(in call);
        }
        return connection.Grant == GrantKind.Shared && headers.Protocol == IpProtocol.Tcp
            && (headers.TcpFlags & (TcpFlags.Syn | TcpFlags.Fin | TcpFlags.Rst)) != 0;
    }
}

/// <summary>What an expected connection inherits from its master.</summary>
/// <param name="Mark">The master's mark.</param>
/// <param name="MasterHelper">The master's helper: its number in <see cref="ConnectionTable.Helpers"/>, plus one.</param>
/// <param name="Helper">The connection's own helper, likewise; 0 for none.</param>
public readonly record struct ClaimedExpectation(uint Mark, byte MasterHelper, byte Helper);
