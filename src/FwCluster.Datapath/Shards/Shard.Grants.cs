using FwCluster.Conntrack;
using FwCluster.Packets;

namespace FwCluster.Datapath.Shards;

/// <content>Who holds a connection.</content>
public sealed partial class Shard
{
    private readonly Dictionary<int, List<int>> _sharers = [];
    private int _ending = -1;

    /// <summary>The worker is gone: what it held is the shard's again, as it was last reported.</summary>
    public void HolderGone(int holder, long now)
    {
        _now = Math.Max(_now, now);
        foreach (var index in _table.Connections(_now))
        {
            if (_table[index].Grant == GrantKind.Exclusive && _table[index].Holder == holder) ComeHome(index);
            else if (_table[index].Grant == GrantKind.Shared && _sharers.TryGetValue(index, out var sharers)) sharers.Remove(holder);
        }
        foreach (var (key, wait) in _waits.Where(w => w.Value.Holder == holder && w.Value.Kind is ShardWaitKind.Return or ShardWaitKind.Confirmation).ToArray())
        {
            _waits.Remove(key);
            var track = wait.Track;
            // What it was to return has come home above.
            if (wait.Kind == ShardWaitKind.Confirmation && _table[track.Connection].Generation == wait.Generation) _table.Discard(ref track);
            Resume(key, wait);
        }
    }

    /// <summary>The holder does not tell what it saw last: windows that are as old as its last word would call what comes now INVALID, for good.</summary>
    private void ComeHome(int index)
    {
        _table[index].Grant = GrantKind.None;
        ConnectionTable.MakeLiberal(ref _table[index]);
        _table.Resume(index, _now);
        _table.PickUpHelper(index);
    }

    /// <summary>The holder gives the connection back.</summary>
    private void ComeHome(int index, in ShardRequest request)
    {
        _table.Update(index, in request.Entry);
        _table.LoadHelper(index, request.Helper);
        _table[index].Grant = GrantKind.None;
    }

    /// <summary>The holder asks about a packet that it may not decide, and gives the connection back with it. If it was being recalled, that is done too:
    /// the holder will have nothing to return.</summary>
    private void BringHome(int holder, in ShardRequest request)
    {
        var index = _table.Find(request.Tuple, request.Template, _now, out _);
        if (index < 0 || _table[index].Grant != GrantKind.Exclusive || _table[index].Holder != holder) return;
        ComeHome(index, in request);
        var key = FlowKey.Of(request.Tuple);
        if (!_waits.TryGetValue(key, out var wait) || wait.Kind != ShardWaitKind.Return || wait.Holder != holder) return;
        _waits.Remove(key);
        CountRecall(index, wait);
        Resume(key, wait);
    }

    private void CountRecall(int index, ShardWait wait)
    {
        if (wait.Behind.TryPeek(out var next) && next.Holder != wait.Holder && _table[index].Recalls < byte.MaxValue) _table[index].Recalls++;
    }

    private ShardWait Recall(int index)
    {
        ref readonly var entry = ref _table[index];
        var wait = new ShardWait
        {
            Kind = ShardWaitKind.Return, Number = ++_recalls, Holder = entry.Holder, Deadline = _now + Patience,
            Track = new TrackResult { Connection = index }, Generation = entry.Generation,
        };
        _waits.Add(FlowKey.Of(entry.Original), wait);
        Statistics.Recalled++;
        Tell(entry.Holder, ShardReplyKind.Recall, _recalls, in entry);
        return wait;
    }

    private void TakeBack(int holder, in ShardRequest request)
    {
        var key = FlowKey.Of(request.Tuple);
        if (!_waits.TryGetValue(key, out var wait) || wait.Kind != ShardWaitKind.Return || wait.Number != request.Id || wait.Holder != holder)
            return; // given up meanwhile
        _waits.Remove(key);
        var index = _table.Find(request.Tuple, request.Template, _now, out _);
        if (index >= 0)
        {
            CountRecall(index, wait);
            if (request.HasEntry) ComeHome(index, in request);
            else ComeHome(index);
        }
        Resume(key, wait);
    }

    private void TakeReport(int holder, in ShardRequest request)
    {
        var index = _table.Find(request.Tuple, request.Template, _now, out _);
        if (index < 0) return;
        ref var entry = ref _table[index];
        if (entry.Grant == GrantKind.Exclusive && entry.Holder == holder)
        {
            _table.Update(index, in request.Entry);
            entry.Expires = long.MaxValue;
        }
        else if (entry.Grant != GrantKind.Exclusive && request.Entry.Grant == GrantKind.Shared && entry.Recalls >= _settings.RecallsUntilShared)
        {
            Merge(index, in request.Entry); // also where it is no longer shared: what its worker had not told yet
        }
    }

