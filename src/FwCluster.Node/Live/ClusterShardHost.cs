using System.Runtime.CompilerServices;
using FwCluster.Cluster;
using FwCluster.Conntrack;
using FwCluster.Control.Nodes;
using FwCluster.Datapath;
using FwCluster.Datapath.Shards;
using FwCluster.Node.Configuration;
using Microsoft.Extensions.Logging;

namespace FwCluster.Node.Live;

/// <summary>The cluster's shards, some of which are here.</summary>
internal sealed class ClusterShardHost : IShardHost
{
    private readonly ClusterNode _node;
    private readonly int _shards;
    private readonly TableModel _model;
    private int _workers;

    private ClusterShardHost(ClusterNode node, int shards, TableModel model)
    {
        (_node, _shards, _model) = (node, shards, model);
        Ended = EndedAsync();
    }

    /// <summary>This process as a node.</summary>
    public ClusterNode Node => _node;

    /// <summary>Fails when this node is none of the cluster any more: nobody would answer its questions.</summary>
    public Task Ended { get; }

    /// <summary>Begins to join.</summary>
    /// <exception cref="SettingsException">The cluster's settings are wrong.</exception>
    /// <exception cref="ClusterListenException">A port of the cluster's cannot be listened at.</exception>
    public static async Task<ClusterShardHost> StartAsync(NodeSettings settings, ILoggerFactory log, CancellationToken cancellation)
    {
        var cluster = settings.Cluster!;
        var each = settings.Tracking with
        {
            MaxEntries = Share(settings.Tracking.MaxEntries, cluster.Shards),
            MaxExpectations = Share(settings.Tracking.MaxExpectations, cluster.Shards),
        };
        try
        {
            var model = new TableModel();
            return new ClusterShardHost(await ClusterNode.StartAsync(cluster, settings.Helpers, _ => NewTable(each, settings, model),
                () => UnixTime.Now, log: log, cancellation: cancellation).ConfigureAwait(false), cluster.Shards, model);
        }
        catch (ClusterSettingsException e)
        {
            throw new SettingsException($"cluster.{e.Message}");
        }
        catch (ClusterListenException e)
        {
            throw new ClusterListenException($"cluster.{e.Message}", e);
        }
    }

    /// <summary>Completes when this node is a member.</summary>
    /// <exception cref="SettingsException">The others have another key, another number of shards, or agree on rules where this one does not; or one of them has this
    /// one's name.</exception>
    /// <exception cref="NodeLostException">The others took this node for dead meanwhile.</exception>
    public async Task IsMemberAsync(CancellationToken cancellation)
    {
        try
        {
            var first = await Task.WhenAny(_node.Joined, _node.Ended).WaitAsync(cancellation).ConfigureAwait(false);
            if (first == _node.Joined) await first.ConfigureAwait(false);
        }
        catch (ClusterSettingsException e)
        {
            throw new SettingsException($"cluster.{e.Message}");
        }
        catch (NodeNameException e)
        {
            throw new SettingsException($"control.name: {e.Message}");
        }
        if (Ended.IsCompleted) await Ended.ConfigureAwait(false);
    }

    /// <summary>Completes when this node is a member and, where it takes packets, knows where every shard is and can ask it.</summary>
    /// <param name="hasPorts">It takes packets: who does not may be there before anybody has shards.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="SettingsException">The others have other settings, see <see cref="IsMemberAsync"/>.</exception>
    /// <exception cref="NodeLostException">The others took this node for dead meanwhile.</exception>
    public async Task JoinedAsync(bool hasPorts, CancellationToken cancellation)
    {
        await IsMemberAsync(cancellation).ConfigureAwait(false);
        while (hasPorts && !(_node.KnowsAllShards && _node.HasLinks) && !Ended.IsCompleted) await Task.Delay(TimeSpan.FromMilliseconds(20), cancellation).ConfigureAwait(false);
        if (Ended.IsCompleted) await Ended.ConfigureAwait(false);
    }

    /// <summary>Leaves the cluster; the shards go to others first.</summary>
    public Task LeaveAsync() => _node.LeaveAsync();

    /// <inheritdoc/>
    public ShardAccess Open(IVerdictPort verdicts, PortLoop loop)
        => new(_node.OpenLink(_workers++, loop.TakeAnswers), verdicts) { Directory = _node.Expectations };

    /// <inheritdoc/>
    public void Start()
    {
        // The actors run already.
    }

    /// <inheritdoc/>
    public IReadOnlyList<int> Numbers => _node.ShardsHere;

    /// <summary>The table whose helpers and settings, as they were changed while the node ran, a shard's has that begins here later.</summary>
    public void ModelOn(ConnectionTable table) => _model.Table = table;

    /// <inheritdoc/>
    public async Task<T> Ask<T>(int shard, Func<Shard, T> question)
        => await _node.InspectAsync(shard, s => new StrongBox<T>(question(s))).ConfigureAwait(false) is { } answer ? answer.Value! : throw new TableGoneException();

    /// <inheritdoc/>
    public async Task<IReadOnlyList<T>> Ask<T>(Func<Shard, T> question)
    {
        var answers = new List<T>();
        foreach (var shard in _node.ShardsHere)
            if (await _node.InspectAsync(shard, question).ConfigureAwait(false) is { } answer)
                answers.Add(answer);
        return answers;
    }

    /// <inheritdoc/>
    public void Dispose() => _node.DisposeAsync().AsTask().GetAwaiter().GetResult();

    /// <summary>Of the cluster's limits, a shard's share.</summary>
    public (int Entries, int Expectations) LimitsOfShard(ConntrackSettings settings)
        => (Share(settings.MaxEntries, _shards), Share(settings.MaxExpectations, _shards));

    private async Task EndedAsync()
    {
        await _node.Ended.ConfigureAwait(false);
        throw new NodeLostException();
    }

    private static ConnectionTable NewTable(ConntrackSettings each, NodeSettings settings, TableModel model)
    {
        var table = new ConnectionTable(each, settings.Helpers);
        if (model.Table is not { } like) return table;
        // Read on another thread than it is written on: references and flags, each old or new.
        var changed = like.Settings;
        table.Change(changed with
        {
            MaxEntries = Share(changed.MaxEntries, settings.Cluster!.Shards), MaxExpectations = Share(changed.MaxExpectations, settings.Cluster.Shards),
        });
        foreach (var helper in table.Helpers)
            if (table.IsLoaded(helper.Name) && !like.IsLoaded(helper.Name))
                table.Unload(helper.Name);
        return table;
    }

    /// <summary>A limit is the cluster's: each shard has its share, and some room for what chance deals it beyond.</summary>
    private static int Share(int limit, int shards) => Math.Max(64, (int)Math.Ceiling(limit / (double)shards * 1.1));

    private sealed class TableModel
    {
        private volatile ConnectionTable? _table;

        public ConnectionTable? Table
        {
            get => _table;
            set => _table = value;
        }
    }
}
