using FwCluster.Api.V1;
using FwCluster.Control.Access;
using FwCluster.Control.Nodes;
using Grpc.Core;

namespace FwCluster.Control.Services;

/// <summary>Answers <see cref="ConntrackService"/>.</summary>
internal sealed class ConntrackEndpoint(IControlledCluster cluster) : ConntrackService.ConntrackServiceBase
{
    /// <inheritdoc/>
    public override async Task List(ListConnectionsRequest request, IServerStreamWriter<ListConnectionsResponse> responseStream, ServerCallContext context)
    {
        var matcher = Matcher(request.Filter);
        var left = request.Limit == 0 ? ulong.MaxValue : request.Limit;
        foreach (var node in Concerned(matcher))
        {
            await foreach (var page in node.ListAsync(matcher, context.CancellationToken).ConfigureAwait(false))
            {
                var response = new ListConnectionsResponse();
                response.Connections.Add(left < (ulong)page.Count ? page.Take((int)left) : page);
                await responseStream.WriteAsync(response).ConfigureAwait(false);
                left -= (ulong)response.Connections.Count;
                if (left == 0) return;
            }
        }
    }

    /// <inheritdoc/>
    public override async Task<CountConnectionsResponse> Count(CountConnectionsRequest request, ServerCallContext context)
    {
        var matcher = Matcher(request.Filter);
        var response = new CountConnectionsResponse();
        foreach (var node in Concerned(matcher))
        {
            var (count, limit) = await node.CountAsync(matcher, context.CancellationToken).ConfigureAwait(false);
            response.Count += count;
            response.Limit += limit;
        }
        return response;
    }

    /// <inheritdoc/>
    public override async Task<DeleteConnectionsResponse> Delete(DeleteConnectionsRequest request, ServerCallContext context)
    {
        var matcher = Matcher(request.Filter, request.All);
        context.Note($"delete connections {matcher.Filter}");
        var response = new DeleteConnectionsResponse();
        foreach (var node in Concerned(matcher)) response.Deleted += await node.DeleteAsync(matcher, context.CancellationToken).ConfigureAwait(false);
        context.Note($"delete connections {matcher.Filter}", $"{response.Deleted} connections", "none of them");
        return response;
    }

    /// <inheritdoc/>
    public override async Task Watch(WatchConntrackRequest request, IServerStreamWriter<ConntrackEvent> responseStream, ServerCallContext context)
    {
        var matcher = Matcher(request.Filter);
        var kinds = request.Kinds.Append(ConntrackEvent.Types.Kind.Watching).ToHashSet();
        var watches = Concerned(matcher).Select(node => node.WatchAsync(matcher, context.CancellationToken)).ToList();
        var lost = 0UL;
        await foreach (var told in Merged.Of(watches, context.CancellationToken).ConfigureAwait(false))
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
        foreach (var node in cluster.Named(request.Node)) response.Shards.Add(await node.StatisticsAsync().ConfigureAwait(false));
        return response;
    }

    /// <inheritdoc/>
    public override async Task<ListExpectationsResponse> ListExpectations(ListExpectationsRequest request, ServerCallContext context)
    {
        var masters = Matcher(request.Master);
        var found = new List<ConntrackExpectation>();
        foreach (var node in Concerned(masters)) found.AddRange(await node.ExpectationsAsync(masters).ConfigureAwait(false));
        var response = new ListExpectationsResponse();
        response.Expectations.Add(found.OrderBy(e => e.Timeout));
        return response;
    }

    /// <inheritdoc/>
    public override async Task<DeleteExpectationsResponse> DeleteExpectations(DeleteExpectationsRequest request, ServerCallContext context)
    {
        var masters = Matcher(request.Master, request.All);
        context.Note($"delete expectations {masters.Filter}");
        var response = new DeleteExpectationsResponse();
        foreach (var node in Concerned(masters)) response.Deleted += await node.DeleteExpectationsAsync(masters).ConfigureAwait(false);
        context.Note($"delete expectations {masters.Filter}", $"{response.Deleted} expectations", "none of them");
        return response;
    }

    private ConnectionMatcher Matcher(ConnectionFilter? filter)
    {
        var matcher = ConnectionMatcher.From(filter);
        _ = cluster.Named(matcher.Filter.Node).Count(); // a node that is none is no empty answer
        return matcher;
    }

    /// <summary>What is emptied by accident is gone: an empty filter alone is not enough.</summary>
    private ConnectionMatcher Matcher(ConnectionFilter? filter, bool all)
    {
        var matcher = Matcher(filter);
        return all || !matcher.IsAll ? matcher : throw new FilterException("the filter is empty; where everything is meant, all must be set");
    }

    private IEnumerable<IControlledNode> Concerned(ConnectionMatcher matcher) => cluster.Nodes.Where(node => matcher.Concerns(node.Name));
}