    /// <summary>Adds what one of those who share a connection has seen of it.</summary>
    private void Merge(int index, in Connection seen)
    {
        ref var entry = ref _table[index];
        Add(ref entry.OriginalCounters, in seen.OriginalCounters);
        Add(ref entry.ReplyCounters, in seen.ReplyCounters);
        entry.Status |= seen.Status & ConnectionStatus.Assured; // a UDP stream may become so anywhere
        if (entry.Grant != GrantKind.Shared) return;
        // Who sees one direction of a TCP connection misses the acknowledgments: what its tracker says of time is too short.
        if (entry.Original.Protocol == IpProtocol.Tcp) _table.Resume(index, _now);
        else entry.Expires = Math.Max(entry.Expires, seen.Expires);
    }

    private void End(int holder, in ShardRequest request)
    {
        var index = _table.Find(request.Tuple, request.Template, _now, out _);
        if (index < 0) return;
        ref var entry = ref _table[index];
        if (request.Entry.Grant == GrantKind.Shared)
        {
            TakeReport(holder, in request);
            if (_sharers.TryGetValue(index, out var sharers)) sharers.Remove(holder);
            return;
        }
        if (entry.Grant != GrantKind.Exclusive || entry.Holder != holder) return;
        _ending = holder;
        _table.Remove(index);
        _ending = -1;
        // Whoever asked about it meanwhile begins anew. The recall that is on its way finds nothing, and its return nobody.
        var key = FlowKey.Of(request.Tuple);
        if (!_waits.TryGetValue(key, out var wait) || wait.Kind != ShardWaitKind.Return) return;
        _waits.Remove(key);
        Resume(key, wait);
    }

    /// <summary>Lets the worker have the connection, as far as it may.</summary>
    private void Grant(int holder, int index, ref ShardReply reply, bool mayGrant)
    {
        ref var entry = ref _table[index];
        if (entry.Grant == GrantKind.Shared && !ConnectionTable.MayBeShared(in entry)) EndSharing(index);
        if (!mayGrant) return;
        var grant = KindFor(in entry);
        if (grant == GrantKind.None) return;
        if (grant == GrantKind.Shared) Share(holder, index);
        else Statistics.Granted++;
        (entry.Grant, entry.Holder) = (grant, holder);
        reply.HasEntry = true;
        reply.Entry = entry;
        if (grant == GrantKind.Shared)
        {
            reply.Entry.OriginalCounters = reply.Entry.ReplyCounters = default; // it reports what it adds
            return;
        }
        if (entry.Helper != 0) reply.Helper = _table.SaveHelper(index);
        entry.Expires = long.MaxValue; // its holder knows
    }

    private GrantKind KindFor(in Connection entry)
    {
        if (!entry.IsConfirmed) return GrantKind.None;
        if (entry.Recalls >= _settings.RecallsUntilShared)
            return entry.Helper == 0 && ConnectionTable.MayBeShared(in entry) ? GrantKind.Shared : GrantKind.None;
        // Two workers met it while it began, as a handshake does that takes two ways: not to call each segment back.
        return entry.Recalls > 0 && !ConnectionTable.MayBeShared(in entry) ? GrantKind.None : GrantKind.Exclusive;
    }

    private void Share(int holder, int index)
    {
        if (_table[index].Grant != GrantKind.Shared)
        {
            Statistics.Shared++;
            ConnectionTable.MakeLiberal(ref _table[index]);
            _sharers[index] = [];
        }
        else if (_table[index].Original.Protocol == IpProtocol.Tcp)
        {
            _table.Resume(index, _now); // as Merge does, and for the same reason
        }
        var sharers = _sharers[index];
        if (!sharers.Contains(holder)) sharers.Add(holder);
    }

    private void EndSharing(int index)
    {
        ref var entry = ref _table[index];
        entry.Grant = GrantKind.None;
        if (!_sharers.Remove(index, out var sharers)) return;
        foreach (var sharer in sharers) Tell(sharer, ShardReplyKind.Revoke, 0, in entry);
    }

    /// <summary>An entry leaves the table: who holds it forgets it.</summary>
    private void EndGrants(int index)
    {
        ref readonly var entry = ref _table[index];
        if (entry.Grant == GrantKind.Shared) EndSharing(index);
        else if (entry.Grant == GrantKind.Exclusive && entry.Holder != _ending) Tell(entry.Holder, ShardReplyKind.Revoke, 0, in entry);
    }

    private void Tell(int holder, ShardReplyKind kind, uint id, in Connection entry)
    {
        var reply = new ShardReply { Kind = kind, Id = id, Tuple = entry.Original, Zone = entry.Zone, ZoneDirections = entry.ZoneDirections };
        _output.Reply(holder, in reply);
    }

    private static void Add(ref FlowCounters to, in FlowCounters from)
    {
        to.Packets += from.Packets;
        to.Bytes += from.Bytes;
    }
}
