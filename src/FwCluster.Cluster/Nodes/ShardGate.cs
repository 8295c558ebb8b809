using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
using FwCluster.Cluster.Protocol.V1;
using FwCluster.Cluster.Shards;
using FwCluster.Cluster.Wire;
using Google.Protobuf;

namespace FwCluster.Cluster.Nodes;

/// <summary>
/// A node's door to the others: deals the requests that come from them to the shards here, and sends back what those reply, one message for each batch;
/// gives their shards' replies to the workers here. It alone writes the <see cref="NodeMap"/>, from what gates tell each other and from the
/// membership.
/// </summary>
internal sealed partial class ShardGate : UntypedActor, IWithTimers
{
    /// <summary>Its name below /user on every node.</summary>
    public const string Name = "shards";

    /// <summary>A message is sent when it has grown to so many bytes: one that is larger makes what is behind it wait.</summary>
    public const int FullMessage = 48 * 1024;

    private static readonly long GatherTime = (long)TimeSpan.FromSeconds(5).TotalNanoseconds;
    private static readonly TimeSpan CheckInterval = TimeSpan.FromMilliseconds(200);

    private readonly NodeContext _node;
    private readonly NodeMap _map;
    private readonly Akka.Cluster.Cluster _cluster = Akka.Cluster.Cluster.Get(Context.System);
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Node _self;

    private readonly ShardPart?[] _parts;
    private readonly List<int> _dealt = [];
    private readonly Dictionary<int, WireWriter> _forwards = [];
    private readonly Dictionary<int, Outgoing> _outgoing = [];
    private readonly WorkerReplies?[] _replies = new WorkerReplies?[Holder.MaxWorker + 1];
    private readonly List<int> _replied = [];

    public ShardGate(NodeContext node)
    {
        (_node, _map) = (node, node.Map);
        _parts = new ShardPart?[_map.Shards];
        _self = _map[0];
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        _cluster.Subscribe(Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents, typeof(ClusterEvent.MemberUp),
            typeof(ClusterEvent.MemberRemoved), typeof(ClusterEvent.IReachabilityEvent));
        Timers.StartPeriodicTimer(nameof(Check), Check.Instance, CheckInterval);
    }

