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
        response.Nodes.Add(await DescribeAsync(context).ConfigureAwait(false));
        return response;
    }

    /// <inheritdoc/>
    public override async Task<ListShardsResponse> ListShards(ListShardsRequest request, ServerCallContext context)
    {
        var response = new ListShardsResponse();
        var all = await cluster.Named("", context).AskAsync(node => node.StatisticsAsync(), response.Failures).ConfigureAwait(false);
        response.Shards.Add(all.SelectMany(a => a.Answer).Select(s => new Shard { Shard_ = s.Shard, Node = s.Node, Connections = s.Entries }).OrderBy(s => s.Shard_));
        return response;
    }

    /// <inheritdoc/>
    public override async Task<DrainNodeResponse> Drain(DrainNodeRequest request, ServerCallContext context)
    {
        var what = $"{(request.Undo ? "undo the drain of" : "drain")} node {request.Node}";
        context.Note(what);
        if (request.Node.Length == 0) throw new FilterException("node is empty; the name of the node that is to hand over is right");
        var node = cluster.Named(request.Node, context).Single();
        var moved = await node.DrainAsync(request.Undo, context.CancellationToken).ConfigureAwait(false)
            ?? throw new RpcException(new Status(StatusCode.FailedPrecondition, $"there is no other node that {node.Name} could hand over to"));
        if (!request.Undo) context.Note(what, $"{moved} shards", "0 shards");
        return new DrainNodeResponse { Shards = (uint)moved };
    }

    /// <inheritdoc/>
    public override async Task Watch(WatchClusterRequest request, IServerStreamWriter<WatchClusterResponse> responseStream, ServerCallContext context)
    {
        WatchClusterResponse? told = null;
        while (true)
        {
            var now = new WatchClusterResponse();
            now.Nodes.Add(await DescribeAsync(context).ConfigureAwait(false));
            var news = now.Clone();
            foreach (var node in news.Nodes) node.Connections = 0; // changes all the time
            if (!news.Equals(told)) await responseStream.WriteAsync(now).ConfigureAwait(false);
            told = news;
            await Task.Delay(WatchInterval, time, context.CancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The nodes; of one that cannot be asked, what the cluster knows of it, and why it cannot.</summary>
    private Task<Node[]> DescribeAsync(ServerCallContext context) => Task.WhenAll(cluster.Named("", context).Select(async node =>
    {
        try
        {
            return await node.DescribeAsync().ConfigureAwait(false);
        }
        catch (NodeUnavailableException e)
        {
            var unreachable = new Node { Name = node.Name, Health = NodeHealth.Unreachable, Problem = e.Reason };
            if (node is not RemoteNode { Peer: var peer }) return unreachable;
            unreachable.Address = peer.Address;
            unreachable.Roles.Add(peer.Roles);
            return unreachable;
        }
    }));
}
