using System.Globalization;
using System.Net.Sockets;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Cluster;
using Akka.Cluster.Sharding;
using Akka.Configuration;
using Akka.Event;
using Akka.Hosting.Logging;
using FwCluster.Cluster.Calls;
using FwCluster.Cluster.Links;
using FwCluster.Cluster.Nodes;
using FwCluster.Cluster.Security;
using FwCluster.Cluster.Shards;
using FwCluster.Cluster.Wire;
using FwCluster.Conntrack;
using FwCluster.Conntrack.Helpers;
using FwCluster.Conntrack.Table;
using FwCluster.Datapath;
using FwCluster.Datapath.Shards;
using Microsoft.Extensions.Logging;

namespace FwCluster.Cluster;

/// <summary>This process as a node of its cluster: joins, has the shards that Cluster Sharding places here, and gives workers their way to all.</summary>
public sealed class ClusterNode : IAsyncDisposable
{
    private const string ShardType = "shards";
    private static readonly Config ToLog = ConfigurationFactory.ParseString("""
        akka.loggers = ["Akka.Hosting.Logging.LoggerFactoryLogger, Akka.Hosting"]
        """);
    private static readonly TimeSpan HandoverTime = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan NamesakeTime = TimeSpan.FromSeconds(5); // more than the failure detector takes (reference.conf)
    private static readonly TimeSpan InspectionTime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan InspectionInterval = TimeSpan.FromMilliseconds(500);

    private readonly ActorSystem _system;
    private readonly Akka.Cluster.Cluster _cluster;
    private readonly NodeContext _node;
    private readonly Departure _departure;
    private readonly Func<int, ConnectionTable> _tables;
    private readonly TaskCompletionSource _joined = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ClusterNode(ActorSystem system, ClusterSettings settings, IEnumerable<ConnectionHelper> helpers, Func<int, ConnectionTable> tables,
        Func<long> clock, ClusterStatistics statistics, LinkListener links, ClusterCertificates? certificates)
    {
        (_system, _tables) = (system, tables);
        _cluster = Akka.Cluster.Cluster.Get(system);
        var map = new NodeMap(settings.Shards, new TupleHash(settings.KeyBytes));
        _node = new NodeContext(settings, map, new ShardCodec(new HelperNames(helpers)), clock, statistics)
        {
            Links = links, Certificates = certificates, Log = Logging.GetLogger(system, "links"),
        };
        var self = map.Add(_cluster.SelfUniqueAddress.Uid, _cluster.SelfAddress, ActorRefs.Nobody, link: null); // nobody goes by the gate to what is here
        self.Word = self.Word with { KeepsDirectory = settings.Roles.Contains(ClusterRoles.Capture) };
        _node.Gate = _system.ActorOf(Props.Create(() => new ShardGate(_node)), ShardGate.Name);
        links.Start(_node);
        _ = system.WhenTerminated.ContinueWith(_ => CloseLinks(), TaskScheduler.Default);
        Calls = new ClusterCalls(system);
        _departure = new Departure(system, _cluster, BeginToLeave, HandedOverAsync);
    }

    /// <summary>The actors' system.</summary>
    public ActorSystem System => _system;

    /// <summary>Where the others reach this node.</summary>
    public Address Address => _cluster.SelfAddress;

    /// <summary>What nodes ask each other besides packets.</summary>
    public ClusterCalls Calls { get; }

    /// <summary>True where all nodes are up that <see cref="ClusterSettings.Seeds"/> name, by the addresses that were found last; names that had none do not count.</summary>
    public bool AreSeedsUp => Calls.Members is var members
        && _node.Seeds.All(seed => members.Any(m => m.Address.Host == seed.Host && m.Address.Port == seed.Port));

    /// <summary>What is counted.</summary>
    public ClusterStatistics Statistics => _node.Statistics;

    /// <summary>How many members the cluster has, and how many of them cannot be reached, as far as this node knows.</summary>
    public (int Members, int Unreachable) Members
    {
        get
        {
            var state = _cluster.State;
            return (state.Members.Count(m => m.Status is MemberStatus.Up or MemberStatus.Leaving), state.Unreachable.Count);
        }
    }

    /// <summary>Completes when this node is a member; fails with a <see cref="ClusterSettingsException"/> where the cluster's settings are not this
    /// node's, and with a <see cref="NodeNameException"/> where another node has its name.</summary>
    public Task Joined => _joined.Task;

    /// <summary>Completes when this node is none any more, for whatever reason.</summary>
    public Task Ended => _system.WhenTerminated;

