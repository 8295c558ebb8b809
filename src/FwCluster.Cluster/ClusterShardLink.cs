using Akka.Actor;
using FwCluster.Cluster.Links;
using FwCluster.Cluster.Nodes;
using FwCluster.Cluster.Protocol.V1;
using FwCluster.Cluster.Shards;
using FwCluster.Cluster.Wire;
using FwCluster.Datapath.Shards;
using Google.Protobuf;
using ShardReply = FwCluster.Datapath.Shards.ShardReply;
using ShardRequest = FwCluster.Datapath.Shards.ShardRequest;

namespace FwCluster.Cluster;

/// <summary>
/// One worker's way to all shards. A shard of this node is told without serialization, and run at once where nobody else runs it; one of another node
/// is told by a message that has all that goes to that node; one that nobody knows the place of by way of Cluster Sharding, which finds it. A question whose node is gone before it has answered is asked
/// again.
/// </summary>
public sealed class ClusterShardLink : IShardLink
{
    private static readonly long Patience = (long)TimeSpan.FromSeconds(2).TotalNanoseconds;
    private static readonly long RoutingPatience = (long)TimeSpan.FromMilliseconds(500).TotalNanoseconds;

    private readonly int _worker;
    private readonly NodeContext _node;
    private readonly NodeMap _map;
    private readonly ReplyInbox _inbox;
    private readonly AskedQuestions _asked;
    private readonly List<AskedQuestions.Asked> _lost = [];

    private readonly ShardPart?[] _here;
    private readonly List<int> _shardsHere = [];
    private readonly List<Said?> _there = [];
    private readonly List<Node> _nodesThere = [];
    private readonly Dictionary<int, WireWriter> _somewhere = [];

    private int _seenChanges;
    private int _questionsHere, _questionsElsewhere;

    internal ClusterShardLink(int worker, NodeContext node, Action wake)
    {
        (_worker, _node, _map) = (worker, node, node.Map);
        _inbox = node.OpenInbox(worker, wake);
        _asked = new AskedQuestions(node.Settings.MaxQuestions);
        _here = new ShardPart?[_map.Shards];
    }

    /// <inheritdoc/>
    public bool TrySend(in ShardRequest request, ReadOnlySpan<byte> packet)
    {
        var shard = _map.ShardOf(request.Tuple);
        var owner = _map.Owner(shard);
        var isQuestion = request.Kind == ShardRequestKind.Ask;
        if (isQuestion && !_asked.TryAdd(request, packet, owner, _node.Now, Patience))
        {
            _node.Statistics.CountRefused();
            return false;
        }
        Gather(shard, owner, in request, packet);
        if (!isQuestion) return true;
        if (owner is { IsHere: true }) _questionsHere++;
        else _questionsElsewhere++;
        return true;
    }

    /// <inheritdoc/>
    public void Flush()
    {
        using var turn = Turn.Begin();
        foreach (var shard in _shardsHere)
        {
            var part = _here[shard]!;
            _here[shard] = null;
            if (_map.Here(shard) is { } actor) actor.Tell(part, ActorRefs.NoSender);
            else Reroute(shard, part);
        }
        _shardsHere.Clear();
        foreach (var node in _nodesThere) Send(node);
        _nodesThere.Clear();
        foreach (var (shard, writer) in _somewhere)
        {
            _map.Region?.Tell(new RoutedRequests { Shard = (uint)shard, Requests = ByteString.CopyFrom(writer.Written) }, ActorRefs.NoSender);
            _node.Writers.Return(writer);
        }
        _somewhere.Clear();
        if (_questionsHere + _questionsElsewhere > 0) _node.Statistics.AddQuestions(_questionsHere, _questionsElsewhere);
        _questionsHere = _questionsElsewhere = 0;
    }

    /// <inheritdoc/>
    public bool TryReceive(out ShardReply reply)
    {
        if (_seenChanges != _map.Changes) AskAgain();
        if (!_inbox.TryTake(out reply)) return false;
        if (reply.Kind == Datapath.Shards.ShardReplyKind.Answer) _asked.Answered(reply.Id);
        return true;
    }

    private void Gather(int shard, Node? owner, in ShardRequest request, ReadOnlySpan<byte> packet)
    {
        if (owner is { IsHere: true })
        {
            if (_here[shard] is not { } part)
            {
                _here[shard] = part = _node.Parts.Take();
                _shardsHere.Add(shard);
            }
            part.Add(Holder.Of(0, _worker), in request, packet);
            return;
        }
        if (owner is null)
        {
            _node.Codec.Write(WriterTo(shard), shard, _worker, in request, packet, _node.Now);
            return;
        }
        var said = SaidTo(owner);
        _node.Codec.Write(said.Writer, shard, _worker, in request, packet, _node.Now);
        said.CanWait &= request.CanWait;
        if (said.Writer.Length < Link.FullMessage) return;
        Send(owner);
        _nodesThere.Remove(owner);
    }

    private Said SaidTo(Node node)
    {
        while (_there.Count <= node.Number) _there.Add(null);
        var said = _there[node.Number] ??= new Said();
        if (said.Writer.Length > 0) return said;
        RequestsReader.Begin(said.Writer, _map[0].Uid);
        said.CanWait = true;
        _nodesThere.Add(node);
        return said;
    }

    private WireWriter WriterTo(int shard)
    {
        if (_somewhere.TryGetValue(shard, out var writer)) return writer;
        _somewhere.Add(shard, writer = _node.Writers.Take());
        RequestsReader.Begin(writer, _map[0].Uid);
        return writer;
    }

    private void Send(Node node)
    {
        var said = _there[node.Number]!;
        node.Link!.Write(LinkStream.RequestsFieldNumber, said.Writer.Written, said.CanWait);
        said.Writer.Clear();
    }

    /// <summary>The shard has left this node since its part was begun.</summary>
    private void Reroute(int shard, ShardPart part)
    {
        for (var i = 0; i < part.Count; i++)
            _node.Codec.Write(WriterTo(shard), shard, _worker, in part.Request(i), part.Packet(i), _node.Now);
        _node.Parts.Return(part);
    }

    private void AskAgain()
    {
        _seenChanges = _map.Changes;
        var now = _node.Now;
        _asked.Collect(_map, now - RoutingPatience, _lost);
        if (_lost.Count == 0) return;
        foreach (var asked in _lost)
        {
            var shard = _map.ShardOf(asked.Request.Tuple);
            asked.To = _map.Owner(shard);
            // What the question brought back may have come there, and be granted again since: as it was then it is not to come twice.
            (asked.Request.HasEntry, asked.Request.Helper) = (false, null);
            Gather(shard, asked.To, in asked.Request, asked.Packet);
            _node.Statistics.CountAskedAgain();
        }
        _lost.Clear();
        Flush();
    }

    /// <summary>What goes to one node.</summary>
    private sealed class Said
    {
        public WireWriter Writer { get; } = new();

        /// <summary>All of it can wait.</summary>
        public bool CanWait { get; set; }
    }
}
