using Akka.Actor;
using Akka.Cluster;
using Akka.Cluster.Sharding;
using Akka.Event;
using FwCluster.Cluster.Links;
using FwCluster.Cluster.Protocol.V1;
using FwCluster.Cluster.Shards;

namespace FwCluster.Cluster.Nodes;

/// <content>What becomes known of nodes and shards.</content>
internal sealed partial class ShardGate
{
    private readonly Dictionary<UniqueAddress, Member> _members = [];
    private readonly HashSet<UniqueAddress> _greeted = [];
    private long _gatherUntil;
    private int _regions;

    private void ReceiveNews(object message)
    {
        switch (message)
        {
            case ClusterEvent.MemberUp up:
                Meet(up.Member);
                break;
            case ClusterEvent.UnreachableMember unreachable:
                SetReachable(unreachable.Member, false);
                break;
            case ClusterEvent.ReachableMember reachable:
                SetReachable(reachable.Member, true);
                break;
            case ClusterEvent.MemberRemoved removed:
                Part(removed.Member);
                break;
            case Hello hello:
                TakeHello(hello);
                break;
            case ShardsChanged changed:
                TakeChange(changed);
                break;
            case ShardMessages.Placed placed:
                Place(placed);
                break;
            case ShardMessages.Drain drain:
                _self.Word = _self.Word with { IsDraining = drain.IsDraining };
                Tell(new ShardsChanged());
                break;
            case Check:
                GreetAgain();
                if (HasGathered()) StartUnknown();
                break;
            case CurrentRegions regions:
                _regions = regions.Regions.Count;
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private void Meet(Member member)
    {
        if (member.UniqueAddress == _cluster.SelfUniqueAddress || !ClusterConfiguration.Agrees(_node.Settings, member.Roles)) return;
        _members[member.UniqueAddress] = member;
        Greet(member.UniqueAddress, isAnswer: false);
    }

    private void Greet(UniqueAddress to, bool isAnswer)
    {
        var gate = Context.ActorSelection(new RootActorPath(to.Address) / "user" / Name);
        var hello = new Hello { Node = _self.Uid, IsAnswer = isAnswer, Workers = (uint)_node.Workers, KeepsDirectory = _self.KeepsDirectory, LinkPort = (uint)_node.Links.Port };
        (hello.Name, hello.Control, hello.IsDraining) = (_node.Settings.NodeName, _node.Settings.ControlEndpoint, _self.IsDraining);
        for (var shard = 0; shard < _map.Shards; shard++)
        {
            if (_map.Here(shard) is not null) hello.Shards.Add((uint)shard);
        }
        gate.Tell(hello, Self);
    }

    private void GreetAgain()
    {
        foreach (var member in _members.Keys)
        {
            if (!_greeted.Contains(member)) Greet(member, isAnswer: false);
        }
    }

    private void TakeHello(Hello hello)
    {
        var from = new UniqueAddress(Sender.Path.Address, hello.Node);
        if (!_members.ContainsKey(from)) return; // not a member yet, as far as is known here; it greets again
        if (hello.LinkPort is 0 or > ushort.MaxValue)
        {
            _log.Error("{0} has no links: it is of a release that this one does not talk to", from.Address);
            return;
        }
        if (!_map.TryGet(hello.Node, out var node)) node = _map.Add(hello.Node, from.Address, Sender, new Link(_node, hello.Node, from.Address, (int)hello.LinkPort));
        node.Word = new NodeWord(hello.Name, hello.Control, hello.KeepsDirectory, hello.IsDraining);
        if (_greeted.Add(from)) Refresh(node);
        foreach (var shard in hello.Shards.Where(s => s < _map.Shards)) _map.Said((int)shard, node);
        if (!hello.IsAnswer) Greet(from, isAnswer: true);
    }

    private void TakeChange(ShardsChanged changed)
    {
        if (!_map.TryGet(changed.Node, out var node)) return; // its greeting will say
        node.Word = node.Word with { IsDraining = changed.IsDraining };
        foreach (var shard in changed.Stopped.Where(s => s < _map.Shards)) _map.Stopped((int)shard, node);
        foreach (var shard in changed.Started.Where(s => s < _map.Shards)) _map.Said((int)shard, node);
        _node.WakeAll();
    }

    private void Place(ShardMessages.Placed placed)
    {
        var changed = new ShardsChanged();
        if (placed.IsHere)
        {
            _map.Started(placed.Shard, _self, Sender);
            changed.Started.Add((uint)placed.Shard);
        }
        else
        {
            _map.Leaves(placed.Shard, placed.HasEnded ? null : Sender); // before it is no longer here: who looks finds one or the other
            _map.Stopped(placed.Shard, _self);
            if (!placed.HasEnded) Sender.Tell(ShardMessages.Unplaced.Instance, ActorRefs.NoSender);
            changed.Stopped.Add((uint)placed.Shard);
        }
        _node.WakeAll();
        Tell(changed);
    }

    /// <summary>Tells every other node.</summary>
    private void Tell(ShardsChanged changed)
    {
        (changed.Node, changed.IsDraining) = (_self.Uid, _self.IsDraining);
        foreach (var node in _map.Nodes)
        {
            if (!node.IsHere && !node.IsGone) node.Gate.Tell(changed, Self);
        }
    }

    private void Part(Member member)
    {
        _members.Remove(member.UniqueAddress);
        _greeted.Remove(member.UniqueAddress);
        if (!_map.TryGet(member.UniqueAddress.Uid, out var node) || node.IsHere) return;
        _map.Gone(node);
        _node.Links.Close(node.Uid);
        var gone = new ShardMessages.NodeGone(node.Number);
        for (var shard = 0; shard < _map.Shards; shard++) _map.Here(shard)?.Tell(gone, Self);
        _node.WakeAll();
    }

    private void SetReachable(Member member, bool isReachable)
    {
        if (!_map.TryGet(member.UniqueAddress.Uid, out var node) || node.IsReachable == isReachable) return;
        node.IsReachable = isReachable;
        if (isReachable) Refresh(node);
    }

    /// <summary>The node's directory is empty, or has missed something: the shards here tell it all.</summary>
    private void Refresh(Node node)
    {
        if (!node.KeepsDirectory) return;
        var wanted = new ShardMessages.DirectoryWanted(node);
        for (var shard = 0; shard < _map.Shards; shard++) _map.Here(shard)?.Tell(wanted, ActorRefs.NoSender);
    }

    /// <summary>Nodes that start together share the shards among them from the beginning: the first waits a little for those that its seeds name, lest it
    /// start all shards and hand most of them over again.</summary>
    private bool HasGathered()
    {
        if (_map.Region is not { } region) return false;
        if (_gatherUntil == 0) _gatherUntil = _node.Now + GatherTime;
        if (_regions >= _node.Seeds.Count || _node.Now >= _gatherUntil) return true;
        region.Tell(GetCurrentRegions.Instance, Self);
        return false;
    }

    /// <summary>Shards that nobody has: they are wanted before somebody asks, so that no packet waits for one to start.</summary>
    private void StartUnknown()
    {
        if (_map.Region is not { } region || _node.IsLeaving) return;
        for (var shard = 0; shard < _map.Shards; shard++)
        {
            if (_map.Owner(shard) is null) region.Tell(new StartShard { Shard = (uint)shard }, ActorRefs.NoSender);
        }
    }
}