    /// <summary>Starts the actors and joins.</summary>
    /// <param name="settings">The cluster's settings.</param>
    /// <param name="helpers">The helpers that this node knows, in the order of its tables.</param>
    /// <param name="tables">Makes the table of a shard that is placed here, by its number; with the same helpers.</param>
    /// <param name="clock">The time, nanoseconds since the Unix epoch.</param>
    /// <param name="more">Configuration over the product's own, and set-up such as a log; null for none.</param>
    /// <param name="log">Where the actors' log goes; null for standard output.</param>
    /// <param name="cancellation">Ends the look-up of names.</param>
    /// <exception cref="ClusterSettingsException">The settings are wrong.</exception>
    /// <exception cref="ClusterListenException">A port cannot be listened at.</exception>
    public static async Task<ClusterNode> StartAsync(ClusterSettings settings, IEnumerable<ConnectionHelper> helpers,
        Func<int, ConnectionTable> tables, Func<long> clock, Config? more = null, ILoggerFactory? log = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(settings);
        settings = settings.Checked();
        var address = await ClusterConfiguration.ResolveAsync(settings.Host, cancellation).ConfigureAwait(false);
        var config = ClusterConfiguration.Of(settings, address);
        if (log is not null) config = ToLog.WithFallback(config);
        var setup = ActorSystemSetup.Create(BootstrapSetup.Create().WithConfig(more is null ? config : more.WithFallback(config)));
        var statistics = new ClusterStatistics();
        var certificates = settings.IsEncrypted ? ClusterCertificates.Load(settings, statistics) : null;
        if (certificates is not null) setup = setup.WithSetup(certificates.ForAkka());
        if (log is not null) setup = setup.WithSetup(new LoggerFactorySetup(log));
        var links = LinkListener.Open(address, settings.LinkPort);
        ActorSystem? system = null;
        try
        {
            system = ActorSystem.Create(settings.Name, setup);
            return await JoinAsync(new ClusterNode(system, settings, helpers, tables, clock, statistics, links, certificates), cancellation).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            if (system is not null) await system.Terminate().ConfigureAwait(false);
            links.Dispose();
            if (system is not null || e.GetBaseException().GetBaseException() is not SocketException refused) throw; // the first one leaves the aggregates only
            throw new ClusterListenException(string.Create(CultureInfo.InvariantCulture, $"listen: cannot listen at {address}, port {settings.Port}: {refused.Message}"), e);
        }
    }

    /// <summary>A way to all shards for one worker.</summary>
    /// <param name="worker">The worker's number on this node, 0 to 255.</param>
    /// <param name="wake">Tells the worker's thread that there are replies; called on any thread.</param>
    public IShardLink OpenLink(int worker, Action wake) => new ClusterShardLink(worker, _node, wake);

    /// <summary>What the cluster's connections expect, for this node's workers.</summary>
    public IExpectationDirectory Expectations => _node.Directory;

    /// <summary>Asks something of a shard that is here, on its thread.</summary>
    /// <returns>The answer; the default where the shard is not here.</returns>
    public async Task<T?> InspectAsync<T>(int shard, Func<Shard, T> question)
    {
        ArgumentNullException.ThrowIfNull(question);
        if (_node.Map.Here(shard) is not { } actor) return default;
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var absences = 0;
        actor.Tell(new ShardMessages.Inspect(looked => answer.Answer(() => question(looked))), ActorRefs.NoSender);
        var end = Environment.TickCount64 + (long)InspectionTime.TotalMilliseconds;
        while (await Task.WhenAny(answer.Task, Task.Delay(InspectionInterval)).ConfigureAwait(false) != answer.Task)
        {
            if (Environment.TickCount64 >= end) throw new TimeoutException($"shard {shard} did not answer");
            // It left before it came to the question, which nobody else answers.
            if (!actor.Equals(_node.Map.Here(shard)) && ++absences > 1) return default;
        }
        return await answer.Task.ConfigureAwait(false);
    }

    /// <summary>True where this node knows the place of every shard: no question makes a detour.</summary>
    public bool KnowsAllShards => Enumerable.Range(0, _node.Map.Shards).All(s => _node.Map.Owner(s) is not null);

    /// <summary>True where there is a link to every other node that has greeted, and one from it: no question waits for one, and no answer.</summary>
    public bool HasLinks => _node.Map.Nodes.All(n => n.IsHere || n.IsGone || (n.Link!.IsUp && _node.Links.Has(n.Uid)));

