using System.Collections.Concurrent;
using FwCluster.Conntrack;
using FwCluster.Conntrack.Helpers;
using FwCluster.Control.Nodes;
using FwCluster.Node.Live;

namespace FwCluster.Node.Control;

/// <summary>The tables of a gateway: one worker's, or what workers hold and the shards that run here.</summary>
internal sealed class GatewayTables
{
    private readonly ConcurrentDictionary<int, ITableAccess> _shards = [];
    private readonly Gateway _gateway;
    private readonly ITableAccess[] _workers;

    private readonly IReadOnlyList<ConnectionHelper> _helpers;

    public GatewayTables(Gateway gateway, IReadOnlyList<ConnectionHelper> helpers)
    {
        (_gateway, _helpers) = (gateway, helpers);
        _workers = gateway.Shards is null
            ? [new WorkerTable(gateway.Lanes[0].Loop, 0)]
            : [.. gateway.Lanes.Select(lane => new HeldTable(lane.Loop))];
    }

    /// <summary>The tables that are here now. A shard that was elsewhere meanwhile has another table.</summary>
    public IReadOnlyList<ITableAccess> Now()
    {
        if (_gateway.Shards is not { } host) return _workers;
        var numbers = host.Numbers;
        foreach (var gone in _shards.Keys.Except(numbers)) _shards.TryRemove(gone, out _);
        return [.. _workers, .. numbers.Select(number => _shards.GetOrAdd(number, n => new ShardTable(host, n, _helpers)))];
    }

    /// <summary>What a worker holds of its shards' connections.</summary>
    private sealed class HeldTable(PortLoop loop) : ITableAccess
    {
        public uint? Shard => null;

        public bool IsOwner => false;

        public IReadOnlyList<ConnectionHelper> Helpers { get; } = loop.Worker.Connections.Helpers;

        public Task<T> Ask<T>(Func<ConnectionTable, long, T> question) => loop.Ask(worker => question(worker.Connections, worker.Now));

        public bool KnowsBest(in Connection entry) => Gateway.IsKnownBest(in entry);
    }

    /// <summary>A shard's own. All tables of a cluster have the same helpers.</summary>
    private sealed class ShardTable(IShardHost host, int number, IReadOnlyList<ConnectionHelper> helpers) : ITableAccess
    {
        public uint? Shard { get; } = (uint)number;

        public bool IsOwner => true;

        public IReadOnlyList<ConnectionHelper> Helpers { get; } = helpers;

        public Task<T> Ask<T>(Func<ConnectionTable, long, T> question) => host.Ask(number, shard => question(shard.Connections, UnixTime.Now));

        public bool KnowsBest(in Connection entry) => Gateway.IsKnownBest(in entry);
    }
}
