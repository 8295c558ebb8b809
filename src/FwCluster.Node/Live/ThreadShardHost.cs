using FwCluster.Conntrack;
using FwCluster.Datapath;
using FwCluster.Datapath.Shards;

namespace FwCluster.Node.Live;

/// <summary>One shard with all connections, on a thread of its own: several queues, no cluster.</summary>
internal sealed class ThreadShardHost(ConnectionTable table) : IShardHost
{
    private readonly ShardThread _thread = new(table, () => UnixTime.Now);

    /// <inheritdoc/>
    public Task Ended => _thread.Ended;

    /// <inheritdoc/>
    // The one thread that decides for all queues shall not give their verdicts as well.
    public ShardAccess Open(IVerdictPort verdicts, PortLoop loop) => new(_thread.OpenLink(loop.Wake), verdicts);

    /// <inheritdoc/>
    public void Start() => _thread.Start();

    /// <inheritdoc/>
    public IReadOnlyList<int> Numbers { get; } = [0];

    /// <inheritdoc/>
    public Task<T> Ask<T>(int shard, Func<Shard, T> question) => _thread.Ask(question);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<T>> Ask<T>(Func<Shard, T> question) => [await _thread.Ask(question).ConfigureAwait(false)];

    /// <inheritdoc/>
    public void Dispose() => _thread.Dispose();
}