    /// <summary>Numbers of the shards that are here.</summary>
    public IReadOnlyList<int> ShardsHere => [.. Enumerable.Range(0, _node.Map.Shards).Where(s => _node.Map.Here(s) is not null)];

    /// <summary>The other members, as they are known here now.</summary>
    public IReadOnlyList<ClusterPeer> Peers
    {
        get
        {
            var state = _cluster.State;
            var peers = new List<ClusterPeer>();
            foreach (var member in state.Members.Where(m => m.UniqueAddress != _cluster.SelfUniqueAddress && m.Status is not (MemberStatus.Removed or MemberStatus.Down)))
            {
                var node = _node.Map.TryGet(member.UniqueAddress.Uid, out var known) ? known : null;
                peers.Add(new ClusterPeer
                {
                    Address = AddressText(member.Address),
                    Name = node?.Name is { Length: > 0 } name ? name : AddressText(member.Address),
                    Control = node?.Control ?? "",
                    HasGreeted = node is not null,
                    Roles = [.. ClusterRoles.All.Where(member.HasRole)],
                    IsReachable = !state.Unreachable.Contains(member),
                    IsLeaving = member.Status is MemberStatus.Leaving or MemberStatus.Exiting,
                });
            }
            return peers;
        }
    }

    /// <summary>This node's address, as <see cref="ClusterPeer.Address"/>.</summary>
    public string AddressAsText => AddressText(_cluster.SelfAddress);

    /// <summary>This node has no shards, or hands them over, and gets none.</summary>
    public bool IsDraining => _node.Map[0].IsDraining;

    /// <summary>Has this node hand over its shards, and get none until it is started again; it goes on asking those of the others.</summary>
    /// <param name="cancellation">Ends the wait; the node is to be without shards all the same.</param>
    /// <returns>How many shards it had, when it has none any more; null where no other node can have them.</returns>
    public async Task<int?> DrainAsync(CancellationToken cancellation)
    {
        if (!HasHeirs(m => !_node.Map.TryGet(m.UniqueAddress.Uid, out var node) || !node.IsDraining)) return null;
        var shards = ShardsHere.Count;
        _node.Gate.Tell(new ShardMessages.Drain(true));
        while (HandsOver) await Task.Delay(TimeSpan.FromMilliseconds(20), cancellation).ConfigureAwait(false);
        return shards;
    }

    /// <summary>This node may have shards again.</summary>
    public void Undrain() => _node.Gate.Tell(new ShardMessages.Drain(false));

    /// <summary>Leaves the cluster: shards are handed over first.</summary>
    public Task LeaveAsync() => _departure.LeaveAsync(() => _node.Map.Region);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await LeaveAsync().ConfigureAwait(false);

