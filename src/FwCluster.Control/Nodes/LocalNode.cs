using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.CompilerServices;
using FwCluster.Api.V1;
using FwCluster.Conntrack;
using FwCluster.Control.Rulesets;
using FwCluster.Datapath;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using Google.Protobuf.WellKnownTypes;
using Connection = FwCluster.Api.V1.Connection;

namespace FwCluster.Control.Nodes;

/// <summary>The node of this process: its workers, which have rules, and its tables, which have connections.</summary>
public sealed class LocalNode : IControlledNode, IRulesetTarget, IDisposable
{
    private static readonly TimeSpan TablesInterval = TimeSpan.FromMilliseconds(200);

    private readonly ConcurrentDictionary<ITableAccess, Part> _parts = [];
    private readonly IReadOnlyList<IWorkerAccess> _workers;
    private readonly Func<IReadOnlyList<ITableAccess>> _tables;
    private readonly LocalNodeOptions _options;
    private readonly SemaphoreSlim _switching;
    private volatile InForce _running;
    private volatile ConntrackSettings? _settings;

    /// <summary>Makes a node.</summary>
    /// <param name="options">What is known of it.</param>
    /// <param name="workers">Its workers.</param>
    /// <param name="tables">The tables that are here now, each the same object every time.</param>
    /// <param name="running">The rules that the workers run, compiled from these very models.</param>
    public LocalNode(LocalNodeOptions options, IReadOnlyList<IWorkerAccess> workers, Func<IReadOnlyList<ITableAccess>> tables, InForce running)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _workers = workers;
        _tables = tables;
        _running = running;
        _switching = options.Switching;
    }

    /// <inheritdoc/>
    public string Name => _options.Name;

    /// <inheritdoc/>
    public async Task<IPreparedRuleset> PrepareAsync(InForce rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        var changes = await Task.Run(() =>
        {
            var (ipv4, ipv6) = (CompiledRuleset.Compile(rules.Rules.IPv4), CompiledRuleset.Compile(rules.Rules.IPv6));
            // Compiled rules have a memory of their own: each worker gets its own.
            return _workers.Select((access, i) => new RulesetChange(access.Worker, i == 0 ? ipv4 : ipv4.ForAnother(), i == 0 ? ipv6 : ipv6.ForAnother())).ToArray();
        }).ConfigureAwait(false);
        return new Prepared(this, rules, changes);
    }

    /// <inheritdoc/>
    public async Task<Node> DescribeAsync()
    {
        var problem = _options.Problem();
        var shards = await StatisticsAsync().ConfigureAwait(false);
        var node = new Node
        {
            Name = Name,
            Health = problem is not null ? NodeHealth.Unhealthy : _options.IsDraining() ? NodeHealth.Draining : NodeHealth.Healthy,
            Problem = problem ?? "",
            Generation = _running.Generation.Number,
            Started = Timestamp.FromDateTimeOffset(_options.Started),
            Version = typeof(LocalNode).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "",
            Connections = shards.Aggregate(0UL, (sum, shard) => sum + shard.Entries),
            Address = _options.Address,
            Shards = (uint)shards.Count,
        };
        node.Roles.Add(_options.Roles);
        return node;
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<CapturePort>> PortsAsync() => Task.FromResult(_options.Ports());

    /// <inheritdoc/>
    public async IAsyncEnumerable<IReadOnlyList<Connection>> ListAsync(ConnectionMatcher matcher, [EnumeratorCancellation] CancellationToken cancellation)
    {
        foreach (var part in Concerned(matcher))
            await foreach (var page in part.Table.ListAsync(matcher, cancellation).ConfigureAwait(false))
                yield return page;
    }

    /// <inheritdoc/>
    public async Task<(ulong Count, ulong Limit)> CountAsync(ConnectionMatcher matcher, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(matcher);
        var (count, limit) = (0UL, 0UL);
        foreach (var part in Concerned(matcher))
        {
            if (part.Access.IsOwner)
            {
                var (all, most) = await WhileHere(part.Access.Ask((table, _) => (table.Count, table.Settings.MaxEntries))).ConfigureAwait(false);
                if (matcher.IsAll) count += (uint)all;
                limit += (uint)most;
            }
            if (!matcher.IsAll) count += await part.Table.CountAsync(matcher, cancellation).ConfigureAwait(false);
        }
        return (count, limit);
    }

    /// <inheritdoc/>
    public async Task<ulong> DeleteAsync(ConnectionMatcher matcher, CancellationToken cancellation)
    {
        var deleted = 0UL;
        foreach (var part in Concerned(matcher)) deleted += await part.Table.DeleteAsync(matcher, cancellation).ConfigureAwait(false);
        return deleted;
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<ConntrackEvent> WatchAsync(ConnectionMatcher matcher, CancellationToken cancellation)
        => new MergedWatch<Part>
        {
            Sources = () => [.. Concerned(matcher)], // shards come and go
            Watch = (part, stop) => part.Events.WatchAsync(matcher, stop),
            Interval = TablesInterval,
            Lost = (_, problem) => problem is null or TableGoneException ? null : throw problem,
        }.RunAsync(cancellation);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ShardStatistics>> StatisticsAsync()
        => [.. (await Task.WhenAll(Parts.Where(part => part.Access.IsOwner)
            .Select(part => WhileHere(part.Access.Ask<ShardStatistics?>((table, _) => Statistics(part.Access.Shard ?? 0, table)))))
            .ConfigureAwait(false)).OfType<ShardStatistics>().OrderBy(s => s.Shard)];

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ConntrackExpectation>> ExpectationsAsync(ConnectionMatcher masters)
    {
        var found = new List<ConntrackExpectation>();
        foreach (var part in Concerned(masters))
        {
            found.AddRange(await WhileHere(part.Access.Ask<List<ConntrackExpectation>?>((table, now) => [.. table.Expectations(now)
                .Where(e => masters.Matches(in table[e.Master], table))
                .Select(e => part.Messages.Expectation(e, in table[e.Master], now))])).ConfigureAwait(false) ?? []);
        }
        return found;
    }

    /// <inheritdoc/>
    public async Task<ulong> DeleteExpectationsAsync(ConnectionMatcher masters)
    {
        var deleted = 0UL;
        foreach (var part in Concerned(masters))
        {
            deleted += (uint)await WhileHere(part.Access.Ask((table, now) => table.RemoveExpectations(
                e => e.Expires > now && masters.Matches(in table[e.Master], table)))).ConfigureAwait(false);
        }
        return deleted;
    }

    /// <inheritdoc/>
    public async Task<ReadCountersResponse> CountersAsync(CounterSelection selection, bool zero, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(selection);
        // No switch meanwhile: what is zeroed has not gone on in other counters, and all workers have the same rules.
        await _switching.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            var response = new ReadCountersResponse { Generation = _running.Generation.Number };
            foreach (var family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6])
            {
                if (selection.Family != Family.Unspecified && ConnectionMessages.FamilyOf(family) != selection.Family) continue;
                CounterReading.Read([.. _workers.Select(w => w.Worker.Rules(family))], selection, zero, response.Chains);
            }
            return response;
        }
        finally
        {
            _switching.Release();
        }
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Helper>> HelpersAsync()
    {
        var tables = await AskAllAsync(table => table.Helpers.Select(h => (Helper: h, IsLoaded: table.IsLoaded(h.Name))).ToList())
            .ConfigureAwait(false);
        if (tables.Count == 0) return []; // neither workers nor shards are here
        return [.. tables[0].Select(found =>
        {
            var helper = new Helper
            {
                Name = found.Helper.Name,
                Protocol = ConnectionListing.ProtocolName(found.Helper.Protocol),
                Loaded = tables.All(table => table.First(h => h.Helper.Name == found.Helper.Name).IsLoaded),
            };
            helper.Ports.Add(found.Helper.Ports.Select(port => (uint)port));
            return helper;
        }).OrderBy(h => h.Name, StringComparer.Ordinal)];
    }

    /// <inheritdoc/>
    public async Task<(Helper Before, Helper After)?> SetHelperAsync(string name, bool loaded)
    {
        var before = await HelpersAsync().ConfigureAwait(false);
        if (before.All(h => h.Name != name)) return null;
        await AskAllAsync(table =>
        {
            if (loaded) table.Load(name);
            else if (table.IsLoaded(name)) table.Unload(name);
            return table;
        }).ConfigureAwait(false);
        return (before.First(h => h.Name == name), (await HelpersAsync().ConfigureAwait(false)).First(h => h.Name == name));
    }

    /// <inheritdoc/>
    public Task<IReadOnlyDictionary<string, long>> SettingsAsync()
        => Task.FromResult<IReadOnlyDictionary<string, long>>(ConntrackSysctl.Values(_settings ?? _options.Tracking).ToDictionary(s => s.Name, s => (long)s.Value));

    /// <inheritdoc/>
    public async Task<string?> ChangeSettingsAsync(IReadOnlyDictionary<string, long> settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        await _switching.WaitAsync().ConfigureAwait(false);
        try
        {
            var changed = _settings ?? _options.Tracking;
            foreach (var (name, value) in settings)
                if (ConntrackSysctl.Apply(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{name}={value}"), ref changed) is { } wrong)
                    return wrong;
            if (changed.MaxEntries > ConnectionTable.MaxLimit) return $"nf_conntrack_max is {changed.MaxEntries}; it may be {ConnectionTable.MaxLimit} at most";
            var (most, expectations) = _options.LimitsOfTable(changed);
            // What workers hold has no limit of its own: its connections count where they belong.
            var ofOwners = changed with { MaxEntries = most, MaxExpectations = expectations };
            await Task.WhenAll(_tables().Select(access => WhileHere(access.Ask((table, _) =>
            {
                table.Change(access.IsOwner ? ofOwners : changed);
                return true;
            })))).ConfigureAwait(false);
            _settings = changed;
            return null;
        }
        finally
        {
            _switching.Release();
        }
    }

    /// <inheritdoc/>
    public Task<int?> DrainAsync(bool undo, CancellationToken cancellation) => _options.Drain(undo, cancellation);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var part in _parts.Values) part.Events.Dispose();
    }

    private static long Now => (DateTime.UtcNow - DateTime.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick;

    private IEnumerable<Part> Parts
    {
        get
        {
            var tables = _tables();
            foreach (var gone in _parts.Keys.Except(tables)) _parts.TryRemove(gone, out _);
            return tables.Select(table => _parts.GetOrAdd(table, access => new Part(Name, access)));
        }
    }

    private IEnumerable<Part> Concerned(ConnectionMatcher matcher)
        => matcher.Concerns(Name) ? Parts.Where(p => p.Access.Shard is { } shard ? matcher.Concerns(shard) : !matcher.Filter.HasShard) : [];

    private async Task<IReadOnlyList<T>> AskAllAsync<T>(Func<ConnectionTable, T> question)
        where T : class
        => [.. (await Task.WhenAll(_tables().Select(table => WhileHere(table.Ask<T?>((t, _) => question(t))))).ConfigureAwait(false)).OfType<T>()];

    /// <summary>A table's answer; the default where the table moves to another node meanwhile.</summary>
    private static async Task<T?> WhileHere<T>(Task<T> answer)
    {
        try
        {
            return await answer.ConfigureAwait(false);
        }
        catch (TableGoneException)
        {
            return default;
        }
    }

    private ShardStatistics Statistics(uint shard, ConnectionTable table)
    {
        var counted = table.Statistics;
        var statistics = new ShardStatistics
        {
            Node = Name,
            Shard = shard,
            Entries = (ulong)table.Count,
            Found = counted.Found,
            Inserted = counted.Inserted,
            Removed = counted.Removed,
            EarlyDropped = counted.EarlyDropped,
            ExpectationsCreated = counted.ExpectationsCreated,
            ExpectationsMatched = counted.ExpectationsMatched,
        };
        foreach (var failure in System.Enum.GetValues<TrackFailure>())
            if (counted[failure] > 0)
                statistics.Failures[failure.ToString()] = counted[failure];
        return statistics;
    }

    private async Task SwitchAsync(InForce rules, RulesetChange[] changes)
    {
        await _switching.WaitAsync().ConfigureAwait(false);
        try
        {
            await Task.WhenAll(_workers.Zip(changes, (access, change) => access.Ask(worker =>
            {
                worker.Change(change);
                worker.Idle(Now, budget: 0); // now, not with the next packet
                return true;
            }))).ConfigureAwait(false);
            await Task.WhenAll(changes.Select(change => change.Made)).ConfigureAwait(false); // what is held is decided by the rules before
            _running = rules;
        }
        finally
        {
            _switching.Release();
        }
    }

    /// <summary>A table, and what looks at it.</summary>
    private sealed class Part
    {
        public Part(string node, ITableAccess access)
        {
            Access = access;
            Messages = new ConnectionMessages(node, access.Shard, access.Helpers);
            Table = new TableReader(access, Messages);
            Events = new ConntrackEvents(access, Messages);
        }

        public ITableAccess Access { get; }

        public ConnectionMessages Messages { get; }

        public TableReader Table { get; }

        public ConntrackEvents Events { get; }
    }

    private sealed class Prepared(LocalNode node, InForce rules, RulesetChange[] changes) : IPreparedRuleset
    {
        public Task CommitAsync() => node.SwitchAsync(rules, changes);
    }
}
