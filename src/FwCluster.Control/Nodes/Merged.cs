using System.Runtime.CompilerServices;
using System.Threading.Channels;
using FwCluster.Api.V1;
using Kind = FwCluster.Api.V1.ConntrackEvent.Types.Kind;

namespace FwCluster.Control.Nodes;

/// <summary>Makes one watch of several. It has begun when all of them have.</summary>
internal static class Merged
{
    /// <summary>Events of all, as they come; of the first events, which say that the watch has begun, only the last.</summary>
    public static async IAsyncEnumerable<ConntrackEvent> Of(
        IReadOnlyList<IAsyncEnumerable<ConntrackEvent>> watches, [EnumeratorCancellation] CancellationToken cancellation)
    {
        // One place: whoever has the next event waits until this one was read, and events pile up where they are counted when they are lost.
        var events = Channel.CreateBounded<ConntrackEvent>(1);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var readers = watches.Select(watch => ReadAsync(watch, events.Writer, stop.Token)).ToArray();
        try
        {
            var waiting = watches.Count;
            await foreach (var told in events.Reader.ReadAllAsync(stop.Token).ConfigureAwait(false))
            {
                if (told.Kind == Kind.Watching && --waiting > 0) continue;
                yield return told;
            }
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(readers).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task ReadAsync(IAsyncEnumerable<ConntrackEvent> watch, ChannelWriter<ConntrackEvent> events, CancellationToken stop)
    {
        try
        {
            await foreach (var told in watch.WithCancellation(stop).ConfigureAwait(false)) await events.WriteAsync(told, stop).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // handed to who reads the events
        catch (Exception e)
#pragma warning restore CA1031
        {
            events.TryComplete(e);
        }
    }
}
