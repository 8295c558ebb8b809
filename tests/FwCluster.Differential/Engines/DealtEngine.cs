using System.Diagnostics;
using FwCluster.Conntrack;
using FwCluster.Datapath;
using FwCluster.Datapath.Shards;
using FwCluster.Packets;
using FwCluster.Packets.Fragments;
using FwCluster.Referee;

namespace FwCluster.Differential.Engines;

/// <summary>How packets are dealt to workers.</summary>
public enum Dealing
{
    /// <summary>One after another.</summary>
    InTurn,

    /// <summary>At random.</summary>
    AtRandom,

    /// <summary>Each direction of a connection to a worker of its own.</summary>
    ByDirection,

    /// <summary>Both directions to one worker.</summary>
    ByConnection,

    /// <summary>At random, while shards move as well.</summary>
    AtRandomWhileShardsMove,
}

/// <summary>What became of a connection since several workers shared it.</summary>
public sealed class SharedPast
{
    /// <summary>The flags of all its segments since.</summary>
    public TcpFlags Flags { get; set; }

    /// <summary>The known difference that has let its trackers' entries go different ways.</summary>
    public string? Apart { get; set; }
}

/// <summary>The product's connection tracking, shared out: each packet meets one of several workers, and its connection lives in one of several shards.</summary>
/// <param name="dealing">How packets are dealt.</param>
/// <param name="workers">Workers.</param>
/// <param name="shards">Shards.</param>
/// <param name="shares">Let workers share a connection that several keep asking about, and be liberal about it.</param>
public sealed class DealtEngine(Dealing dealing, int workers = 3, int shards = 4, bool shares = false) : ITrackingEngine
{
    // A worker reports every 5 s that a shared connection lives.
    private static readonly TimeSpan ReportsWithin = TimeSpan.FromSeconds(6);

    private static readonly long Start = (DateTime.UtcNow - DateTime.UnixEpoch).Ticks * 100;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly Random _random = new(1);
    private DealtCluster? _cluster;
    private readonly Dictionary<FlowKey, SharedPast> _shared = [];
    private readonly Dictionary<FlowTuple, FlowCounters> _dealt = [];
    private Reassembler _reassembler = new();
    private int _turn;

    public string Name => $"workers dealt to {dealing}";

    /// <summary>The workers and shards.</summary>
    public DealtCluster Cluster => _cluster ?? throw new InvalidOperationException("reset it first");

    /// <summary>The connection of the packet that was dealt last, or that it quotes; null where the packet is still in pieces.</summary>
    public FlowKey? Last { get; private set; }

    /// <summary>What was dealt with this tuple.</summary>
    public FlowCounters Dealt(FlowTuple tuple) => _dealt.GetValueOrDefault(tuple);

    /// <summary>The connections that workers came to share, and what became of them.</summary>
    public IReadOnlyDictionary<FlowKey, SharedPast> Shared => _shared;

    /// <summary>What became of a connection since workers came to share it; null of one that they never did.</summary>
    public SharedPast? PastOf(FlowKey key) => _shared.TryGetValue(key, out var past) ? past : null;

    private long Now => Start + _clock.Elapsed.Ticks * 100;

    public void Reset(TrackingOptions options)
    {
        _shared.Clear();
        _dealt.Clear();
        _cluster = new DealtCluster(workers, shards, ConntrackEngine.Settings(options) with { AutomaticHelpers = true }, ConntrackEngine.Helpers,
            new ShardSettings { RecallsUntilShared = shares ? 2 : int.MaxValue });
    }

    public void Restart(TrackingOptions options)
    {
        var second = TimeSpan.FromSeconds(1); // as the kernel engine sets it
        _reassembler = new Reassembler(new ReassemblyOptions { IPv4Timeout = second, IPv6Timeout = second });
        Reset(options);
    }

