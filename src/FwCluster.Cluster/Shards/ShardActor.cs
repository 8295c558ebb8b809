using Akka.Actor;
using FwCluster.Cluster.Nodes;
using FwCluster.Cluster.Protocol.V1;
using FwCluster.Cluster.Wire;
using FwCluster.Conntrack;
using FwCluster.Datapath.Shards;

namespace FwCluster.Cluster.Shards;

/// <summary>The owner of one shard's connections, where Cluster Sharding has placed it: gives a <see cref="Shard"/> what comes, and the time.</summary>
internal sealed partial class ShardActor : UntypedActor
{
    // Slots that are looked at each tick, 20 times a second: as many as make all of them in five seconds. To look at more is what a node with many shards
    // would do most of its time; an entry whose time is over is removed all the same when somebody asks for it.
    private const int TicksOfRound = 100;
    private const int LeastSlots = 16;
    private const int MostSlots = 1024;

    private readonly int _number;
    private readonly NodeContext _node;
    private readonly ReplySorter _output;
    private readonly ShardNetwork _network;
    private readonly Shard _shard;
    private readonly HashSet<int> _holders = [];

    public ShardActor(int number, NodeContext node, ConnectionTable table)
    {
        (_number, _node) = (number, node);
        _output = new ReplySorter(number, node);
        _network = new ShardNetwork(number, node, Context);
        _shard = new Shard(table, _output, node.Settings.Sharing, _network);
    }

    protected override void PreStart()
    {
        _output.Now = _network.Now = _node.Now;
        _node.Gate.Tell(new ShardMessages.Placed(_number, true));
        Fetch(_network.Now);
    }

    protected override void PostStop()
    {
        _leaving?.Cancel();
        _node.Gate.Tell(new ShardMessages.Placed(_number, false, HasEnded: true), ActorRefs.NoSender);
    }

    protected override void OnReceive(object message)
    {
        var now = _node.Now;
        _output.Now = _network.Now = now;
        if (IsFetching)
        {
            ReceiveWhileFetching(message, now);
            return;
        }
        switch (message)
        {
            case ShardPart part:
                Take(part, now);
                break;
            case ShardMessages.Tick:
                _shard.Tick(now, _shard.Connections.IsUnderPressure ? MostSlots : Math.Clamp(_shard.Connections.Slots / TicksOfRound, LeastSlots, MostSlots));
                break;
            case ShardMessages.Inspect inspect:
                inspect.Look(_shard);
                break;
            case RoutedRequests routed:
                TakeRouted(routed, now);
                break;
            case StartShard:
                _node.Gate.Tell(new ShardMessages.Placed(_number, true)); // somebody does not know where it is
                break;
            case ShardMessages.Stop:
                _node.Gate.Tell(new ShardMessages.Placed(_number, false));
                break;
            case ShardMessages.Unplaced:
                BeginToLeave(now);
                break;
            default:
                TakeNews(message, now);
                break;
        }
        _network.Send();
        while (_network.TryTakeDone(out var ticket)) _shard.Acknowledged(ticket, now);
        _output.Send();
        if (_leaveBy != 0 && now >= (_shard.Waiting == 0 ? _leaveFrom : _leaveBy)) Leave(now);
    }

    private void TakeNews(object message, long now)
    {
        switch (message)
        {
            case ShardMessages.Acknowledged acknowledged:
                _network.Acknowledged(acknowledged.Ticket, acknowledged.Node);
                break;
            case ShardMessages.AnnouncementOver over:
                _network.Over(over.Ticket);
                break;
            case Claim claim:
                _network.Answer(claim, ExpectationWire.TryRead(claim.Tuple, out var claimant) ? _shard.Claim(claim.Expectation.Number, in claimant, now) : null);
                break;
            case ClaimAnswer answer:
                if (_network.TryRead(answer, out var ticket, out var claimed)) _shard.Claimed(ticket, claimed, now);
                break;
            case ShardMessages.DirectoryWanted wanted:
                _network.SendAll(wanted.Node);
                break;
            case ShardMessages.NodeGone gone:
                TakeGone(gone.Node, now);
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private void Take(ShardPart part, long now)
    {
        for (var i = 0; i < part.Count; i++)
        {
            var holder = part.Holder(i);
            _holders.Add(holder);
            // One that leaves answers what it was asked before, and is asked nothing more.
            if (_leaveBy != 0 && part.Request(i).Kind == ShardRequestKind.Ask) SendOn(holder, in part.Request(i), part.Packet(i), now);
            else _shard.Take(holder, in part.Request(i), part.Packet(i), now);
        }
        _node.Parts.Return(part);
    }

    private void TakeRouted(RoutedRequests routed, long now)
    {
        var message = routed.Requests.Span;
        if (!_node.Map.TryGet(RequestsReader.NodeOf(message), out var from))
        {
            _node.Statistics.CountBroken();
            return;
        }
        var part = _node.Parts.Take();
        var requests = new RequestsReader(message, _node.Codec, now);
        while (requests.Next()) part.Add(Holder.Of(from.Number, requests.Worker), in requests.Request, requests.Packet);
        if (requests.IsBroken) _node.Statistics.CountBroken();
        Take(part, now);
    }

    private void TakeGone(int node, long now)
    {
        foreach (var holder in _holders.Where(h => Holder.Node(h) == node).ToList())
        {
            _holders.Remove(holder);
            _shard.HolderGone(holder, now);
        }
        _network.Gone(_node.Map[node].Uid);
    }

    private int? UidOf(IActorRef gate) => _node.Map.Nodes.FirstOrDefault(n => !n.IsGone && n.Gate.Equals(gate))?.Uid;
}
