using FwCluster.Api.V1;
using FwCluster.Control.Access;
using FwCluster.Control.Nodes;
using Grpc.Core;

namespace FwCluster.Control.Services;

/// <summary>Answers <see cref="ClusterService"/>.</summary>
internal sealed class ClusterEndpoint(IControlledCluster cluster, TimeProvider time) : ClusterService.ClusterServiceBase
{
    private static readonly TimeSpan WatchInterval = TimeSpan.FromMilliseconds(500);

    /// <inheritdoc/>
    public override async Task<ClusterStatusResponse> Status(ClusterStatusRequest request, ServerCallContext context)
    {
        var response = new ClusterStatusResponse { Generation = cluster.Rules.Current.Generation.Number };
        response.Nodes.Add(await DescribeAsync().ConfigureAwait(false));
        return response;
    }

    /// <inheritdoc/>
    public override async Task<ListShardsResponse> ListShards(ListShardsRequest request, ServerCallContext context)
    {
        var response = new ListShardsResponse();
        foreach (var node in cluster.Nodes)
            response.Shards.Add((await node.StatisticsAsync().ConfigureAwait(false)).Select(s => new Shard { Shard_ = s.Shard, Node = s.Node, Connections = s.Entries }));
        return response;
    }

    /// <inheritdoc/>
    public override async Task<DrainNodeResponse> Drain(DrainNodeRequest request, ServerCallContext context)
    {
        context.Note($"drain node {request.Node}");
        if (request.Node.Length == 0) throw new FilterException("node is empty; the name of the node that is to hand over is right");
        var node = cluster.Named(request.Node).Single();
        var moved = await cluster.DrainAsync(node, context.CancellationToken).ConfigureAwait(false)
            ?? throw new RpcException(new Status(StatusCode.FailedPrecondition, $"there is no other node that {node.Name} could hand over to"));
        context.Note($"drain node {request.Node}", $"{moved} shards", "0 shards");
        return new DrainNodeResponse { Shards = (uint)moved };
    }

    /// <inheritdoc/>
    public override async Task Watch(WatchClusterRequest request, IServerStreamWriter<WatchClusterResponse> responseStream, ServerCallContext context)
    {
        WatchClusterResponse? told = null;
        while (true)
        {
            var now = new WatchClusterResponse();
            now.Nodes.Add(await DescribeAsync().ConfigureAwait(false));
            var news = now.Clone();
            foreach (var node in news.Nodes) node.Connections = 0; // changes all the time
            if (!news.Equals(told)) await responseStream.WriteAsync(now).ConfigureAwait(false);
            told = news;
            await Task.Delay(WatchInterval, time, context.CancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<IEnumerable<Node>> DescribeAsync()
        => (await Task.WhenAll(cluster.Nodes.Select(node => node.DescribeAsync())).ConfigureAwait(false)).OrderBy(node => node.Name, StringComparer.Ordinal);
}
