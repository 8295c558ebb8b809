using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
using FwCluster.Cluster.Nodes;
using FwCluster.Cluster.Protocol.V1;
using FwCluster.Cluster.Wire;
using Google.Protobuf;
using ShardRequest = FwCluster.Datapath.Shards.ShardRequest;

namespace FwCluster.Cluster.Shards;

/// <content>
/// How a shard begins and ends here. One that ends leaves all it has on its node, and sends on what it has not answered. One that begins asks all nodes
/// that may have something left for it; what comes meanwhile waits.
/// </content>
internal sealed partial class ShardActor
{
    private static readonly long FetchTime = (long)TimeSpan.FromSeconds(2).TotalNanoseconds;
    private static readonly long LeaveTime = (long)TimeSpan.FromSeconds(1.5).TotalNanoseconds; // longer than the shard's own patience
    // Who has just looked where the shard is tells it meanwhile.
    private static readonly long LingerTime = (long)TimeSpan.FromMilliseconds(10).TotalNanoseconds;
    private static readonly TimeSpan LeaveInterval = TimeSpan.FromMilliseconds(10);

    private readonly HashSet<int> _wanted = [];
    private readonly HashSet<int> _answered = [];
    private readonly Queue<(object Message, IActorRef Sender)> _meanwhile = new();
    private long _fetchUntil;
    private long _leaveFrom, _leaveBy;
    private ICancelable? _leaving;

    private bool IsFetching => _fetchUntil != 0;

    private void Fetch(long now)
    {
        _fetchUntil = now + FetchTime;
        if (_node.Left.TryRemove(_number, out var pieces)) // it was here before, and nowhere since
        {
            foreach (var piece in pieces) StateCodec.Read(piece, _shard, _node, h => _holders.Add(h), now);
            Begin();
            return;
        }
        AskForState(now);
    }

    /// <summary>Asks whom it has not asked yet: a node is known by its greeting, which may come a little later.</summary>
    private void AskForState(long now)
    {
        var members = Akka.Cluster.Cluster.Get(Context.System).State.Members;
        var missing = 0;
        foreach (var member in members.Where(MayHaveState))
        {
            if (!_node.Map.TryGet(member.UniqueAddress.Uid, out var other)) missing++;
            else if (!other.IsHere && _wanted.Add(other.Uid)) other.Gate.Tell(new StateWanted { Shard = (uint)_number }, Self);
        }
        if (now >= _fetchUntil || (missing == 0 && _wanted.All(uid => _answered.Contains(uid) || !_node.Map.TryGet(uid, out _)))) Begin();
    }

    private bool MayHaveState(Member member)
        => member.HasRole(ClusterRoles.Conntrack) && ClusterConfiguration.Agrees(_node.Settings, member.Roles) && member.Status is MemberStatus.Up or MemberStatus.Leaving or MemberStatus.Exiting;

    private void ReceiveWhileFetching(object message, long now)
    {
        switch (message)
        {
            case ShardMessages.Tick:
                AskForState(now);
                break;
            case GateMessages.State state:
                if (UidOf(Sender) is not { } from) break;
                if (!StateCodec.Read(state.Bytes, _shard, _node, h => _holders.Add(h), now)) break;
                _answered.Add(from);
                Sender.Tell(new StateTaken { Shard = (uint)_number }, Self);
                AskForState(now);
                break;
            case StartShard:
                break;
            default:
                _meanwhile.Enqueue((message, Sender));
                break;
        }
    }

    private void Begin()
    {
        _fetchUntil = 0;
        foreach (var (number, expectation) in _shard.Expected) _network.Restore(number, expectation);
        _network.Begin();
        while (_meanwhile.TryDequeue(out var waiting)) Self.Tell(waiting.Message, waiting.Sender);
    }

    /// <summary>The gate tells nobody any more that the shard is here, and the shard nothing, not even that time passes.</summary>
    private void BeginToLeave(long now)
    {
        (_leaveFrom, _leaveBy) = (now + LingerTime, now + LeaveTime);
        _leaving ??= Context.System.Scheduler.ScheduleTellRepeatedlyCancelable(LeaveInterval, LeaveInterval, Self, ShardMessages.Tick.Instance, ActorRefs.NoSender);
    }

    /// <summary>
    /// Nothing more comes from here: what there is goes to whoever takes this shard's place. Words that it waited for have come by then, or
    /// have had their time: a claim that is granted here and asked for again there would find its expectation gone, and an announcement that not every
    /// node has acknowledged would let its packet go too early.
    /// </summary>
    private void Leave(long now)
    {
        _leaveBy = 0;
        foreach (var (holder, request, packet) in _shard.Abandon()) SendOn(holder, in request, packet, now);
        var pieces = StateCodec.Write(_number, _shard, _node, now);
        _node.Left[_number] = pieces;
        Context.GetLogger().Info("shard {0} leaves {1} connections for the node where it goes on", _number, _shard.Connections.Count);
        Context.Stop(Self);
    }

    private void SendOn(int holder, in ShardRequest request, ReadOnlySpan<byte> packet, long now)
    {
        var writer = _node.Writers.Take();
        RequestsReader.Begin(writer, _node.Map[Holder.Node(holder)].Uid);
        _node.Codec.Write(writer, _number, Holder.Worker(holder), in request, packet, now);
        _node.Map.Region?.Tell(new RoutedRequests { Shard = (uint)_number, Requests = ByteString.CopyFrom(writer.Written) }, ActorRefs.NoSender);
        _node.Writers.Return(writer);
    }
}
