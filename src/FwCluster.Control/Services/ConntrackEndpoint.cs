using FwCluster.Api.V1;
using FwCluster.Control.Access;
using FwCluster.Control.Nodes;
using Grpc.Core;
using Kind = FwCluster.Api.V1.ConntrackEvent.Types.Kind;

namespace FwCluster.Control.Services;

/// <summary>Answers <see cref="ConntrackService"/>.</summary>
internal sealed class ConntrackEndpoint(IControlledCluster cluster) : ConntrackService.ConntrackServiceBase
{
    private static readonly TimeSpan NodesInterval = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public override async Task List(ListConnectionsRequest request, IServerStreamWriter<ListConnectionsResponse> responseStream, ServerCallContext context)
    {
        var (matcher, nodes) = Matcher(request.Filter, context);
        var left = request.Limit == 0 ? ulong.MaxValue : request.Limit;
        var last = new ListConnectionsResponse();
        foreach (var node in nodes)
        {
            try
            {
                await foreach (var page in node.ListAsync(matcher, context.CancellationToken).ConfigureAwait(false))
                {
                    var response = new ListConnectionsResponse();
                    response.Connections.Add(left < (ulong)page.Count ? page.Take((int)left) : page);
                    await responseStream.WriteAsync(response).ConfigureAwait(false);
                    left -= (ulong)response.Connections.Count;
                    if (left == 0) break;
                }
            }
            catch (NodeUnavailableException e) when (nodes.Count > 1)
            {
                last.Failures.Add(NodeAnswers.Failure(e));
            }
            if (left == 0) break;
        }
        if (last.Failures.Count > 0) await responseStream.WriteAsync(last).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override async Task<CountConnectionsResponse> Count(CountConnectionsRequest request, ServerCallContext context)
    {
        var (matcher, nodes) = Matcher(request.Filter, context);
        var response = new CountConnectionsResponse();
        var counts = await nodes.AskAsync(node => node.CountAsync(matcher, context.CancellationToken), response.Failures).ConfigureAwait(false);
        foreach (var (_, (count, limit)) in counts)
        {
            response.Count += count;
            response.Limit += limit;
        }
        return response;
    }

    /// <inheritdoc/>
    public override async Task<DeleteConnectionsResponse> Delete(DeleteConnectionsRequest request, ServerCallContext context)
    {
        var (matcher, nodes) = Matcher(request.Filter, request.All, context);
        context.Note($"delete connections {matcher.Filter}");
        var response = new DeleteConnectionsResponse();
        foreach (var (_, deleted) in await nodes.AskAsync(node => node.DeleteAsync(matcher, context.CancellationToken), response.Failures).ConfigureAwait(false))
            response.Deleted += deleted;
        context.Note($"delete connections {matcher.Filter}", $"{response.Deleted} connections", "none of them");
        return response;
    }

    /// <inheritdoc/>
    public override async Task Watch(WatchConntrackRequest request, IServerStreamWriter<ConntrackEvent> responseStream, ServerCallContext context)
    {
        var (matcher, nodes) = Matcher(request.Filter, context);
        // What is said of the watch itself is no event that one could not want.
        HashSet<Kind> kinds = [.. request.Kinds, Kind.Watching, Kind.NodeLost, Kind.NodeFound];
        var watches = new MergedWatch<string>
        {
            Sources = () => [.. (nodes.Count == 1 ? nodes : cluster.Named("", context)).Select(node => node.Name)],
            Watch = (name, stop) => cluster.Named(name, context).Single().WatchAsync(matcher, stop),
            Interval = NodesInterval,
            Lost = (name, problem) => new ConntrackEvent
            {
                Kind = Kind.NodeLost, Node = name, Reason = problem switch
                {
                    null => "it ended its watch",
                    NodeUnavailableException e when nodes.Count > 1 => e.Reason,
                    RpcException { StatusCode: StatusCode.NotFound } when nodes.Count > 1 => "it has left the cluster",
                    _ => throw problem,
                },
            },
            Found = name => new ConntrackEvent { Kind = Kind.NodeFound, Node = name },
        };
        var lost = 0UL;
        await foreach (var told in watches.RunAsync(context.CancellationToken).ConfigureAwait(false))
        {
            lost += told.Lost;
            if (request.Kinds.Count > 0 && !kinds.Contains(told.Kind)) continue;
            await responseStream.WriteAsync(told.Lost == lost ? told : new ConntrackEvent(told) { Lost = lost }).ConfigureAwait(false);
            lost = 0;
        }
    }

    /// <inheritdoc/>
    public override async Task<ConntrackStatisticsResponse> Statistics(ConntrackStatisticsRequest request, ServerCallContext context)
    {
        var response = new ConntrackStatisticsResponse();
        foreach (var (_, shards) in await cluster.Named(request.Node, context).AskAsync(node => node.StatisticsAsync(), response.Failures).ConfigureAwait(false))
            response.Shards.Add(shards);
        return response;
    }

    /// <inheritdoc/>
    public override async Task<ListExpectationsResponse> ListExpectations(ListExpectationsRequest request, ServerCallContext context)
    {
        var (masters, nodes) = Matcher(request.Master, context);
        var response = new ListExpectationsResponse();
        var found = await nodes.AskAsync(node => node.ExpectationsAsync(masters), response.Failures).ConfigureAwait(false);
        response.Expectations.Add(found.SelectMany(f => f.Answer).OrderBy(e => e.Timeout));
        return response;
    }

    /// <inheritdoc/>
    public override async Task<DeleteExpectationsResponse> DeleteExpectations(DeleteExpectationsRequest request, ServerCallContext context)
    {
        var (masters, nodes) = Matcher(request.Master, request.All, context);
        context.Note($"delete expectations {masters.Filter}");
        var response = new DeleteExpectationsResponse();
        foreach (var (_, deleted) in await nodes.AskAsync(node => node.DeleteExpectationsAsync(masters), response.Failures).ConfigureAwait(false))
            response.Deleted += deleted;
        context.Note($"delete expectations {masters.Filter}", $"{response.Deleted} expectations", "none of them");
        return response;
    }

    /// <summary>A filter, and the nodes that it is about.</summary>
    private (ConnectionMatcher Matcher, IReadOnlyList<IControlledNode> Nodes) Matcher(ConnectionFilter? filter, ServerCallContext context)
    {
        var matcher = ConnectionMatcher.From(filter);
        return (matcher, cluster.Named(matcher.Filter.Node, context));
    }

    /// <summary>What is emptied by accident is gone: an empty filter alone is not enough.</summary>
    private (ConnectionMatcher Matcher, IReadOnlyList<IControlledNode> Nodes) Matcher(ConnectionFilter? filter, bool all, ServerCallContext context)
    {
        var (matcher, nodes) = Matcher(filter, context);
        return all || !matcher.IsAll ? (matcher, nodes) : throw new FilterException("the filter is empty; where everything is meant, all must be set");
    }
}
