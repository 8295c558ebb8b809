using FwCluster.Control.Nodes;
using FwCluster.Datapath;
using FwCluster.Datapath.Shards;

namespace FwCluster.Node.Live;

/// <summary>Where the connections of several workers live.</summary>
internal interface IShardHost : IDisposable
{
    /// <summary>Completes when shards are no longer run; with the exception that ended them, where one did.</summary>
    Task Ended { get; }

    /// <summary>A worker's way to the shards.</summary>
    /// <param name="verdicts">Where verdicts on held packets go.</param>
    /// <param name="loop">What has the worker.</param>
    ShardAccess Open(IVerdictPort verdicts, PortLoop loop);

    /// <summary>Begins.</summary>
    void Start();

    /// <summary>The shards that run here now.</summary>
    IReadOnlyList<int> Numbers { get; }

    /// <summary>Asks something of one shard, where it runs.</summary>
    /// <exception cref="TableGoneException">It does not run here any more.</exception>
    Task<T> Ask<T>(int shard, Func<Shard, T> question);

    /// <summary>Asks something of each shard that runs here, where it runs.</summary>
    Task<IReadOnlyList<T>> Ask<T>(Func<Shard, T> question);
}
