using FwCluster.Conntrack.Sctp;
using FwCluster.Conntrack.Tcp;
using FwCluster.Packets;

namespace FwCluster.Conntrack;

/// <content>How entries begin and end.</content>
public sealed partial class ConnectionTable
{
    /// <summary>Entries among which one to drop early is looked for. The kernel looks in eight buckets (NF_CT_EVICTION_RANGE), and has as many
    /// buckets as entries, each of them in two: by its original tuple, and by its reply.</summary>
    private const int EvictionRange = 16;

    /// <summary>Entries that one refused connection costs at most (GC_SCAN_EXPIRED_MAX of a kernel with 250 ticks a second).</summary>
    private const int PressureBudget = 256;

    private int _sweepAt;

    /// <summary>Slots that are still to be swept under pressure: all of them once, from when a connection was refused.</summary>
    private int _underPressure;

    /// <summary>Entries that may still go under that pressure before somebody else is refused.</summary>
    private int _mayGoUnderPressure;

    /// <summary>The table had to refuse a connection lately, and <see cref="Sweep"/> makes room.</summary>
    public bool IsUnderPressure => _underPressure > 0 && _mayGoUnderPressure > 0;

    /// <summary>Removes entries whose time is over, looking at <paramref name="budget"/> slots at most, and going on there next time. Where
    /// the table is 95 % full or more and had to refuse a connection, closing and unassured ones go too: in one pass, and a few for each
    /// refused one (<c>gc_worker</c>).</summary>
    /// <returns>How many were removed.</returns>
    public int Sweep(long now, int budget)
    {
        var removed = 0;
        for (var looked = Math.Min(budget, _store.Capacity); looked > 0; looked--)
        {
            if (_sweepAt >= _store.Capacity)
            {
                _sweepAt = 0;
                _expectations.Sweep(now);
            }
            var index = _sweepAt++;
            var isUnderPressure = IsUnderPressure;
            if (isUnderPressure) _underPressure--;
            ref var connection = ref _store[index];
            if (!IsInTable(connection)) continue;
            if (connection.Expires > now)
            {
                if (!isUnderPressure || _store.Linked < Settings.MaxEntries / 100L * 95 || !MayGoEarly(connection)) continue;
                Statistics.CountEarlyDrop();
                _mayGoUnderPressure--;
            }
            Remove(index);
            removed++;
        }
        return removed;
    }

    private static bool IsInTable(in Connection connection)
        => (connection.Status & (ConnectionStatus.Confirmed | ConnectionStatus.Dying)) == ConnectionStatus.Confirmed;

    private static bool MayGoEarly(in Connection connection)
        => (connection.Status & ConnectionStatus.Assured) == 0
            || (connection.Original.Protocol == IpProtocol.Tcp && TcpTracker.IsClosing(connection.Tcp.State))
            || SctpTracker.IsClosing(connection.SctpState);

    /// <summary>Finds an entry; one whose time is over is removed on the way.</summary>
    private int FindLiving(in FlowTuple tuple, int bucket, ushort originalZone, ushort replyZone, long now, out Direction direction)
    {
        while (true)
        {
            var index = _store.Find(tuple, bucket, originalZone, replyZone, out direction);
            if (index < 0 || _store[index].Expires > now) return index;
            Remove(index);
        }
    }

