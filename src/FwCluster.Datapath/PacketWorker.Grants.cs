using FwCluster.Conntrack;
using FwCluster.Datapath.Shards;

namespace FwCluster.Datapath;

/// <content>Connections that shards have granted this worker: what it reports of them, and gives back.</content>
public sealed partial class PacketWorker
{
    // How often it is reported that a connection lives: every 5 s of a shared one, whose shard knows of its life by this alone, else every 30 s.
    private const long ReportEvery = 5_000_000_000;
    private const int RoundsOfShared = 6;

    private int _reportAt;
    private long _nextReport;
    private int _round;

    private int Adopt(in ShardReply granted)
    {
        ref readonly var entry = ref granted.Entry;
        var before = Connections.Find(entry.Original, Zone(in entry), _now, out _);
        if (before >= 0) LetGo(before);
        var index = Connections.Adopt(in entry);
        Connections.LoadHelper(index, granted.Helper);
        ref var mine = ref Connections[index];
        mine.Recalls = 0;
        mine.Holder = Summary(in mine);
        mine.MasterGeneration = Packets(in mine);
        return index;
    }

    /// <summary>Forgets a connection that is its shard's to tell from now on. What it has not told of a shared one it tells now.</summary>
    private void LetGo(int index)
    {
        ref readonly var entry = ref Connections[index];
        if (entry.Grant == GrantKind.Shared && Packets(in entry) > 0) Send(ShardRequestKind.Report, in entry);
        Connections.Surrender(index);
    }

    /// <summary>Somebody else asks about the connection: it goes back as it is.</summary>
    private void GiveBack(in ShardReply recall)
    {
        var zone = new ConnectionTemplate { Zone = recall.Zone, ZoneDirections = recall.ZoneDirections };
        var request = new ShardRequest { Kind = ShardRequestKind.Return, Id = recall.Id, Tuple = recall.Tuple, Template = zone };
        var index = Connections.Find(recall.Tuple, zone, _now, out _);
        if (index >= 0)
        {
            GiveBack(index, ref request);
        }
        _link!.TrySend(in request, default);
    }

    private void GiveBack(int index, ref ShardRequest request)
    {
        request.HasEntry = true;
        request.Entry = Connections[index];
        if (request.Entry.Helper != 0) request.Helper = Connections.SaveHelper(index);
        Connections.Surrender(index);
    }

    private void Forget(in ShardReply revoked)
    {
        var zone = new ConnectionTemplate { Zone = revoked.Zone, ZoneDirections = revoked.ZoneDirections };
        var index = Connections.Find(revoked.Tuple, zone, _now, out _);
        if (index >= 0) LetGo(index);
    }

    /// <summary>Tells the shard of what a packet has changed.</summary>
    private void Report(int index)
    {
        ref var entry = ref Connections[index];
        if (entry.Grant != GrantKind.Exclusive || entry.Holder == Summary(in entry)) return;
        entry.Holder = Summary(in entry);
        Send(ShardRequestKind.Report, in entry);
    }

    private void ReportEnd(int index)
    {
        ref readonly var entry = ref Connections[index];
        if (entry.Grant != GrantKind.None) Send(ShardRequestKind.End, in entry);
    }

    /// <summary>Says what nobody waits for, so that it goes when there is something else to say, or soon: who asks about a held connection has it recalled, as it is then.</summary>
    private void Send(ShardRequestKind kind, in Connection entry)
    {
        var request = new ShardRequest { Kind = kind, Tuple = entry.Original, Template = Zone(in entry), HasEntry = true, Entry = entry, CanWait = true };
        _link!.TrySend(in request, default);
    }

    private void Sweep(int budget)
    {
        Connections.Sweep(_now, budget);
        if (_link is null || (_reportAt == 0 && _now < _nextReport)) return;
        // A round of reports: some entries each time.
        if (_reportAt == 0)
        {
            _nextReport = _now + ReportEvery;
            _round++;
        }
        _reportAt = Connections.Visit(_reportAt, budget, ReportLife);
    }

    private void ReportLife(int index)
    {
        ref var entry = ref Connections[index];
        if (entry.Grant == GrantKind.Shared)
        {
            if (Packets(in entry) == 0) return;
            Send(ShardRequestKind.Report, in entry);
            entry.OriginalCounters = entry.ReplyCounters = default;
        }
        else if (entry.Grant == GrantKind.Exclusive && _round % RoundsOfShared == 0 && entry.MasterGeneration != Packets(in entry))
        {
            entry.MasterGeneration = Packets(in entry);
            Send(ShardRequestKind.Report, in entry);
        }
    }

    /// <summary>What a shard is told when it changes: states, status and mark. Kept in <see cref="Connection.Holder"/>, which only shards use.</summary>
    private static int Summary(in Connection entry) => HashCode.Combine(entry.Status, entry.Tcp.State, entry.SctpState, entry.Mark);

    private static uint Packets(in Connection entry) => (uint)(entry.OriginalCounters.Packets + entry.ReplyCounters.Packets);

    private static ConnectionTemplate Zone(in Connection entry) => new() { Zone = entry.Zone, ZoneDirections = entry.ZoneDirections };
}
