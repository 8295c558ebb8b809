using Akka.Actor;
using FwCluster.Cluster.Nodes;
using FwCluster.Cluster.Protocol.V1;
using FwCluster.Cluster.Wire;

namespace FwCluster.Cluster.Shards;

/// <summary>The owner of one shard's connections, where Cluster Sharding has placed it: gives a <see cref="IShard"/> what comes, and the time.</summary>
internal sealed class ShardActor : UntypedActor
{
    private static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(50);

    private readonly int _number;
    private readonly NodeContext _node;
    private readonly ReplySorter _output;
    private readonly IShard _shard;
    private readonly HashSet<int> _holders = [];
    private readonly ICancelable _ticks;

    public ShardActor(int number, NodeContext node, ShardFactory factory)
    {
        (_number, _node) = (number, node);
        _output = new ReplySorter(number, node);
        _shard = factory(number, _output);
        var first = TickInterval * Random.Shared.NextDouble(); // not all shards of a node at once
        _ticks = Context.System.Scheduler.ScheduleTellRepeatedlyCancelable(first, TickInterval, Self, ShardMessages.Tick.Instance, ActorRefs.NoSender);
    }

    protected override void PreStart() => _node.Gate.Tell(new ShardMessages.Placed(_number, true));

    protected override void PostStop()
    {
        _ticks.Cancel();
        _node.Gate.Tell(new ShardMessages.Placed(_number, false));
    }

    protected override void OnReceive(object message)
    {
        _output.Now = _node.Now;
        switch (message)
        {
            case ShardPart part:
                Take(part);
                break;
            case ShardMessages.Tick:
                _shard.Tick(_output.Now);
                _output.Send(null);
                break;
            case ShardMessages.NodeGone gone:
                foreach (var holder in _holders.Where(h => Holder.Node(h) == gone.Node).ToList())
                {
                    _holders.Remove(holder);
                    _shard.HolderGone(holder, _output.Now);
                }
                _output.Send(null);
                break;
            case RoutedRequests routed:
                TakeRouted(routed);
                break;
            case StartShard:
                break; // it is there
            case ShardMessages.Stop:
                Context.Stop(Self);
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private void Take(ShardPart part)
    {
        for (var i = 0; i < part.Count; i++)
        {
            var holder = part.Holder(i);
            _holders.Add(holder);
            _shard.Take(holder, in part.Request(i), part.Packet(i), _output.Now);
        }
        _output.Send(part.Whole);
        _node.Parts.Return(part);
    }

    private void TakeRouted(RoutedRequests routed)
    {
        var message = routed.Requests.Span;
        if (!_node.Map.TryGet(RequestsReader.NodeOf(message), out var from))
        {
            _node.Statistics.CountBroken();
            return;
        }
        var part = _node.Parts.Take();
        var requests = new RequestsReader(message, _node.Codec, _output.Now);
        while (requests.Next()) part.Add(Holder.Of(from.Number, requests.Worker), in requests.Request, requests.Packet);
        if (requests.IsBroken) _node.Statistics.CountBroken();
        Take(part);
    }
}
