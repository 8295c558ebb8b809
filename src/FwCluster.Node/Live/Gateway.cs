using System.Collections.Immutable;
using FwCluster.Capture.Answers;
using FwCluster.Capture.Mirror;
using FwCluster.Capture.Queue;
using FwCluster.Conntrack;
using FwCluster.Conntrack.Helpers;
using FwCluster.Datapath;
using FwCluster.Datapath.Reject;
using FwCluster.Datapath.Shards;
using FwCluster.Node.Configuration;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using Microsoft.Extensions.Logging;

namespace FwCluster.Node.Live;

/// <summary>
/// What runs: ports, each with a worker on a thread of its own, and the rules, which can be read again while packets flow. One worker has all
/// connections itself; several have them from shards.
/// </summary>
internal sealed class Gateway : IDisposable
{
    private readonly SemaphoreSlim _reloading = new(1);
    private readonly InterfaceNames? _names;
    private readonly LocalAddresses _addresses = new();
    private readonly List<Lane> _lanes = [];

    private Gateway(DropOutput drops, InterfaceNames? names, IShardHost? shards)
    {
        Drops = drops;
        _names = names;
        Shards = shards;
    }

    /// <summary>Of limits, those of each table: of a cluster's, each shard has its share.</summary>
    public (int Entries, int Expectations) LimitsOfTable(ConntrackSettings settings)
        => Shards is ClusterShardHost cluster ? cluster.LimitsOfShard(settings) : (settings.MaxEntries, settings.MaxExpectations);

    /// <summary>Held by whoever changes rules: meanwhile all workers have the same.</summary>
    public SemaphoreSlim Switching => _reloading;

    /// <summary>The ports and their workers, at least one where the node takes packets, else none.</summary>
    public IReadOnlyList<Lane> Lanes => _lanes;

    /// <summary>Where the workers' connections live; null where one worker has them all.</summary>
    public IShardHost? Shards { get; }

    /// <summary>The files of dropped packets.</summary>
    public DropOutput Drops { get; }

    /// <summary>Where copies come from; null where packets are enforced.</summary>
    public MirrorPort? Mirror { get; private set; }

    /// <summary>Completes when a port or a shard has ended; with the exception that ended it, where one did.</summary>
    public Task Ended => Task.WhenAny([.. _lanes.Select(lane => lane.Loop.Ended), .. Shards is null ? [] : new[] { Shards.Ended }]).Unwrap();

    /// <summary>Makes everything ready; packets flow from <see cref="Start"/> on.</summary>
    /// <param name="settings">What it runs by.</param>
    /// <param name="cluster">The cluster's shards; null where this node is none of a cluster.</param>
    /// <exception cref="SettingsException">A rule file has mistakes, or the folder of dropped packets cannot be made.</exception>
    /// <exception cref="Capture.Netlink.NetlinkException">A port cannot be opened.</exception>
    public static Gateway Open(NodeSettings settings, ClusterShardHost? cluster = null)
    {
        var (ipv4, ipv6) = RuleFiles.Load(settings);
        var isInline = settings.Mode == NodeMode.Inline;
        var drops = DropOutput.Open(settings.Drops);
        InterfaceNames? names = null;
        Gateway? gateway = null;
        try
        {
            names = isInline && settings.HasPorts ? InterfaceNames.Open() : null;
            IShardHost? shards = cluster is not null ? cluster
                : isInline && settings.Divert.QueueCount > 1 ? new ThreadShardHost(new ConnectionTable(settings.Tracking, settings.Helpers)) : null;
            gateway = new Gateway(drops, names, shards);
            var host = gateway._addresses.Addresses;
            for (var number = 0; number < (!settings.HasPorts ? 0 : isInline ? settings.Divert.QueueCount : 1); number++)
                gateway._lanes.Add(isInline ? gateway.OpenQueue(settings, number, ipv4, ipv6, host) : gateway.OpenMirror(settings, ipv4, ipv6, host));
            if (gateway._lanes.Count > 0) cluster?.ModelOn(gateway._lanes[0].Worker.Connections);
            return gateway;
        }
        catch
        {
            if (gateway is not null) gateway.Dispose();
            else drops.Dispose();
            if (gateway is null) names?.Dispose();
            throw;
        }
    }

    /// <summary>Begins.</summary>
    /// <param name="log">Where LOG and NFLOG rules are logged.</param>
    public void Start(ILogger log)
    {
        Shards?.Start();
        foreach (var lane in _lanes)
        {
            lane.Log.Start(log);
            lane.Loop.Start();
        }
    }

    /// <summary>Ends: no packet is decided any more, and what waits to be logged is.</summary>
    public void Stop()
    {
        foreach (var lane in _lanes) lane.Loop.Stop();
        foreach (var lane in _lanes) lane.Log.Dispose();
    }

    /// <summary>Reads rules, helpers, and the settings of log and drops again: all, or, where something is wrong, nothing changes.</summary>
    /// <param name="readSettings">Reads the settings.</param>
    /// <returns>The settings that were read.</returns>
    /// <exception cref="SettingsException">What is wrong.</exception>
    public async Task<NodeSettings> ReloadAsync(Func<NodeSettings> readSettings)
    {
        await _reloading.WaitAsync().ConfigureAwait(false);
        try
        {
            var settings = readSettings();
            var changes = settings.Control is null ? LoadChanges(settings) : []; // the control plane's rules are its own to change
            var drops = Drops.Prepare(settings.Drops); // the last that may fail
            await Task.WhenAll(_lanes.Select((lane, number) => lane.Loop.Ask(worker =>
            {
                if (changes.Count > 0) worker.Change(changes[number]);
                worker.Idle(UnixTime.Now, budget: 0); // now, not with the next packet
                drops?.Take(lane.Drops);
                lane.Log.Resize(settings.LogPacketsWaiting);
                return LoadHelpers(worker.Connections, settings.Helpers);
            }))).ConfigureAwait(false);
            if (Shards is not null) await Shards.Ask(shard => LoadHelpers(shard.Connections, settings.Helpers)).ConfigureAwait(false);
            await Task.WhenAll(changes.Select(change => change.Made)).ConfigureAwait(false);
            if (drops is not null) Drops.Complete(drops);
            return settings;
        }
        finally
        {
            _reloading.Release();
        }
    }