    public TrackedState Send(ReadOnlySpan<byte> packet)
    {
        Last = null;
        if (_cluster is null) Restart(new TrackingOptions());
        if (PacketDecoder.Decode(packet, packet.Length, out var headers) != DecodeResult.Ok) return TrackedState.None;
        // Fragments of a packet pass one gateway: they are put together before they are dealt.
        switch (_reassembler.Add(headers, packet, Now, default, out var whole))
        {
            case FragmentResult.Held or FragmentResult.Dropped:
                return TrackedState.None;
            case FragmentResult.Whole:
                using (whole)
                {
                    return PacketDecoder.Decode(whole.Span, whole.WireLength, out headers) == DecodeResult.Ok ? Deal(headers, whole.Span) : TrackedState.None;
                }
            default:
                return Deal(headers, packet);
        }
    }

    public TrackingSnapshot Snapshot()
    {
        _cluster!.Report(ReportsWithin);
        var now = Now;
        var connections = new List<ConnectionSummary>();
        // Who holds a connection knows it best.
        foreach (var table in _cluster.Workers.Select(worker => worker.Connections))
            connections.AddRange(table.Connections(now).Where(index => table[index].Grant == GrantKind.Exclusive).Select(index => ConntrackEngine.Summary(table, ref table[index], now)));
        foreach (var table in _cluster.Shards.Select(shard => shard.Connections))
            connections.AddRange(table.Connections(now).Where(index => table[index].Grant != GrantKind.Exclusive).Select(index => ConntrackEngine.Summary(table, ref table[index], now)));
        var expectations = _cluster.Shards.SelectMany(shard => shard.Connections.Expectations(now).Select(e => ConntrackEngine.Summary(shard.Connections, e, now)));
        return new TrackingSnapshot([.. connections], [.. expectations]);
    }

    public void Dispose()
    {
        // Nothing but memory.
    }

    private TrackedState Deal(in PacketHeaders headers, ReadOnlySpan<byte> packet)
    {
        if (dealing == Dealing.AtRandomWhileShardsMove && _random.Next(8) == 0) _cluster!.Move(_random.Next(shards), Now);
        var outcome = _cluster!.Send(WorkerFor(in headers), packet, Now);
        if (shares) Note(in headers, packet);
        return outcome.Fate == PacketFate.TrackingDropped ? TrackedState.None : (TrackedState)outcome.State;
    }

    private void Note(in PacketHeaders headers, ReadOnlySpan<byte> packet)
    {
        Last = FlowKey.Of(ConnectionTable.TryReadQuote(in headers, packet, out var quoted) ? quoted : headers.Tuple);
        var key = FlowKey.Of(headers.Tuple);
        var dealt = _dealt.GetValueOrDefault(headers.Tuple);
        _dealt[headers.Tuple] = new FlowCounters { Packets = dealt.Packets + 1, Bytes = dealt.Bytes + (uint)headers.TotalLength };
        if (_shared.TryGetValue(key, out var past))
        {
            if (headers.Protocol == IpProtocol.Tcp) past.Flags |= headers.TcpFlags;
            return;
        }
        foreach (var table in _cluster!.Shards.Select(shard => shard.Connections))
        {
            var index = table.Find(headers.Tuple, 0, Now, out _);
            if (index >= 0 && table[index].Grant == GrantKind.Shared) _shared.Add(key, new SharedPast { Flags = headers.Protocol == IpProtocol.Tcp ? headers.TcpFlags : 0 });
        }
    }

    private int WorkerFor(in PacketHeaders headers) => dealing switch
    {
        Dealing.InTurn => _turn++ % workers,
        Dealing.AtRandom or Dealing.AtRandomWhileShardsMove => _random.Next(workers),
        Dealing.ByDirection => headers.Source < headers.Destination ? 0 : 1,
        _ => (int)((uint)HashCode.Combine(headers.Source < headers.Destination ? headers.Source : headers.Destination) % (uint)workers),
    };
}
