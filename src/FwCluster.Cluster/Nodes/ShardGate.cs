using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
using FwCluster.Cluster.Links;
using FwCluster.Cluster.Protocol.V1;
using FwCluster.Cluster.Shards;
using FwCluster.Cluster.Wire;

namespace FwCluster.Cluster.Nodes;

/// <summary>
/// What a node knows of the others. It alone writes the <see cref="NodeMap"/>, from what gates tell each other and from the membership, and hands over
/// what shards leave here; what packets wait for goes by <see cref="Links.Link"/>s, past it.
/// </summary>
internal sealed partial class ShardGate : UntypedActor, IWithTimers
{
    /// <summary>Its name below /user on every node.</summary>
    public const string Name = "shards";

    private static readonly long GatherTime = (long)TimeSpan.FromSeconds(5).TotalNanoseconds;
    private static readonly TimeSpan CheckInterval = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(50);

    private readonly NodeContext _node;
    private readonly NodeMap _map;
    private readonly Akka.Cluster.Cluster _cluster = Akka.Cluster.Cluster.Get(Context.System);
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Node _self;

    public ShardGate(NodeContext node)
    {
        (_node, _map) = (node, node.Map);
        _self = _map[0];
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        _cluster.Subscribe(Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents, typeof(ClusterEvent.MemberUp),
            typeof(ClusterEvent.MemberRemoved), typeof(ClusterEvent.IReachabilityEvent));
        Timers.StartPeriodicTimer(nameof(Check), Check.Instance, CheckInterval);
        Timers.StartPeriodicTimer(nameof(Tick), Tick.Instance, TickInterval);
    }

    protected override void PostStop() => _cluster.Unsubscribe(Self);

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case Tick:
                PassTime();
                break;
            case StateWanted wanted:
                SendState((int)wanted.Shard);
                break;
            case StateTaken taken:
                _node.Left.TryRemove((int)taken.Shard, out _);
                break;
            case GateMessages.State state:
                var shard = StateCodec.ShardOf(state.Bytes);
                if (shard < _map.Shards) _map.Here(shard)?.Forward(state);
                break;
            default:
                ReceiveNews(message);
                break;
        }
    }

    /// <summary>Gives a shard that begins elsewhere what it has left here.</summary>
    private void SendState(int shard)
    {
        if (!_node.Left.TryGetValue(shard, out var pieces)) Sender.Tell(new GateMessages.State(StateCodec.Nothing(shard, _node)), Self);
        else foreach (var piece in pieces) Sender.Tell(new GateMessages.State(piece), Self);
    }

    /// <summary>One after another on this thread: a thread that is woken for each shard of many costs more than what the shards do.</summary>
    private void PassTime()
    {
        using var turn = Turn.Begin();
        foreach (var node in _map.Nodes)
            if (node.Link is { } link)
                Turn.TryAdd(link); // what could wait has waited
        for (var shard = 0; shard < _map.Shards; shard++) _map.Here(shard)?.Tell(ShardMessages.Tick.Instance, ActorRefs.NoSender);
    }

    private sealed class Tick
    {
        public static readonly Tick Instance = new();
    }

    private sealed class Check
    {
        public static readonly Check Instance = new();
    }
}