    /// <summary>Makes the entry that a first packet begins (<c>init_conntrack</c>), not yet in the table.</summary>
    private bool Begin(in FlowTuple tuple, int bucket, in ConnectionTemplate template, long now, ref TrackResult result)
    {
        if (tuple.Protocol is IpProtocol.Icmp or IpProtocol.IcmpV6 && Icmp.IcmpTypes.Answer(tuple.Protocol, tuple.IcmpType) < 0)
        {
            result = Fail(result, TrackFailure.IcmpType);
            return false;
        }
        if (_store.Allocated >= Settings.MaxEntries && !DropEarly(bucket, now))
        {
            (_underPressure, _mayGoUnderPressure) = (_store.Capacity, PressureBudget);
            result.Drop = true;
            result = Fail(result, TrackFailure.TableFull);
            return false;
        }

        var index = _store.Allocate();
        ref var connection = ref _store[index];
        connection.Original = tuple;
        connection.Zone = template.Zone;
        connection.ZoneDirections = template.ZoneDirections;
        result.Connection = index;
        result.Direction = Direction.Original;
        result.IsUnconfirmed = true;

        if (IsExpected(ref connection, template, now))
        {
            connection.Status |= ConnectionStatus.Expected;
            Statistics.CountExpectationMatch();
        }
        else if (template.Helper != 0)
        {
            connection.Helper = template.Helper;
            connection.Status |= ConnectionStatus.HelperFromRule;
        }
        else if (Settings.AutomaticHelpers)
        {
            _helperByPort.TryGetValue((uint)tuple.Protocol << 16 | tuple.DestinationPort, out connection.Helper);
        }
        if (connection.Helper != 0 && !_isLoaded[connection.Helper - 1]) connection.Helper = 0;
        return true;
    }

    /// <summary>Takes the expectation that a first packet meets, and from the master what its connection inherits.</summary>
    private bool IsExpected(ref Connection connection, in ConnectionTemplate template, long now)
    {
        if (ClaimedExpectations is { } claimed)
        {
            if (claimed(connection.Original) is not { } granted) return false;
            (connection.MasterHelper, connection.Mark, connection.Helper) = (granted.MasterHelper, granted.Mark, granted.Helper);
            return true;
        }
        if (_expectations.Count == 0
            || _expectations.Claim(connection.Original, ZoneOf(template, ZoneDirections.Original), now) is not { } expectation)
            return false;
        ref var master = ref _store[expectation.Master];
        (connection.Master, connection.MasterGeneration) = (expectation.Master, master.Generation);
        (connection.MasterHelper, connection.Mark, connection.Helper) = (master.Helper, master.Mark, expectation.Helper);
        return true;
    }

    /// <summary>Makes room: in the tuple's bucket and those behind it, entries that are not assured go, the first bucket that has any being
    /// enough. Those whose time is over go on the way, and do not count: where there is nothing else, the room is the next one's
    /// (<c>early_drop</c>).</summary>
    private bool DropEarly(int bucket, long now)
    {
        var buckets = Math.Min(_store.BucketCount, EvictionRange * (long)_store.BucketCount / Settings.MaxEntries);
        for (var i = 0; i < buckets; i++)
        {
            var dropped = 0;
            for (var index = _store.First((bucket + i) & (_store.BucketCount - 1)); index >= 0;)
            {
                ref var connection = ref _store[index];
                var next = connection.Next;
                var expired = connection.Expires <= now;
                if (expired || (connection.Status & ConnectionStatus.Assured) == 0)
                {
                    Remove(index);
                    if (!expired)
                    {
                        Statistics.CountEarlyDrop();
                        dropped++;
                    }
                }
                index = next;
            }
            if (dropped > 0) return true;
        }
        return false;
    }

    /// <summary>Takes an entry out of the table; its slot can still be read.</summary>
    private void Unlink(int index)
    {
        ref var connection = ref _store[index];
        Removing?.Invoke(index);
        _store.Unlink(index);
        connection.Status |= ConnectionStatus.Dying;
        if (connection.Helper != 0) _expectations.Forget(index);
        Statistics.CountRemoved();
        Events?.Ended(index, in connection);
    }

    /// <summary>The packet is done: a slot that only it still used is given back.</summary>
    private void Release(ref TrackResult result)
    {
        if (result.Connection < 0) return;
        ref var connection = ref _store[result.Connection];
        if (!result.IsUnconfirmed && (connection.Status & ConnectionStatus.Dying) == 0) return;
        // Also of one that this packet has ended: its helper has read the packet since (destroy_conntrack cleans up once more, too).
        if (connection.Helper != 0) _expectations.Forget(result.Connection);
        _store.Free(result.Connection);
        result.Connection = -1;
        result.IsUnconfirmed = false;
    }
}
