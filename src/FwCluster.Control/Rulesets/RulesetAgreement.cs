using Microsoft.Extensions.Logging;

namespace FwCluster.Control.Rulesets;

/// <summary>
/// The agreement of nodes that this process reaches: its own, and whichever are given beside it.
/// <list type="number">
/// <item>Every node makes the rules ready; where one cannot, nothing was changed.</item>
/// <item>The generation goes to the disk. From here on it is in force, also after a crash.</item>
/// <item>Every node switches, which cannot fail.</item>
/// </list>
/// A generation that waits to be confirmed goes when its time is over, and also at the next start: who could have confirmed it was cut off, or
/// the machine was.
/// </summary>
public sealed partial class RulesetAgreement : IRulesetAgreement, IDisposable
{
    private readonly SemaphoreSlim _changing = new(1);
    private readonly RulesetWatchers _watchers;
    private readonly RulesetStore _store;
    private readonly IReadOnlyList<IRulesetTarget> _nodes;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private ITimer? _timer;
    private volatile InForce _current;

    /// <summary>Makes an agreement.</summary>
    /// <param name="store">The generations on the disk.</param>
    /// <param name="recovered">What <see cref="Recover"/> found: the nodes run it already.</param>
    /// <param name="nodes">The nodes.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Where is told what happens by itself.</param>
    public RulesetAgreement(RulesetStore store, InForce recovered, IReadOnlyList<IRulesetTarget> nodes, TimeProvider time, ILogger<RulesetAgreement> log)
    {
        _store = store;
        _current = recovered;
        _nodes = nodes;
        _time = time;
        _log = log;
        _watchers = new RulesetWatchers(_changing);
    }

    /// <inheritdoc/>
    public InForce Current => _current;

    /// <inheritdoc/>
    public bool Leads => true;

    /// <summary>Finds what is to be in force at a start. A generation that was not confirmed is undone by a new one.</summary>
    /// <param name="store">The generations.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="RulesetStoreException">The generation cannot be read, or this version does not understand its rules any more.</exception>
    public static InForce Recover(RulesetStore store, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(time);
        var latest = store.Latest;
        if (latest.ConfirmBy is null) return RulesetSuccession.Load(store, latest);
        var before = RulesetSuccession.Load(store, RulesetSuccession.LastKept(store, latest));
        var undone = RulesetSuccession.Undo(latest, before.Generation, "before a restart", time.GetUtcNow());
        store.Add(undone, before.Rules.Texts);
        return before with { Generation = undone };
    }

    /// <inheritdoc/>
    public async Task<(InForce Before, InForce After)> ApplyAsync(RulesetProposal proposal)
    {
        ArgumentNullException.ThrowIfNull(proposal);
        await _changing.WaitAsync().ConfigureAwait(false);
        try
        {
            var before = _current;
            RulesetSuccession.Check(before.Generation, proposal.Expected);
            var generation = RulesetSuccession.Next(before.Generation, proposal.Rules.Texts, RulesetReason.Of(proposal), _time.GetUtcNow());
            await SwitchAsync(new InForce(generation, proposal.Rules)).ConfigureAwait(false);
            if (proposal.ConfirmWithin is { } within) StartTimer(generation.Number, within);
            Tell(proposal.Restores == 0 ? RulesetChangeKind.Applied : RulesetChangeKind.RolledBack);
            return (before, _current);
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <inheritdoc/>
    public async Task<RulesetGeneration> ConfirmAsync(ulong generation)
    {
        await _changing.WaitAsync().ConfigureAwait(false);
        try
        {
            var current = _current;
            RulesetSuccession.CheckWaits(current.Generation, generation);
            var confirmed = RulesetSuccession.Guard(() => _store.Confirm(current.Generation, _time.GetUtcNow()));
            StopTimer();
            _current = current with { Generation = confirmed };
            Tell(RulesetChangeKind.Confirmed);
            return confirmed;
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<RulesetGeneration> History(int limit, ulong before) => _store.History(limit, before);

    /// <inheritdoc/>
    public InForce Read(ulong generation) => RulesetSuccession.Read(_store, _current, generation);

    /// <inheritdoc/>
    public IAsyncEnumerable<RulesetChanged> WatchAsync(CancellationToken cancellation) => _watchers.WatchAsync(() => _current.Generation, cancellation);

    /// <inheritdoc/>
    public void Dispose()
    {
        StopTimer();
        _changing.Dispose();
    }

    private async Task SwitchAsync(InForce next)
    {
        var prepared = new List<IPreparedRuleset>(_nodes.Count);
        foreach (var node in _nodes) prepared.Add(await PrepareAsync(node, next).ConfigureAwait(false));
        RulesetSuccession.Guard(() =>
        {
            _store.Add(next.Generation, next.Rules.Texts);
            return true;
        });
        _current = next;
        foreach (var ready in prepared) await ready.CommitAsync().ConfigureAwait(false);
    }

    private static async Task<IPreparedRuleset> PrepareAsync(IRulesetTarget node, InForce next)
    {
        try
        {
            return await node.PrepareAsync(next).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // whatever keeps a node from it keeps all from it, and is told
        catch (Exception e)
#pragma warning restore CA1031
        {
            throw new RulesetRefusedException(RulesetRefusal.Node, $"node {node.Name} cannot take the rules, so they are nowhere in force: {e.Message}", e);
        }
    }

    private async Task ExpireAsync(ulong generation)
    {
        await _changing.WaitAsync().ConfigureAwait(false);
        try
        {
            var current = _current.Generation;
            if (current.Number != generation || current.ConfirmBy is null) return; // confirmed while the timer ran out
            var before = RulesetSuccession.Load(_store, RulesetSuccession.LastKept(_store, current));
            await SwitchAsync(before with { Generation = RulesetSuccession.Undo(current, before.Generation, "in time", _time.GetUtcNow()) }).ConfigureAwait(false);
            LogExpired(_log, generation, _current.Generation.Number, before.Generation.Number);
            StopTimer();
            Tell(RulesetChangeKind.Expired);
        }
#pragma warning disable CA1031 // tried again: rules that nobody confirmed must not stay
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogNotUndone(_log, generation, e.Message);
            StartTimer(generation, TimeSpan.FromSeconds(1));
        }
        finally
        {
            _changing.Release();
        }
    }

    private void StartTimer(ulong generation, TimeSpan within)
    {
        StopTimer();
        _timer = _time.CreateTimer(_ => _ = ExpireAsync(generation), null, within, Timeout.InfiniteTimeSpan);
    }

    private void StopTimer()
    {
        _timer?.Dispose();
        _timer = null;
    }

    private void Tell(RulesetChangeKind kind) => _watchers.Tell(kind, _current.Generation);

    [LoggerMessage(LogLevel.Warning, "Generation {Generation} was not confirmed in time: generation {Next} has the rules of {Before} again")]
    private static partial void LogExpired(ILogger log, ulong generation, ulong next, ulong before);

    [LoggerMessage(LogLevel.Error, "Generation {Generation} was not confirmed in time, and could not be undone yet: {Message}")]
    private static partial void LogNotUndone(ILogger log, ulong generation, string message);
}
