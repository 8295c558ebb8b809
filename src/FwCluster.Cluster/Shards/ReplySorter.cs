using FwCluster.Cluster.Nodes;
using FwCluster.Cluster.Wire;
using FwCluster.Datapath.Shards;

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
    }

    /// <summary>Sends what was sorted. The node of <paramref name="whole"/> is told in any case: it waits for this part.</summary>
    public void Send(RemoteBatch? whole)
    {
        foreach (var (worker, replies) in _here) node.Deliver(worker, replies);
        _here.Clear();
        if (whole is not null)
        {
            _there.Remove(whole.Node, out var written);
            node.Gate.Tell(new ShardMessages.Replies(whole.Node, written, whole), Akka.Actor.ActorRefs.NoSender);
        }
        foreach (var (to, written) in _there) node.Gate.Tell(new ShardMessages.Replies(to, written, null), Akka.Actor.ActorRefs.NoSender);
        _there.Clear();
    }
}
