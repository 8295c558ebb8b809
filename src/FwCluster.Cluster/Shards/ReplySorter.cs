using FwCluster.Cluster.Links;
using FwCluster.Cluster.Nodes;
using FwCluster.Cluster.Protocol.V1;
using FwCluster.Cluster.Wire;
using FwCluster.Datapath.Shards;
using ShardReply = FwCluster.Datapath.Shards.ShardReply;

namespace FwCluster.Cluster.Shards;

/// <summary>A shard's output: sorts replies by worker of this node and by other node, until the shard has taken what it was given.</summary>
internal sealed class ReplySorter(int shard, NodeContext node) : IShardOutput
{
    private readonly Dictionary<int, WorkerReplies> _here = [];
    private readonly Dictionary<int, WireWriter> _there = [];

    /// <summary>The shard's time.</summary>
    public long Now { get; set; }

    /// <inheritdoc/>
    public void Reply(int holder, in ShardReply reply)
    {
        var to = Holder.Node(holder);
        if (to == 0)
        {
            var worker = Holder.Worker(holder);
            if (!_here.TryGetValue(worker, out var replies)) _here.Add(worker, replies = node.Replies.Take());
            replies.Add(reply);
            return;
        }
        if (!_there.TryGetValue(to, out var writer)) _there.Add(to, writer = node.Writers.Take());
        node.Codec.Write(writer, shard, Holder.Worker(holder), reply, Now);
        if (writer.Length < Link.FullMessage) return;
        Send(to, writer);
        _there.Remove(to);
    }

    /// <summary>Sends what was sorted.</summary>
    public void Send()
    {
        foreach (var (worker, replies) in _here) node.Deliver(worker, replies);
        _here.Clear();
        foreach (var (to, writer) in _there) Send(to, writer);
        _there.Clear();
    }

    private void Send(int to, WireWriter writer)
    {
        node.Map[to].Link!.Write(LinkStream.RepliesFieldNumber, writer.Written);
        node.Writers.Return(writer);
    }
}
