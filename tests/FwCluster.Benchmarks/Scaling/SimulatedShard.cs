using FwCluster.Cluster.Protocol.V1;
using FwCluster.Cluster.Wire;
using FwCluster.Conntrack;
using FwCluster.Conntrack.Helpers;
using FwCluster.Datapath.Shards;
using FwCluster.Packets;
using Google.Protobuf;
using ExpectationId = FwCluster.Datapath.Shards.ExpectationId;
using ShardReply = FwCluster.Datapath.Shards.ShardReply;

namespace FwCluster.Benchmarks.Scaling;

/// <summary>A shard and its way to the others: expectations go to every node, and the packet that announced one when all have acknowledged it.</summary>
internal sealed class SimulatedShard : IShardOutput, IExpectationNetwork
{
    private readonly SimulatedCluster _cluster;
    private readonly SimulatedNode _node;
    private readonly int _number;
    private readonly List<long> _tickets = [];
    private readonly HashSet<SimulatedNode> _asking = [];
    private ExpectationChanges? _changes;

    public SimulatedShard(SimulatedCluster cluster, SimulatedNode node, int number, ConntrackSettings settings, IReadOnlyList<ConnectionHelper> helpers)
    {
        (_cluster, _node, _number) = (cluster, node, number);
        Shard = new Shard(new ConnectionTable(settings, helpers), this, network: this);
    }

    public Shard Shard { get; }

    /// <summary>Sends what this turn's packets announced and withdrew: to each node one message.</summary>
    public void Finish(bool tick)
    {
        if (tick) Shard.Tick(_cluster.Now, 1024);
        if (_changes is not { } changes) return;
        _changes = null;
        long[] tickets = [.. _tickets];
        var asking = _asking.Count == 1 ? _asking.First() : null;
        _tickets.Clear();
        _asking.Clear();
        changes.Ticket = tickets.Length == 0 ? 0 : (ulong)tickets[0];
        var missing = _cluster.Nodes.Count(peer => peer != _node && peer != asking);
        if (missing == 0) Acknowledge(tickets);
        foreach (var peer in _cluster.Nodes)
        {
            if (peer == _node) continue;
            Post(changes, () =>
            {
                Apply(changes, peer.Directory);
                if (tickets.Length == 0 || peer == asking) return;
                Post(new ExpectationsAcknowledged { Ticket = changes.Ticket }, () =>
                {
                    if (--missing == 0) Acknowledge(tickets);
                });
            });
        }
    }

    public void Reply(int holder, in ShardReply reply) => _node.Reply(_number, holder, in reply);

    public void Announce(long ticket, int holder, ulong number, Expectation expectation)
    {
        _node.Directory.Add(new ExpectationId(_number, number), expectation, expectation.Expires);
        Changes.Add(ExpectationWire.Announced(_number, number, expectation, _cluster.Now));
        _tickets.Add(ticket);
        _asking.Add(_cluster.Nodes[holder]);
    }

    public bool Clashes(Expectation expectation) => _node.Directory.Clashes(_number, expectation, _cluster.Now);

    public void Withdraw(ulong number)
    {
        _node.Directory.Remove(new ExpectationId(_number, number));
        Changes.Add(ExpectationWire.Withdrawn(_number, number));
    }

    public void Claim(long ticket, in ExpectationId expectation, in FlowTuple tuple)
    {
        var (id, claimant) = (expectation, tuple);
        var master = _cluster.NodeOf(id.Shard);
        var claim = new Claim { Expectation = ExpectationWire.Id(id.Shard, id.Number), Tuple = ExpectationWire.Of(tuple), Shard = (uint)_number, Number = (ulong)ticket };
        Post(claim, () =>
        {
            var claimed = master.Shard(id.Shard).Shard.Claim(id.Number, in claimant, _cluster.Now);
            var answer = new ClaimAnswer { Shard = (uint)_number, Number = (ulong)ticket, IsGranted = claimed is not null, MasterHelper = "ftp" };
            Post(answer, () => Shard.Claimed(ticket, claimed, _cluster.Now), isHere: master == _node);
        }, isHere: master == _node);
    }

    private Google.Protobuf.Collections.RepeatedField<ExpectationChange> Changes => (_changes ??= new ExpectationChanges { Shard = (uint)_number }).Changes;

    private void Acknowledge(long[] tickets)
    {
        foreach (var ticket in tickets) Shard.Acknowledged(ticket, _cluster.Now);
    }

    private void Apply(ExpectationChanges changes, ExpectationDirectory directory)
    {
        foreach (var change in changes.Changes)
        {
            var id = new ExpectationId((int)change.Id.Shard, change.Id.Number);
            if (change.IsWithdrawn)
            {
                directory.Remove(id);
                continue;
            }
            if (!ExpectationWire.TryRead(change.Tuple, out var tuple)) throw new InvalidOperationException("a broken expectation");
            var expectation = new Expectation { Tuple = tuple, MatchSourceAddress = change.MatchSourceAddress, MatchSourcePort = change.MatchSourcePort, Master = -1 };
            directory.Add(id, expectation, _cluster.Now + change.ExpiresIn);
        }
    }

    private void Post(IMessage message, Action arrives, bool isHere = false)
    {
        if (!isHere)
        {
            _cluster.Costs.ExpectationMessages++;
            _cluster.Costs.ExpectationBytes += message.CalculateSize();
        }
        _cluster.Send(arrives);
    }
}
