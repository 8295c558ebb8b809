using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using FwCluster.Api.V1;
using Kind = FwCluster.Api.V1.ConntrackEvent.Types.Kind;

namespace FwCluster.Control.Nodes;

/// <summary>
/// Makes one watch of several sources that come and go. It has begun when those that are there at first have begun, or have failed to; what comes
/// later is watched from then on, and one that fails is tried again.
/// </summary>
/// <typeparam name="TSource">What tells a source from the others.</typeparam>
internal sealed class MergedWatch<TSource>
    where TSource : notnull
{
    private readonly ConcurrentDictionary<TSource, bool> _lost = [];
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    // One place: whoever has the next event waits until this one was read, and events pile up where they are counted when they are lost.
    private readonly Channel<ConntrackEvent> _events = Channel.CreateBounded<ConntrackEvent>(1);

    /// <summary>The sources that there are now.</summary>
    public required Func<IReadOnlyList<TSource>> Sources { get; init; }

    /// <summary>Watches one.</summary>
    public required Func<TSource, CancellationToken, IAsyncEnumerable<ConntrackEvent>> Watch { get; init; }

    /// <summary>How often sources are looked for.</summary>
    public required TimeSpan Interval { get; init; }

    /// <summary>What is told when a source's watch ends by an exception, or without one; null for nothing. May throw what ends the whole watch.</summary>
    public Func<TSource, Exception?, ConntrackEvent?> Lost { get; init; } = (_, _) => null;

    /// <summary>What is told when a source was lost, or has come; null for nothing.</summary>
    public Func<TSource, ConntrackEvent?> Found { get; init; } = _ => null;

    /// <summary>Events of all, as they come; the first says that the watch has begun.</summary>
    public async IAsyncEnumerable<ConntrackEvent> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var following = FollowAsync(stop.Token);
        try
        {
            await foreach (var told in _events.Reader.ReadAllAsync(stop.Token).ConfigureAwait(false)) yield return told;
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task FollowAsync(CancellationToken stop)
    {
        var running = new Dictionary<TSource, (Task Reading, CancellationTokenSource Stop)>();
        try
        {
            while (true)
            {
                var sources = Sources();
                foreach (var gone in running.Keys.Except(sources).ToList())
                {
                    await running[gone].Stop.CancelAsync().ConfigureAwait(false);
                    if (running[gone].Reading.IsCompleted && running.Remove(gone, out var ended)) ended.Stop.Dispose();
                }
                var beginnings = new List<Task>();
                foreach (var source in sources)
                {
                    if (running.TryGetValue(source, out var known))
                    {
                        if (!known.Reading.IsCompleted) continue;
                        known.Stop.Dispose();
                    }
                    var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                    var its = CancellationTokenSource.CreateLinkedTokenSource(stop);
                    running[source] = (ReadAsync(source, ready, its.Token), its);
                    beginnings.Add(ready.Task);
                }
                if (!_begun.Task.IsCompleted)
                {
                    await Task.WhenAll(beginnings).WaitAsync(stop).ConfigureAwait(false);
                    await _events.Writer.WriteAsync(new ConntrackEvent { Kind = Kind.Watching, Time = Now }, stop).ConfigureAwait(false);
                    _begun.SetResult();
                }
                await Task.Delay(Interval, stop).ConfigureAwait(false);
            }
        }
#pragma warning disable CA1031 // handed to who reads the events
        catch (Exception e)
#pragma warning restore CA1031
        {
            _events.Writer.TryComplete(e);
        }
        finally
        {
            _begun.TrySetCanceled(CancellationToken.None);
            foreach (var (reading, _) in running.Values) await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            foreach (var (_, its) in running.Values) its.Dispose();
        }
    }

    /// <summary>The time, as events have it.</summary>
    private static Google.Protobuf.WellKnownTypes.Timestamp Now => Google.Protobuf.WellKnownTypes.Timestamp.FromDateTime(DateTime.UtcNow);

    private async Task ReadAsync(TSource source, TaskCompletionSource ready, CancellationToken stop)
    {
        var isFirst = !_begun.Task.IsCompleted;
        Exception? problem = null;
        try
        {
            await foreach (var told in Watch(source, stop).WithCancellation(stop).ConfigureAwait(false))
            {
                var news = told;
                if (told.Kind == Kind.Watching)
                {
                    ready.TrySetResult();
                    news = _lost.TryRemove(source, out _) || !isFirst ? Found(source) : null;
                }
                await WriteAsync(news, stop).ConfigureAwait(false);
            }
        }
#pragma warning disable CA1031 // judged by Lost
        catch (Exception e)
#pragma warning restore CA1031
        {
            problem = e;
        }
        ready.TrySetResult();
        try
        {
            if (!stop.IsCancellationRequested && _lost.TryAdd(source, true)) await WriteAsync(Lost(source, problem), stop).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // handed to who reads the events
        catch (Exception e)
#pragma warning restore CA1031
        {
            if (!stop.IsCancellationRequested) _events.Writer.TryComplete(e);
        }
    }

    private async Task WriteAsync(ConntrackEvent? news, CancellationToken stop)
    {
        await _begun.Task.WaitAsync(stop).ConfigureAwait(false);
        if (news is null) return;
        news.Time ??= Now;
        await _events.Writer.WriteAsync(news, stop).ConfigureAwait(false);
    }
}
