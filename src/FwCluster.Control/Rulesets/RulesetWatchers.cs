using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace FwCluster.Control.Rulesets;

/// <summary>Who wants to know of each change.</summary>
/// <param name="changing">Held while rules change.</param>
internal sealed class RulesetWatchers(SemaphoreSlim changing)
{
    private readonly ConcurrentDictionary<Channel<RulesetChanged>, bool> _watchers = [];

    /// <summary>Tells all.</summary>
    public void Tell(RulesetChangeKind kind, RulesetGeneration generation)
    {
        foreach (var watcher in _watchers.Keys) watcher.Writer.TryWrite(new RulesetChanged(kind, generation));
    }

    /// <summary>What is in force, and then each change.</summary>
    public async IAsyncEnumerable<RulesetChanged> WatchAsync(Func<RulesetGeneration> current, [EnumeratorCancellation] CancellationToken cancellation)
    {
        // Changes are rare; one that reads too slowly misses the oldest, and still learns what is in force.
        var changes = Channel.CreateBounded<RulesetChanged>(new BoundedChannelOptions(256) { FullMode = BoundedChannelFullMode.DropOldest });
        try
        {
            await changing.WaitAsync(cancellation).ConfigureAwait(false); // no change between what is in force and the first one told
            changes.Writer.TryWrite(new RulesetChanged(RulesetChangeKind.InForce, current()));
            _watchers[changes] = true;
            changing.Release();
            await foreach (var change in changes.Reader.ReadAllAsync(cancellation).ConfigureAwait(false)) yield return change;
        }
        finally
        {
            _watchers.TryRemove(changes, out _);
        }
    }
}
