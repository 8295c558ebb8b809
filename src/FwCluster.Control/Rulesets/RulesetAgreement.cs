using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
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
    private const string Self = "fwclusterd";

    private readonly SemaphoreSlim _changing = new(1);
    private readonly ConcurrentDictionary<Channel<RulesetChanged>, bool> _watchers = [];
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
    }

    /// <inheritdoc/>
    public InForce Current => _current;

    /// <summary>Finds what is to be in force at a start. A generation that was not confirmed is undone by a new one.</summary>
    /// <param name="store">The generations.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="RulesetStoreException">The generation cannot be read, or this version does not understand its rules any more.</exception>
    public static InForce Recover(RulesetStore store, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(time);
        var latest = store.Latest;
        if (latest.ConfirmBy is null) return Load(store, latest);
        var before = Load(store, LastKept(store, latest));
        var undone = Undo(latest, before.Generation, "before a restart", time.GetUtcNow());
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
            if (proposal.Expected is { } expected && expected != before.Generation.Number)
            {
                throw new RulesetRefusedException(
                    RulesetRefusal.Stale, $"the rules were to follow generation {expected}, but generation {before.Generation.Number} is in force");
            }
            if (before.Generation.ConfirmBy is { } until)
            {
                throw new RulesetRefusedException(
                    RulesetRefusal.Unconfirmed, $"generation {before.Generation.Number} waits to be confirmed until {until.UtcDateTime:HH:mm:ss} UTC; confirm it first, or wait");
            }
            var now = _time.GetUtcNow();
            var generation = new RulesetGeneration
            {
                Number = before.Generation.Number + 1,
                Applied = now,
                Author = GenerationFile.OneLine(proposal.Author),
                Comment = GenerationFile.OneLine(proposal.Comment),
                Restores = proposal.Restores,
                ConfirmBy = now + proposal.ConfirmWithin,
                Digest = proposal.Rules.Texts.Digest(),
            };
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
            if (current.Generation.Number != generation || current.Generation.ConfirmBy is null)
            {
                throw new RulesetRefusedException(RulesetRefusal.NotWaiting,
                    $"generation {generation} does not wait to be confirmed; generation {current.Generation.Number} is in force");
            }
            var confirmed = Guard(() => _store.Confirm(current.Generation, _time.GetUtcNow()));
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
    public InForce Read(ulong generation)
    {
        var current = _current;
        if (generation == current.Generation.Number) return current;
        var found = _store.Find(generation)
            ?? throw new RulesetRefusedException(RulesetRefusal.NotFound, $"there is no generation {generation}; generation {current.Generation.Number} is in force");
        return Guard(() => Load(_store, found));
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<RulesetChanged> WatchAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        // Changes are rare; one that reads too slowly misses the oldest, and still learns what is in force.
        var changes = Channel.CreateBounded<RulesetChanged>(new BoundedChannelOptions(256) { FullMode = BoundedChannelFullMode.DropOldest });
        try
        {
            await _changing.WaitAsync(cancellation).ConfigureAwait(false); // no change between what is in force and the first one told
            changes.Writer.TryWrite(new RulesetChanged(RulesetChangeKind.InForce, _current.Generation));
            _watchers[changes] = true;
            _changing.Release();
            await foreach (var change in changes.Reader.ReadAllAsync(cancellation).ConfigureAwait(false)) yield return change;
        }
        finally
        {
            _watchers.TryRemove(changes, out _);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        StopTimer();
        _changing.Dispose();
    }

    private static InForce Load(RulesetStore store, RulesetGeneration generation)
    {
        var (rules, errors) = CheckedRuleset.Read(store.Read(generation));
        return rules is not null
            ? new InForce(generation, rules)
            : throw new RulesetStoreException(
                $"generation {generation.Number} has rules that this version does not understand:\n{string.Join('\n', errors.Select(e => e.Format()))}");
    }

    private static RulesetGeneration LastKept(RulesetStore store, RulesetGeneration unconfirmed)
        => store.History(int.MaxValue, unconfirmed.Number).FirstOrDefault(g => g.ConfirmBy is null) ?? RulesetGeneration.None;

    private static RulesetGeneration Undo(RulesetGeneration undone, RulesetGeneration before, string when, DateTimeOffset now) => new()
    {
        Number = undone.Number + 1,
        Applied = now,
        Author = Self,
        Comment = $"generation {undone.Number} was not confirmed {when}",
        Restores = before.Number,
        Digest = before.Digest,
    };

    private async Task SwitchAsync(InForce next)
    {
        var prepared = new List<IPreparedRuleset>(_nodes.Count);
        foreach (var node in _nodes) prepared.Add(await PrepareAsync(node, next).ConfigureAwait(false));
        Guard(() =>
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
            var before = Load(_store, LastKept(_store, current));
            await SwitchAsync(before with { Generation = Undo(current, before.Generation, "in time", _time.GetUtcNow()) }).ConfigureAwait(false);
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

    private static T Guard<T>(Func<T> useDisk)
    {
        try
        {
            return useDisk();
        }
        catch (RulesetStoreException e)
        {
            throw new RulesetRefusedException(RulesetRefusal.Disk, e.Message, e);
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

    private void Tell(RulesetChangeKind kind)
    {
        foreach (var watcher in _watchers.Keys) watcher.Writer.TryWrite(new RulesetChanged(kind, _current.Generation));
    }

    [LoggerMessage(LogLevel.Warning, "Generation {Generation} was not confirmed in time: generation {Next} has the rules of {Before} again")]
    private static partial void LogExpired(ILogger log, ulong generation, ulong next, ulong before);

    [LoggerMessage(LogLevel.Error, "Generation {Generation} was not confirmed in time, and could not be undone yet: {Message}")]
    private static partial void LogNotUndone(ILogger log, ulong generation, string message);
}
