using System.Net.Sockets;
using System.Runtime.CompilerServices;
using FwCluster.Api.V1;
using FwCluster.Control.Access;
using Grpc.Core;

namespace FwCluster.Control.Nodes;

/// <summary>
/// Another node of the cluster, asked by the public API. What a node asks is about the node that it asks alone, so nothing is asked in a circle;
/// it is asked on behalf of a caller, whose role counts there, too, and whose name stands in the audit there. Each question has its time.
/// </summary>
/// <param name="peer">The node.</param>
/// <param name="channels">The ways to nodes.</param>
/// <param name="caller">On whose behalf.</param>
internal sealed class RemoteNode(Peer peer, PeerChannels channels, Caller caller) : IControlledNode
{
    /// <summary>For what is answered at once.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(5);

    /// <summary>For what goes through tables, or waits for shards to move.</summary>
    private static readonly TimeSpan Later = TimeSpan.FromSeconds(50);

    /// <inheritdoc/>
    public string Name => peer.Name;

    /// <summary>The node as the cluster knows it.</summary>
    public Peer Peer => peer;

    /// <inheritdoc/>
    public async Task<Node> DescribeAsync()
    {
        var response = await Ask((invoker, options) => new ClusterService.ClusterServiceClient(invoker).StatusAsync(new(), options), Soon).ConfigureAwait(false);
        return response.Nodes.FirstOrDefault(node => node.Name == Name) ?? throw new NodeUnavailableException(Name, "it does not know itself by this name");
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<CapturePort>> PortsAsync()
        => (await Ask((invoker, options) => new CaptureService.CaptureServiceClient(invoker).ListPortsAsync(new(), options), Soon).ConfigureAwait(false)).Ports;

    /// <inheritdoc/>
    public async IAsyncEnumerable<IReadOnlyList<Connection>> ListAsync(ConnectionMatcher matcher, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var pages = new ConntrackService.ConntrackServiceClient(Open()).List(new() { Filter = matcher.Filter }, Options(null, cancellation));
        while (await Next(pages.ResponseStream, cancellation).ConfigureAwait(false)) yield return pages.ResponseStream.Current.Connections;
    }

    /// <inheritdoc/>
    public async Task<(ulong Count, ulong Limit)> CountAsync(ConnectionMatcher matcher, CancellationToken cancellation)
    {
        var response = await Ask((invoker, options) => new ConntrackService.ConntrackServiceClient(invoker).CountAsync(new() { Filter = matcher.Filter }, options),
            matcher.IsAll ? Soon : Later, cancellation).ConfigureAwait(false);
        return (response.Count, response.Limit);
    }

    /// <inheritdoc/>
    public async Task<ulong> DeleteAsync(ConnectionMatcher matcher, CancellationToken cancellation)
    {
        var request = new DeleteConnectionsRequest { Filter = matcher.Filter, All = matcher.IsAll };
        return (await Ask((invoker, options) => new ConntrackService.ConntrackServiceClient(invoker).DeleteAsync(request, options), Later, cancellation).ConfigureAwait(false)).Deleted;
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ConntrackEvent> WatchAsync(ConnectionMatcher matcher, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var events = new ConntrackService.ConntrackServiceClient(Open()).Watch(new() { Filter = matcher.Filter }, Options(null, cancellation));
        while (await Next(events.ResponseStream, cancellation).ConfigureAwait(false)) yield return events.ResponseStream.Current;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ShardStatistics>> StatisticsAsync()
        => (await Ask((invoker, options) => new ConntrackService.ConntrackServiceClient(invoker).StatisticsAsync(new(), options), Soon).ConfigureAwait(false)).Shards;

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ConntrackExpectation>> ExpectationsAsync(ConnectionMatcher masters)
        => (await Ask((invoker, options) => new ConntrackService.ConntrackServiceClient(invoker).ListExpectationsAsync(new() { Master = masters.Filter }, options), Later)
            .ConfigureAwait(false)).Expectations;

    /// <inheritdoc/>
    public async Task<ulong> DeleteExpectationsAsync(ConnectionMatcher masters)
    {
        var request = new DeleteExpectationsRequest { Master = masters.Filter, All = masters.IsAll };
        return (await Ask((invoker, options) => new ConntrackService.ConntrackServiceClient(invoker).DeleteExpectationsAsync(request, options), Later).ConfigureAwait(false)).Deleted;
    }

    /// <inheritdoc/>
    public async Task<ReadCountersResponse> CountersAsync(CounterSelection selection, bool zero, CancellationToken cancellation)
    {
        if (!zero)
        {
            return await Ask((invoker, options) => new CountersService.CountersServiceClient(invoker).ReadAsync(new() { Selection = selection }, options), Soon, cancellation)
                .ConfigureAwait(false);
        }
        var zeroed = await Ask((invoker, options) => new CountersService.CountersServiceClient(invoker).ReadAndZeroAsync(new() { Selection = selection }, options), Soon, cancellation)
            .ConfigureAwait(false);
        return new ReadCountersResponse { Generation = zeroed.Generation, Chains = { zeroed.Chains } };
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Helper>> HelpersAsync()
        => (await Ask((invoker, options) => new HelperService.HelperServiceClient(invoker).ListAsync(new(), options), Soon).ConfigureAwait(false)).Helpers;

    /// <inheritdoc/>
    public async Task<(Helper Before, Helper After)?> SetHelperAsync(string name, bool loaded)
    {
        if ((await HelpersAsync().ConfigureAwait(false)).FirstOrDefault(helper => helper.Name == name) is not { } before) return null;
        var after = loaded
            ? (await Ask((invoker, options) => new HelperService.HelperServiceClient(invoker).LoadAsync(new() { Name = name }, options), Soon).ConfigureAwait(false)).Helper
            : (await Ask((invoker, options) => new HelperService.HelperServiceClient(invoker).UnloadAsync(new() { Name = name }, options), Soon).ConfigureAwait(false)).Helper;
        return (before, after);
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyDictionary<string, long>> SettingsAsync()
        => (await Ask((invoker, options) => new SettingsService.SettingsServiceClient(invoker).GetAsync(new(), options), Soon).ConfigureAwait(false)).Settings.ToDictionary();

    /// <inheritdoc/>
    public async Task<string?> ChangeSettingsAsync(IReadOnlyDictionary<string, long> settings)
    {
        try
        {
            var request = new SetSettingsRequest();
            foreach (var (name, value) in settings) request.Settings[name] = value;
            await Ask((invoker, options) => new SettingsService.SettingsServiceClient(invoker).SetAsync(request, options), Soon).ConfigureAwait(false);
            return null;
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.InvalidArgument)
        {
            return e.Status.Detail;
        }
    }

    /// <inheritdoc/>
    public async Task<int?> DrainAsync(bool undo, CancellationToken cancellation)
    {
        try
        {
            var request = new DrainNodeRequest { Node = Name, Undo = undo };
            return (int)(await Ask((invoker, options) => new ClusterService.ClusterServiceClient(invoker).DrainAsync(request, options), Later, cancellation).ConfigureAwait(false)).Shards;
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.FailedPrecondition)
        {
            return null;
        }
    }

    private CallInvoker Open() => channels.Open(peer);

    private CallOptions Options(TimeSpan? limit, CancellationToken cancellation)
        => new(OnBehalf.Headers(caller), limit is { } time ? DateTime.UtcNow + time : null, cancellation);

    private async Task<T> Ask<T>(Func<CallInvoker, CallOptions, AsyncUnaryCall<T>> call, TimeSpan limit, CancellationToken cancellation = default)
    {
        try
        {
            return await call(Open(), Options(limit, cancellation)).ConfigureAwait(false);
        }
        catch (RpcException e) when (!cancellation.IsCancellationRequested && IsAboutTheNode(e))
        {
            throw Unavailable(e);
        }
    }

    private async Task<bool> Next<T>(IAsyncStreamReader<T> stream, CancellationToken cancellation)
    {
        try
        {
            return await stream.MoveNext(cancellation).ConfigureAwait(false);
        }
        catch (RpcException e) when (!cancellation.IsCancellationRequested && IsAboutTheNode(e))
        {
            throw Unavailable(e);
        }
    }

    /// <summary>False where what was asked is wrong. Who asks may ask, or would not have come so far: a refusal is about this node.</summary>
    private static bool IsAboutTheNode(RpcException e)
        => e.StatusCode is not (StatusCode.InvalidArgument or StatusCode.NotFound or StatusCode.FailedPrecondition);

    private NodeUnavailableException Unavailable(RpcException e)
    {
        Exception inner = e;
        while ((inner is RpcException rpc ? rpc.Status.DebugException ?? rpc.InnerException : inner.InnerException) is { } deeper) inner = deeper;
        var reason = e.StatusCode switch
        {
            StatusCode.DeadlineExceeded => "it did not answer in time",
            StatusCode.Unavailable or StatusCode.Internal when channels.Refusal(peer) is { } refusal => refusal,
            StatusCode.Unavailable or StatusCode.Internal when inner is SocketException socket => socket.Message,
            StatusCode.Unavailable or StatusCode.Internal when inner is OperationCanceledException or TimeoutException => "it did not answer in time",
            StatusCode.Unavailable or StatusCode.Internal or StatusCode.Cancelled when inner != e => $"the connection broke: {inner.Message}",
            _ => $"it refused: {e.Status.Detail}",
        };
        return new NodeUnavailableException(Name, peer.Control is null ? reason : $"{reason} ({peer.Control.Authority})", e);
    }
}
