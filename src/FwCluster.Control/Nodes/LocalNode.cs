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

/// <summary>The node of this process: its workers and what is around them.</summary>
public sealed class LocalNode : IControlledNode, IDisposable
{
    private readonly Part[] _parts;
    private readonly LocalNodeOptions _options;
    private readonly SemaphoreSlim _switching = new(1);
    private volatile InForce _running;

    /// <summary>Makes a node.</summary>
    /// <param name="options">What is known of it.</param>
    /// <param name="workers">Its workers; a shard each.</param>
    /// <param name="running">The rules that they run, compiled from these very models.</param>
    public LocalNode(LocalNodeOptions options, IReadOnlyList<IWorkerAccess> workers, InForce running)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(workers);
        _options = options;
        _running = running;
        _parts = [.. workers.Select((worker, i) => new Part(options.Name, (uint)i, worker))];
    }

    /// <inheritdoc/>
    public string Name => _options.Name;

    /// <inheritdoc/>
    public async Task<IPreparedRuleset> PrepareAsync(InForce rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        // Compiled rules have a memory of their own: each worker gets its own.
        var changes = await Task.Run(() => _parts.Select(part => new RulesetChange(
            part.Access.Worker, CompiledRuleset.Compile(rules.Rules.IPv4), CompiledRuleset.Compile(rules.Rules.IPv6))).ToArray()).ConfigureAwait(false);
        return new Prepared(this, rules, changes);
    }

    /// <inheritdoc/>
    public async Task<Node> DescribeAsync()
    {
        var problem = _options.Problem();
        var connections = await AskAllAsync(worker => (ulong)worker.Connections.Count).ConfigureAwait(false);
        var node = new Node
        {
            Name = Name,
            Health = problem is null ? NodeHealth.Healthy : NodeHealth.Unhealthy,
            Problem = problem ?? "",
            Generation = _running.Generation.Number,
            Started = Timestamp.FromDateTimeOffset(_options.Started),
            Version = typeof(LocalNode).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "",
            Connections = connections.Aggregate(0UL, (sum, count) => sum + count),
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
            var (all, most) = await part.Access.Ask(w => (w.Connections.Count, w.Connections.Settings.MaxEntries)).ConfigureAwait(false);
            count += matcher.IsAll ? (uint)all : await part.Table.CountAsync(matcher, cancellation).ConfigureAwait(false);
            limit += (uint)most;
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
        => Merged.Of([.. Concerned(matcher).Select(part => part.Events.WatchAsync(matcher, cancellation))], cancellation);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ShardStatistics>> StatisticsAsync()
        => await Task.WhenAll(_parts.Select(part => part.Access.Ask(worker => Statistics(part.Shard, worker.Connections)))).ConfigureAwait(false);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ConntrackExpectation>> ExpectationsAsync(ConnectionMatcher masters)
    {
        var found = new List<ConntrackExpectation>();
        foreach (var part in Concerned(masters))
        {
            found.AddRange(await part.Access.Ask(worker => worker.Connections.Expectations(worker.Now)
                .Where(e => masters.Matches(in worker.Connections[e.Master], worker.Connections))
                .Select(e => part.Messages.Expectation(e, in worker.Connections[e.Master], worker.Now)).ToList()).ConfigureAwait(false));
        }
        return found;
    }

    /// <inheritdoc/>
    public async Task<ulong> DeleteExpectationsAsync(ConnectionMatcher masters)
    {
        var deleted = 0UL;
        foreach (var part in Concerned(masters))
        {
            deleted += (uint)await part.Access.Ask(worker => worker.Connections.RemoveExpectations(
                e => e.Expires > worker.Now && masters.Matches(in worker.Connections[e.Master], worker.Connections))).ConfigureAwait(false);
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
                CounterReading.Read([.. _parts.Select(p => p.Access.Worker.Rules(family))], selection, zero, response.Chains);
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
        var tables = await AskAllAsync(worker => worker.Connections.Helpers.Select(h => (Helper: h, IsLoaded: worker.Connections.IsLoaded(h.Name))).ToList())
            .ConfigureAwait(false);
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
        await AskAllAsync(worker =>
        {
            if (loaded) worker.Connections.Load(name);
            else if (worker.Connections.IsLoaded(name)) worker.Connections.Unload(name);
            return true;
        }).ConfigureAwait(false);
        return (before.First(h => h.Name == name), (await HelpersAsync().ConfigureAwait(false)).First(h => h.Name == name));
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyDictionary<string, long>> SettingsAsync()
        => ConntrackSysctl.Values(await SettingsNowAsync().ConfigureAwait(false)).ToDictionary(s => s.Name, s => (long)s.Value);

    /// <inheritdoc/>
    public async Task<string?> ChangeSettingsAsync(IReadOnlyDictionary<string, long> settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        await _switching.WaitAsync().ConfigureAwait(false);
        try
        {
            var changed = await SettingsNowAsync().ConfigureAwait(false);
            foreach (var (name, value) in settings)
                if (ConntrackSysctl.Apply(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{name}={value}"), ref changed) is { } wrong)
                    return wrong;
            if (changed.MaxEntries > ConnectionTable.MaxLimit) return $"nf_conntrack_max is {changed.MaxEntries}; it may be {ConnectionTable.MaxLimit} at most";
            await AskAllAsync(worker =>
            {
                worker.Connections.Change(changed);
                return true;
            }).ConfigureAwait(false);
            return null;
        }
        finally
        {
            _switching.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var part in _parts) part.Events.Dispose();
        _switching.Dispose();
    }

    private static long Now => (DateTime.UtcNow - DateTime.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick;

    private Task<ConntrackSettings> SettingsNowAsync() => _parts[0].Access.Ask(worker => worker.Connections.Settings);

    private IEnumerable<Part> Concerned(ConnectionMatcher matcher) => matcher.Concerns(Name) ? _parts.Where(p => matcher.Concerns(p.Shard)) : [];

    private Task<T[]> AskAllAsync<T>(Func<PacketWorker, T> question) => Task.WhenAll(_parts.Select(part => part.Access.Ask(question)));

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
            await Task.WhenAll(_parts.Zip(changes, (part, change) => part.Access.Ask(worker =>
            {
                worker.Change(change);
                worker.Idle(Now, budget: 0); // now, not with the next packet
                return true;
            }))).ConfigureAwait(false);
            _running = rules;
        }
        finally
        {
            _switching.Release();
        }
    }

    /// <summary>A worker, and what looks at its table.</summary>
    private sealed class Part
    {
        public Part(string node, uint shard, IWorkerAccess access)
        {
            Shard = shard;
            Access = access;
            Messages = new ConnectionMessages(node, shard, access.Worker.Connections.Helpers);
            Table = new TableReader(access, Messages);
            Events = new ConntrackEvents(access, Messages);
        }

        public uint Shard { get; }

        public IWorkerAccess Access { get; }

        public ConnectionMessages Messages { get; }

        public TableReader Table { get; }

        public ConntrackEvents Events { get; }
    }

    private sealed class Prepared(LocalNode node, InForce rules, RulesetChange[] changes) : IPreparedRuleset
    {
        public Task CommitAsync() => node.SwitchAsync(rules, changes);
    }
}