    /// <summary>Reads the rules in force and their counters, summed over the workers.</summary>
    public async Task<T> ReadRules<T>(IpFamily family, Func<CompiledRuleset, RuleCounterSet, T> read)
    {
        await _reloading.WaitAsync().ConfigureAwait(false); // all workers have the same rules
        try
        {
            var active = _lanes.ConvertAll(lane => lane.Worker.Rules(family));
            return read(active[0].Rules, active.Count == 1 ? active[0].Counters : RuleCounterSet.Sum(active.ConvertAll(a => a.Counters)));
        }
        finally
        {
            _reloading.Release();
        }
    }

    /// <summary>Asks something of every table that has connections: the workers', which hold what they were granted, and the shards'. Each connection that
    /// <see cref="IsKnownBest"/> says yes to is in one of them.</summary>
    public async Task<IReadOnlyList<T>> AskTables<T>(Func<ConnectionTable, long, T> question)
    {
        var answers = new List<T>();
        foreach (var lane in _lanes) answers.Add(await lane.Loop.Ask(worker => question(worker.Connections, worker.Now)).ConfigureAwait(false));
        if (Shards is not null) answers.AddRange(await Shards.Ask(shard => question(shard.Connections, UnixTime.Now)).ConfigureAwait(false));
        return answers;
    }

    /// <summary>True in the one table that knows best what has become of the connection: its holder's, or else its shard's.</summary>
    public static bool IsKnownBest(in Connection connection) => connection.Grant switch
    {
        GrantKind.Exclusive => connection.Expires != long.MaxValue, // a shard does not know when a held one ends
        GrantKind.Shared => connection.Recalls > 0, // a holder's copy has none
        _ => true,
    };

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var lane in _lanes) lane.Dispose();
        Shards?.Dispose();
        _names?.Dispose();
        _addresses.Dispose();
        Drops.Dispose();
        _reloading.Dispose();
    }

    private List<RulesetChange> LoadChanges(NodeSettings settings)
    {
        var (ipv4, ipv6) = RuleFiles.Load(settings);
        return _lanes.ConvertAll(lane => new RulesetChange(lane.Worker, CompiledRuleset.Compile(ipv4), CompiledRuleset.Compile(ipv6)));
    }

    private Lane OpenQueue(NodeSettings settings, int number, Ruleset ipv4, Ruleset ipv6, HostAddresses host)
    {
        var answerPort = AnswerPort.Open(settings.Divert.AnswerMark);
        try
        {
            var answers = new RejectAnswers(answerPort);
            var port = QueuePort.Open(new QueueSettings
            {
                Number = settings.Divert.FirstQueue + number, MaxLength = settings.QueueLength, FailOpen = settings.FailOpen,
            }, _names!);
            var verdicts = new QueueVerdicts(port, answers, answerPort);
            var log = new PacketLog(settings.LogPacketsWaiting);
            var loop = new QueueLoop(port, verdicts, answerPort);
            loop.Worker = MakeWorker(settings, ipv4, ipv6, host, log, answers, Shards?.Open(verdicts, loop));
            verdicts.Drops = Drops.OpenLog(loop.Worker);
            return new Lane(loop, log, verdicts.Drops, answers, answerPort);
        }
        catch
        {
            answerPort.Dispose();
            throw;
        }
    }

    private Lane OpenMirror(NodeSettings settings, Ruleset ipv4, Ruleset ipv6, HostAddresses host)
    {
        var mirror = Mirror = MirrorPort.Open(settings.MirrorInterfaces, settings.MirrorBufferBytes);
        var log = new PacketLog(settings.LogPacketsWaiting);
        var worker = MakeWorker(settings, ipv4, ipv6, host, log, null, null);
        var drops = Drops.OpenLog(worker);
        return new Lane(new MirrorLoop(mirror, drops) { Worker = worker }, log, drops, null, null);
    }

    /// <summary>The text's counters are the first worker's to go on from.</summary>
    private PacketWorker MakeWorker(NodeSettings settings, Ruleset ipv4, Ruleset ipv6, HostAddresses host, PacketLog log, RejectAnswers? answers,
        ShardAccess? shards) => new(
        ActiveRuleset.From(CompiledRuleset.Compile(ipv4), fromText: _lanes.Count == 0),
        ActiveRuleset.From(CompiledRuleset.Compile(ipv6), fromText: _lanes.Count == 0),
        new ConnectionTable(settings.Tracking, settings.Helpers), host, log, answers: answers, shards: shards);

    /// <summary>A helper that attaches to ports is loaded; one that is there for rules alone stays.</summary>
    private static ImmutableArray<string> LoadHelpers(ConnectionTable table, IReadOnlyList<ConnectionHelper> wanted)
    {
        foreach (var helper in table.Helpers)
        {
            var isWanted = wanted.Any(w => w.Name == helper.Name && w.Ports.Count > 0);
            if (isWanted && !table.IsLoaded(helper.Name)) table.Load(helper.Name);
            else if (!isWanted && helper.Ports.Count > 0 && table.IsLoaded(helper.Name)) table.Unload(helper.Name);
        }
        return [.. table.Helpers.Where(h => table.IsLoaded(h.Name)).Select(h => h.Name)];
    }
}