    protected override void PostStop() => _cluster.Unsubscribe(Self);

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case GateMessages.Requests requests:
                Deal(requests.Bytes);
                break;
            case GateMessages.Replies replies:
                Distribute(replies.Bytes);
                break;
            case ShardMessages.Replies replies:
                Gather(replies);
                break;
            case SendRest rest:
                rest.To.IsScheduled = false;
                Send(rest.To);
                break;
            case ExpectationChanges changes:
                ExpectationWire.Apply(changes, _node);
                if (changes.Ticket != 0) Sender.Tell(new ExpectationsAcknowledged { Ticket = changes.Ticket }, Self);
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
            case Claim claim:
                ToShard((int)claim.Expectation.Shard)?.Forward(claim);
                break;
            default:
                ReceiveNews(message);
                break;
        }
    }

    /// <summary>Deals a batch of another node to the shards that it is for.</summary>
    private void Deal(byte[] message)
    {
        if (!_map.TryGet(RequestsReader.NodeOf(message), out var from))
        {
            _node.Statistics.CountBroken(); // a node that is not known yet, or no longer
            return;
        }
        var whole = new RemoteBatch(from.Number);
        var requests = new RequestsReader(message, _node.Codec, _node.Now);
        while (requests.Next())
        {
            if (requests.Shard >= _map.Shards) requests.IsBroken = true;
            else if (_map.Here(requests.Shard) is null) Forward(from, requests.Shard, requests.Bytes);
            else PartFor(requests.Shard, whole).Add(Holder.Of(from.Number, requests.Worker), in requests.Request, requests.Packet);
        }
        if (requests.IsBroken) _node.Statistics.CountBroken();

        whole.Parts = _dealt.Count;
        if (whole.Parts > 0) OutgoingTo(from.Number).Open++;
        foreach (var shard in _dealt)
        {
            _map.Here(shard)!.Tell(_parts[shard]!, ActorRefs.NoSender); // written by this actor alone
            _parts[shard] = null;
        }
        _dealt.Clear();
        SendForwards();
    }

    /// <summary>Gives a shard that begins elsewhere what it has left here.</summary>
    private void SendState(int shard)
    {
        if (!_node.Left.TryGetValue(shard, out var pieces)) Sender.Tell(new GateMessages.State(StateCodec.Nothing(shard, _node)), Self);
        else foreach (var piece in pieces) Sender.Tell(new GateMessages.State(piece), Self);
    }

    private IActorRef? ToShard(int shard) => shard < _map.Shards ? _map.Here(shard) ?? _map.Region : null;

    private ShardPart PartFor(int shard, RemoteBatch whole)
    {
        if (_parts[shard] is { } part) return part;
        part = _node.Parts.Take();
        part.Whole = whole;
        _parts[shard] = part;
        _dealt.Add(shard);
        return part;
    }

    private void Forward(Node from, int shard, ReadOnlySpan<byte> request)
    {
        if (!_forwards.TryGetValue(shard, out var writer))
        {
            _forwards.Add(shard, writer = _node.Writers.Take());
            RequestsReader.Begin(writer, from.Uid);
            from.Gate.Tell(new ShardsChanged { Node = _self.Uid, Stopped = { (uint)shard } }, Self); // it believes that the shard is here
        }
        RequestsReader.Append(writer, request);
        _node.Statistics.CountForwarded();
    }

    private void SendForwards()
    {
        if (_forwards.Count == 0) return;
        foreach (var (shard, writer) in _forwards)
        {
            _map.Region?.Tell(new RoutedRequests { Shard = (uint)shard, Requests = ByteString.CopyFrom(writer.Written) }, ActorRefs.NoSender);
            _node.Writers.Return(writer);
        }
        _forwards.Clear();
    }

    /// <summary>Gives replies of other nodes' shards to the workers.</summary>
    private void Distribute(byte[] message)
    {
        _node.Statistics.CountRepliesReceived();
        var now = _node.Now;
        var reader = new WireReader(message);
        while (reader.Next())
        {
            if (reader.Field != 1) continue;
            if (!_node.Codec.TryRead(reader.Bytes, now, out var reply, out _, out var worker))
            {
                _node.Statistics.CountBroken();
                continue;
            }
            if (_replies[worker] is not { } replies)
            {
                _replies[worker] = replies = _node.Replies.Take();
                _replied.Add(worker);
            }
            replies.Add(in reply);
        }
        if (reader.IsBroken) _node.Statistics.CountBroken();
        foreach (var worker in _replied)
        {
            _node.Deliver(worker, _replies[worker]!);
            _replies[worker] = null;
        }
        _replied.Clear();
    }

    /// <summary>
    /// Gathers what shards reply to one node. It goes when the last shard has finished its part of a batch from there; where no batch of that node is
    /// open, as soon as what is in the mailbox has been gathered too.
    /// </summary>
    private void Gather(ShardMessages.Replies replies)
    {
        var to = OutgoingTo(replies.Node);
        if (replies.Written is { } written)
        {
            to.Writer.Append(written.Written);
            _node.Writers.Return(written);
        }
        if (replies.Whole is { } whole && --whole.Parts == 0)
        {
            to.Open--;
            Send(to);
        }
        else if (to.Writer.Length >= FullMessage)
        {
            Send(to);
        }
        else if (to.Open == 0 && !to.IsScheduled)
        {
            to.IsScheduled = true;
            Self.Tell(to.Rest);
        }
    }

    private void Send(Outgoing to)
    {
        if (to.Writer.Length == 0) return;
        if (!to.Node.IsGone)
        {
            to.Node.Gate.Tell(new GateMessages.Replies(to.Writer.ToArray()), Self);
            _node.Statistics.CountBatchSent();
        }
        to.Writer.Clear();
    }

    private Outgoing OutgoingTo(int node)
    {
        if (!_outgoing.TryGetValue(node, out var outgoing)) _outgoing.Add(node, outgoing = new Outgoing(_map[node]));
        return outgoing;
    }

    /// <summary>Replies on their way to one node.</summary>
    private sealed class Outgoing
    {
        public Outgoing(Node node)
        {
            Node = node;
            Rest = new SendRest(this);
        }

        public Node Node { get; }

        public WireWriter Writer { get; } = new();

        /// <summary>Batches of the node whose shards have not all finished.</summary>
        public int Open { get; set; }

        /// <summary><see cref="Rest"/> is in the mailbox.</summary>
        public bool IsScheduled { get; set; }

        public SendRest Rest { get; }
    }

    private sealed record SendRest(Outgoing To);

    private sealed class Check
    {
        public static readonly Check Instance = new();
    }
}
