using FwCluster.Conntrack;
using FwCluster.Conntrack.Helpers;
using Entry = FwCluster.Conntrack.Connection;

namespace FwCluster.Control.Nodes;

/// <summary>
/// A table of connections and the way to ask it something. A shard's, which owns its connections; a worker's, which holds some that a shard
/// granted it; or that of a worker without shards, which owns all there are.
/// </summary>
public interface ITableAccess
{
    /// <summary>The shard whose table it is; null for connections that a worker holds.</summary>
    uint? Shard { get; }

    /// <summary>True where connections begin and end here, and not with another table's.</summary>
    bool IsOwner { get; }

    /// <summary>The table's helpers.</summary>
    IReadOnlyList<ConnectionHelper> Helpers { get; }

    /// <summary>Asks something of the table, where it is written, with the time there (nanoseconds since the Unix epoch). Packets wait meanwhile: the
    /// question is to be short.</summary>
    /// <exception cref="TableGoneException">The table is elsewhere now.</exception>
    Task<T> Ask<T>(Func<ConnectionTable, long, T> question);

    /// <summary>True in the one table that knows best what has become of an entry that several have.</summary>
    bool KnowsBest(in Entry entry);
}

/// <summary>A table is no longer on this node.</summary>
public sealed class TableGoneException() : Exception("the shard has moved to another node");

/// <summary>The table of a worker that has all connections itself.</summary>
/// <param name="worker">The worker.</param>
/// <param name="shard">Its number among such workers.</param>
public sealed class WorkerTable(IWorkerAccess worker, uint shard) : ITableAccess
{
    /// <inheritdoc/>
    public uint? Shard { get; } = shard;

    /// <inheritdoc/>
    public bool IsOwner => true;

    /// <inheritdoc/>
    public IReadOnlyList<ConnectionHelper> Helpers { get; } = worker.Worker.Connections.Helpers;

    /// <inheritdoc/>
    public Task<T> Ask<T>(Func<ConnectionTable, long, T> question) => worker.Ask(w => question(w.Connections, w.Now));

    /// <inheritdoc/>
    public bool KnowsBest(in Entry entry) => true;
}