    private static async Task<ClusterNode> JoinAsync(ClusterNode node, CancellationToken cancellation)
    {
        var settings = node._node.Settings;
        node._departure.Prepare();
        node._cluster.RegisterOnMemberUp(node.Begin);
        var self = node._cluster.SelfAddress;
        if (SeedJoin.IsNeededFor(settings))
        {
            _ = new SeedJoin(node._cluster, settings, seeds => node._node.Seeds = seeds).RunAsync().ContinueWith(
                failed => node._joined.TrySetException(failed.Exception!.InnerException!), cancellation, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            return node;
        }
        var seeds = await SeedAddresses.ResolveAsync(settings.Seeds, settings.Resolve, cancellation).ConfigureAwait(false);
        node._node.Seeds = seeds;
        if (seeds.Count == 0) node._cluster.Join(self);
        else node._cluster.JoinSeedNodes(seeds.Select(seed => self.WithHost(seed.Host).WithPort(seed.Port)));
        return node;
    }

    private void BeginToLeave()
    {
        _node.IsLeaving = true;
        if (!HasHeirs() && _node.Map.Region is { } region)
        {
            // Nobody takes the shards over: who looked for one would wait for nobody, and the region for a place for those that are looked for.
            _node.Map.Region = null;
            _system.Stop(region);
        }
    }

    /// <summary>Shards that were here have fetched what they left: before, this node must not go.</summary>
    private async Task HandedOverAsync()
    {
        var end = Environment.TickCount64 + (long)HandoverTime.TotalMilliseconds;
        while (Environment.TickCount64 < end && HasHeirs() && HandsOver)
            await Task.Delay(TimeSpan.FromMilliseconds(10)).ConfigureAwait(false);
    }

    /// <summary>Shards are here, or have not left yet, or what they left has not been fetched.</summary>
    private bool HandsOver => _node.Map.HasShards || !_node.Left.IsEmpty;

    private bool HasHeirs(Func<Member, bool>? isOne = null) => _cluster.State.Members.Any(m => m.UniqueAddress != _cluster.SelfUniqueAddress
        && m.Status == MemberStatus.Up && m.HasRole(ClusterRoles.Conntrack) && (isOne is null || isOne(m)));

    private static string AddressText(Address address)
        => string.Create(CultureInfo.InvariantCulture, $"{(address.Host?.Contains(':', StringComparison.Ordinal) == true ? $"[{address.Host}]" : address.Host)}:{address.Port}");

    private void Begin()
    {
        var others = _cluster.State.Members.Where(m => m.UniqueAddress != _cluster.SelfUniqueAddress && m.Status == MemberStatus.Up);
        if (others.FirstOrDefault(m => !ClusterConfiguration.Agrees(_node.Settings, m.Roles)) is { } other)
        {
            var problem = string.Create(CultureInfo.InvariantCulture,
                $"key, shards: {other.Address} has another key, another number of shards or another version than this node; all nodes of a cluster need the same");
            Refuse(new ClusterSettingsException(problem));
        }
        else if (others.FirstOrDefault(m => m.HasRole(ClusterConfiguration.RulesAgreed) != _node.Settings.AgreesOnRules) is { } unlike)
        {
            var problem = _node.Settings.AgreesOnRules
                ? $"rules: {unlike.Address} has rules of its own, and no control.directory for those that all nodes agree on; all nodes of a cluster need one, or none"
                : $"rules: {unlike.Address} has rules that all nodes agree on and keep on their disks, and this node has no control.directory for them; set it";
            Refuse(new ClusterSettingsException(problem));
        }
        else if (FindNamesake() is null)
        {
            TakePart();
        }
        else
        {
            _ = OutliveNamesakeAsync();
        }
    }

    /// <summary>A member that was here before this node and has its name.</summary>
    private Member? FindNamesake() => ClusterConfiguration.NameRole(_node.Settings) is { } name
        ? _cluster.State.Members.FirstOrDefault(m => m.UniqueAddress != _cluster.SelfUniqueAddress && m.HasRole(name) && m.IsOlderThan(_cluster.SelfMember))
        : null;

    /// <summary>Who has this node's name may be this node itself, as it was before it was killed, which the others have not noticed yet; who is alive after
    /// the time that takes them is another node.</summary>
    private async Task OutliveNamesakeAsync()
    {
        var since = Environment.TickCount64;
        while (FindNamesake() is { } namesake)
        {
            var isAlive = namesake.Status == MemberStatus.Up && !_cluster.State.Unreachable.Contains(namesake);
            if (isAlive && Environment.TickCount64 - since > NamesakeTime.TotalMilliseconds)
            {
                Refuse(new NodeNameException(
                    $"'{_node.Settings.NodeName}' is the name of the node {AddressText(namesake.Address)}, too; each node of a cluster needs a name of its own"));
                return;
            }
            await Task.Delay(TimeSpan.FromMilliseconds(50)).ConfigureAwait(false);
            if (_node.IsLeaving || _system.WhenTerminated.IsCompleted) return;
        }
        TakePart();
    }

    private void Refuse(Exception problem)
    {
        _joined.TrySetException(problem);
        _ = LeaveAsync();
    }

    private void TakePart()
    {
        var sharding = ClusterSharding.Get(_system);
        var extractor = new ShardExtractor(_node.Map.Shards);
        _node.Map.Region = _node.Settings.Roles.Contains(ClusterRoles.Conntrack)
            ? sharding.Start(ShardType, ShardProps, ClusterShardingSettings.Create(_system), extractor,
                new DrainingAllocation(sharding.DefaultShardAllocationStrategy(ClusterShardingSettings.Create(_system)), _node.Map), ShardMessages.Stop.Instance)
            : sharding.StartProxy(ShardType, ClusterRoles.Conntrack, extractor);
        _joined.TrySetResult();
    }

    private void CloseLinks()
    {
        _node.Links.Dispose();
        foreach (var node in _node.Map.Nodes) node.Link?.Dispose();
    }

    private Props ShardProps(string shard)
    {
        var number = int.Parse(shard, CultureInfo.InvariantCulture);
        return Props.Create(() => new ShardActor(number, _node, _tables(number))).WithDispatcher("fwcluster.shards");
    }
}
