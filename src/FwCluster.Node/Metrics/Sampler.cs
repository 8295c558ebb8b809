using FwCluster.Conntrack;
using FwCluster.Control.Nodes;
using FwCluster.Node.Configuration;
using FwCluster.Node.Live;
using FwCluster.Node.State;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FwCluster.Node.Metrics;

/// <summary>
/// Looks at the node every few seconds, and when somebody asks for the metrics: what belongs to a thread is asked of that thread, so that the
/// instruments (<see cref="NodeMetrics"/>) never wait and no packet waits for them.
/// </summary>
internal sealed partial class Sampler : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    // Of a table that owns connections: OwnedOf.
    private const int Columns = 5;

    private readonly GrowingSum _owned = new(Columns);
    private readonly GrowingSum _found = new(1);
    private readonly GrowingSum _shardWork = new(6);
    private readonly GrowingSum _failures = new(Enum.GetValues<TrackFailure>().Length);
    private readonly NodeSettings _settings;
    private readonly NodeState _state;
    private readonly NodeMetrics _metrics;
    private readonly ILogger _log;
    private readonly SharedTurns _looks;
    private RuleSampler? _rules;

    public Sampler(NodeSettings settings, NodeState state, NodeMetrics metrics, ILogger<Sampler> log)
    {
        (_settings, _state, _metrics, _log) = (settings, state, metrics, log);
        _looks = new SharedTurns(SampleAsync);
    }

    /// <summary>Sees to it that the instruments tell what is now, or, where the node does not answer in time, what was last.</summary>
    public async Task RefreshAsync()
    {
        try
        {
            await _looks.Next().WaitAsync(Patience).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            LogLate(_log, Patience.TotalSeconds);
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every);
        try
        {
            do
            {
                await RefreshAsync().ConfigureAwait(false);
            }
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            // The daemon stops.
        }
    }

    private async Task SampleAsync()
    {
        try
        {
            _metrics.Take(_state.TryGet(out var gateway) ? await LookAsync(gateway).ConfigureAwait(false) : null);
        }
#pragma warning disable CA1031 // a port that has just ended, a shard that has just left: the next look is another one
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogFailed(_log, e.Message);
        }
    }

    private async Task<NodeSample> LookAsync(Gateway gateway)
    {
        _rules ??= new RuleSampler(gateway, _settings.Telemetry.MostRules);
        var (rules, numbers) = await _rules.ReadAsync().ConfigureAwait(false);
        var workers = await Task.WhenAll(gateway.Lanes.Select(lane => lane.Loop.Ask(worker => TableCounts.Read(worker.Connections)))).ConfigureAwait(false);
        var shards = gateway.Shards is { } host ? await AskShardsAsync(host).ConfigureAwait(false) : [];
        // Owners by number; a worker's is below 0.
        var tables = workers.Select((table, lane) => KeyValuePair.Create(-1 - lane, table)).Concat(shards.Select(s => KeyValuePair.Create(s.Number, s.Table))).ToArray();
        var owners = gateway.Shards is null ? tables : tables.Where(t => t.Key >= 0).ToArray();
        var owned = _owned.Take(owners.Select(t => KeyValuePair.Create(t.Key, OwnedOf(t.Value))));
        return new NodeSample
        {
            Gateway = gateway,
            Ports = [.. gateway.Lanes.Select(lane => lane.Loop.Counts)],
            Owned = new TableCounts(Sum(owners.Select(t => t.Value.Entries)), 0, owned[0], owned[1], owned[2], owned[3], owned[4], []),
            Shards = [.. shards.Select(s => (s.Number, s.Table.Entries))],
            ShardWork = gateway.Shards is null ? null : ShardCounts.Of(_shardWork.Take(shards.Select(s => KeyValuePair.Create(s.Number, s.Work.Row)))),
            Failures = _failures.Take(tables.Select(t => KeyValuePair.Create(t.Key, t.Value.Failures.ToArray()))),
            Found = _found.Take(tables.Select(t => KeyValuePair.Create(t.Key, (ulong[])[t.Value.Found])))[0],
            Held = gateway.Shards is null ? 0 : Sum(workers.Select(t => t.Entries)),
            Rules = rules,
            RuleTags = _rules.Tags,
            RuleNumbers = numbers,
        };
    }

    private static async Task<ShardLook[]> AskShardsAsync(IShardHost host)
    {
        var looks = await Task.WhenAll(host.Numbers.Select(async number =>
        {
            try
            {
                return await host.Ask(number, shard => new ShardLook(number, TableCounts.Read(shard.Connections), ShardCounts.Read(shard.Statistics))).ConfigureAwait(false);
            }
            catch (TableGoneException)
            {
                return null; // it has just moved
            }
        })).ConfigureAwait(false);
        return [.. looks.OfType<ShardLook>()];
    }

    private static ulong[] OwnedOf(TableCounts table)
        => [table.Inserted, table.Removed, table.EarlyDropped, table.ExpectationsCreated, table.ExpectationsMatched];

    private static ulong Sum(IEnumerable<ulong> numbers) => numbers.Aggregate(0UL, (sum, number) => sum + number);

    private sealed record ShardLook(int Number, TableCounts Table, ShardCounts Work);

    [LoggerMessage(LogLevel.Warning, "Metrics are older than they should be: the node did not answer within {Seconds} s")]
    private static partial void LogLate(ILogger log, double seconds);

    [LoggerMessage(LogLevel.Debug, "Metrics could not be read: {Message}")]
    private static partial void LogFailed(ILogger log, string message);
}
