using Akka.Actor;
using FwCluster.Cluster.Nodes;
using FwCluster.Cluster.Protocol.V1;
using FwCluster.Cluster.Shards;
using FwCluster.Cluster.Wire;
using Google.Protobuf;

namespace FwCluster.Cluster.Links;

/// <summary>Deals what one other node says: requests to the shards here, replies to the workers here, what is expected into this node's directory. Used by
/// the one thread that reads the node's link.</summary>
/// <param name="node">This node.</param>
/// <param name="from">The other one.</param>
internal sealed class Dealer(NodeContext node, Node from)
{
    private readonly NodeMap _map = node.Map;
    private readonly ShardPart?[] _parts = new ShardPart?[node.Map.Shards];
    private readonly List<int> _dealt = [];
    private readonly Dictionary<int, WireWriter> _forwards = [];
    private readonly WorkerReplies?[] _replies = new WorkerReplies?[Holder.MaxWorker + 1];
    private readonly List<int> _replied = [];

    /// <summary>Who says it.</summary>
    public Node From => from;

    /// <summary>Deals one message.</summary>
    /// <param name="field">What it is: a field of <see cref="LinkStream"/>.</param>
    /// <param name="message">The message.</param>
    /// <exception cref="InvalidProtocolBufferException">It cannot be read.</exception>
    public void Deal(int field, ReadOnlySpan<byte> message)
    {
        switch (field)
        {
            case LinkStream.RequestsFieldNumber:
                DealRequests(message);
                break;
            case LinkStream.RepliesFieldNumber:
                DealReplies(message);
                break;
            case LinkStream.ExpectationsFieldNumber:
                TakeExpectations(ExpectationChanges.Parser.ParseFrom(message));
                break;
            case LinkStream.AcknowledgedFieldNumber:
                var acknowledged = ExpectationsAcknowledged.Parser.ParseFrom(message);
                _map.WaitsHere(acknowledged.Shard)?.Tell(new ShardMessages.Acknowledged(acknowledged.Ticket, from.Uid), ActorRefs.NoSender);
                break;
            case LinkStream.ClaimsFieldNumber:
                var claim = Claim.Parser.ParseFrom(message);
                if (claim.Expectation is { } expectation) _map.ToShard(expectation.Shard)?.Tell(claim, ActorRefs.NoSender);
                break;
            case LinkStream.ClaimAnswersFieldNumber:
                var answer = ClaimAnswer.Parser.ParseFrom(message);
                _map.Waits(answer.Shard)?.Tell(answer, ActorRefs.NoSender);
                break;
            default: // of a later release
                break;
        }
    }

    /// <summary>Sends on what was for shards that are not here.</summary>
    public void Forward()
    {
        if (_forwards.Count == 0) return;
        foreach (var (shard, writer) in _forwards)
        {
            _map.Region?.Tell(new RoutedRequests { Shard = (uint)shard, Requests = ByteString.CopyFrom(writer.Written) }, ActorRefs.NoSender);
            node.Writers.Return(writer);
        }
        _forwards.Clear();
    }

    private void DealRequests(ReadOnlySpan<byte> message)
    {
        var requests = new RequestsReader(message, node.Codec, node.Now);
        while (requests.Next())
        {
            if (requests.Shard >= _map.Shards) requests.IsBroken = true;
            else if (_map.Here(requests.Shard) is null) Forward(requests.Shard, requests.Bytes);
            else PartFor(requests.Shard).Add(Holder.Of(from.Number, requests.Worker), in requests.Request, requests.Packet);
        }
        if (requests.IsBroken) node.Statistics.CountBroken();
        foreach (var shard in _dealt)
        {
            var part = _parts[shard]!;
            _parts[shard] = null;
            if (_map.Here(shard) is { } actor) actor.Tell(part, ActorRefs.NoSender);
            else Reroute(shard, part);
        }
        _dealt.Clear();
    }

    private ShardPart PartFor(int shard)
    {
        if (_parts[shard] is { } part) return part;
        _dealt.Add(shard);
        return _parts[shard] = node.Parts.Take();
    }

    private void Forward(int shard, ReadOnlySpan<byte> request)
    {
        RequestsReader.Append(ForwardTo(shard), request);
        node.Statistics.CountForwarded();
    }

    /// <summary>The shard has left this node since its part was begun.</summary>
    private void Reroute(int shard, ShardPart part)
    {
        for (var i = 0; i < part.Count; i++)
        {
            node.Codec.Write(ForwardTo(shard), shard, Holder.Worker(part.Holder(i)), in part.Request(i), part.Packet(i), node.Now);
            node.Statistics.CountForwarded();
        }
        node.Parts.Return(part);
    }

    private WireWriter ForwardTo(int shard)
    {
        if (_forwards.TryGetValue(shard, out var writer)) return writer;
        _forwards.Add(shard, writer = node.Writers.Take());
        RequestsReader.Begin(writer, from.Uid);
        from.Gate.Tell(new ShardsChanged { Node = _map[0].Uid, IsDraining = _map[0].IsDraining, Stopped = { (uint)shard } }, node.Gate); // it believes that the shard is here
        return writer;
    }

    private void DealReplies(ReadOnlySpan<byte> message)
    {
        node.Statistics.CountRepliesReceived();
        var now = node.Now;
        var reader = new WireReader(message);
        while (reader.Next())
        {
            if (reader.Field != 1) continue;
            if (!node.Codec.TryRead(reader.Bytes, now, out var reply, out _, out var worker))
            {
                node.Statistics.CountBroken();
                continue;
            }
            if (_replies[worker] is not { } replies)
            {
                _replies[worker] = replies = node.Replies.Take();
                _replied.Add(worker);
            }
            replies.Add(in reply);
        }
        if (reader.IsBroken) node.Statistics.CountBroken();
        foreach (var worker in _replied)
        {
            node.Deliver(worker, _replies[worker]!);
            _replies[worker] = null;
        }
        _replied.Clear();
    }

    private void TakeExpectations(ExpectationChanges changes)
    {
        ExpectationWire.Apply(changes, node);
        if (changes.Ticket == 0) return;
        from.Link!.Write(LinkStream.AcknowledgedFieldNumber, new ExpectationsAcknowledged { Ticket = changes.Ticket, Shard = changes.Shard }.ToByteArray());
    }
}
