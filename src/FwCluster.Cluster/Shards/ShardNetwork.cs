using System.Text;
using Akka.Actor;
using FwCluster.Cluster.Links;
using FwCluster.Cluster.Nodes;
using FwCluster.Cluster.Protocol.V1;
using FwCluster.Cluster.Wire;
using FwCluster.Conntrack;
using FwCluster.Datapath.Shards;
using FwCluster.Packets;
using Google.Protobuf;
using ExpectationId = FwCluster.Datapath.Shards.ExpectationId;

namespace FwCluster.Cluster.Shards;

/// <summary>
/// One shard's talk about expectations. What it announces and withdraws while it takes a batch goes to each node's directory as one message; the packets
/// that announced it go on when every other node has acknowledged, is gone, or has had its time. Used by the shard's actor alone.
/// </summary>
internal sealed class ShardNetwork(int number, NodeContext node, IUntypedActorContext actor) : IExpectationNetwork
{
    private readonly Dictionary<ulong, Expectation> _announced = [];
    private readonly Dictionary<ulong, Batch> _waiting = [];
    private readonly List<long> _done = [];
    private readonly List<long> _tickets = [];
    private readonly HashSet<int> _asking = []; // nodes where the packets wait that announced
    private ExpectationChanges? _changes;
    // Numbers of one start of the shard are not another's, here or elsewhere: answers to the one may come when the other is there.
    private readonly ulong _begun = (ulong)node.Now;
    private ulong _lastBatch = (ulong)node.Now;

    /// <summary>The shard's time.</summary>
    public long Now { get; set; }

    /// <inheritdoc/>
    public void Announce(long ticket, int holder, ulong number, Expectation expectation)
    {
        ArgumentNullException.ThrowIfNull(expectation);
        node.Directory.Add(new ExpectationId(Shard, number), expectation, expectation.Expires);
        _announced.Add(number, expectation);
        Changes.Add(ExpectationWire.Announced(Shard, number, expectation, Now));
        _tickets.Add(ticket);
        _asking.Add(Holder.Node(holder));
    }

    /// <inheritdoc/>
    public void Withdraw(ulong number)
    {
        node.Directory.Remove(new ExpectationId(Shard, number));
        if (_announced.Remove(number)) Changes.Add(ExpectationWire.Withdrawn(Shard, number));
    }

    /// <inheritdoc/>
    public bool Clashes(Expectation expectation) => node.Directory.Clashes(Shard, expectation, Now);

    /// <inheritdoc/>
    public void Claim(long ticket, in ExpectationId expectation, in FlowTuple tuple)
    {
        var claim = new Claim
        {
            Expectation = ExpectationWire.Id(expectation.Shard, expectation.Number), Tuple = ExpectationWire.Of(tuple), Shard = (uint)Shard,
            Number = _begun + (ulong)ticket, Node = node.Map[0].Uid,
        };
        if (expectation.Shard >= node.Map.Shards) return; // nobody's: the shard's patience ends
        if (node.Map.Here(expectation.Shard) is null && node.Map.Owner(expectation.Shard) is { Link: { } link }) link.Write(LinkStream.ClaimsFieldNumber, claim.ToByteArray());
        else node.Map.ToShard((uint)expectation.Shard)?.Tell(claim, ActorRefs.NoSender);
    }

    /// <summary>Answers another shard's claim.</summary>
    public void Answer(Claim claim, ClaimedExpectation? claimed)
    {
        var answer = new ClaimAnswer
        {
            Shard = claim.Shard, Number = claim.Number, IsGranted = claimed is not null, Mark = claimed?.Mark ?? 0,
            MasterHelper = Encoding.UTF8.GetString(node.Codec.Helpers.Of(claimed?.MasterHelper ?? 0)),
            Helper = Encoding.UTF8.GetString(node.Codec.Helpers.Of(claimed?.Helper ?? 0)),
        };
        if (!node.Map.TryGet(claim.Node, out var to)) return; // it is gone
        if (to.Link is { } link) link.Write(LinkStream.ClaimAnswersFieldNumber, answer.ToByteArray());
        else node.Map.Waits(answer.Shard)?.Tell(answer, ActorRefs.NoSender);
    }

    /// <summary>Reads what a claim brought.</summary>
    /// <returns>False where it is not this start's of the shard: another one's numbers mean something else.</returns>
    public bool TryRead(ClaimAnswer answer, out long ticket, out ClaimedExpectation? claimed)
    {
        ticket = (long)(answer.Number - _begun);
        claimed = !answer.IsGranted ? null : new ClaimedExpectation(answer.Mark, node.Codec.Helpers.Find(Encoding.UTF8.GetBytes(answer.MasterHelper)),
            node.Codec.Helpers.Find(Encoding.UTF8.GetBytes(answer.Helper)));
        return answer.Number >= _begun;
    }

    /// <summary>Sends what has been announced and withdrawn.</summary>
    public void Send()
    {
        if (_changes is not { } changes) return;
        _changes = null;
        var changed = changes.ToByteArray();
        if (_tickets.Count == 0)
        {
            foreach (var (_, link) in Directories()) link.Write(LinkStream.ExpectationsFieldNumber, changed, canWait: true); // one that is not withdrawn yet is nobody's to have
            return;
        }
        var batch = new Batch([.. _tickets]);
        // Where all packets that wait are at one node, nobody waits for that one: what it is told here comes to it before the replies that let them go on.
        var asking = _asking.Count == 1 ? _asking.First() : -1;
        _tickets.Clear();
        _asking.Clear();
        changes.Ticket = ++_lastBatch;
        var announced = changes.ToByteArray();
        foreach (var (peer, link) in Directories())
        {
            var isAsking = peer.Number == asking;
            link.Write(LinkStream.ExpectationsFieldNumber, isAsking ? changed : announced, canWait: isAsking);
            // Also one that cannot be reached: whose heartbeats are late may forward packets all the same. It is gone soon, or the time is over.
            if (!isAsking) batch.Missing.Add(peer.Uid);
        }
        if (batch.Missing.Count == 0)
        {
            _done.AddRange(batch.Tickets);
            return;
        }
        _waiting.Add(_lastBatch, batch);
        node.Statistics.CountAnnouncement();
        batch.Timer = actor.System.Scheduler.ScheduleTellOnceCancelable(
            node.Settings.ExpectationWait, actor.Self, new ShardMessages.AnnouncementOver(_lastBatch), ActorRefs.NoSender);
    }

    /// <summary>Sends all that the shard expects to one node, whose directory may lack it.</summary>
    public void SendAll(Node to) => to.Link?.Write(LinkStream.ExpectationsFieldNumber, All().ToByteArray());

    /// <summary>The shard begins here, with what was restored: what else it announced elsewhere, before, no longer counts.</summary>
    public void Begin()
    {
        node.Directory.RemoveShard(Shard, _announced.Keys.ToHashSet());
        foreach (var peer in node.Map.Nodes)
        {
            if (peer.KeepsDirectory) SendAll(peer);
        }
    }

    /// <summary>Takes over what the shard expected elsewhere: the directories know it.</summary>
    public void Restore(ulong number, Expectation expectation)
    {
        _announced[number] = expectation;
        node.Directory.Add(new ExpectationId(Shard, number), expectation, expectation.Expires);
    }

    /// <summary>A node has acknowledged a batch.</summary>
    public void Acknowledged(ulong ticket, int from)
    {
        if (_waiting.TryGetValue(ticket, out var batch) && batch.Missing.Remove(from) && batch.Missing.Count == 0)
        {
            node.Statistics.CountAcknowledged();
            Complete(ticket);
        }
    }

    /// <summary>A node will not acknowledge any more.</summary>
    public void Gone(int uid)
    {
        foreach (var ticket in _waiting.Keys.ToArray()) Acknowledged(ticket, uid);
    }

    /// <summary>Time is over for a batch.</summary>
    public void Over(ulong ticket)
    {
        if (!_waiting.ContainsKey(ticket)) return;
        node.Statistics.CountWaitOver();
        Complete(ticket);
    }

    /// <summary>Takes the next ticket that the shard need not wait for any longer.</summary>
    public bool TryTakeDone(out long ticket)
    {
        ticket = 0;
        if (_done.Count == 0) return false;
        ticket = _done[0];
        _done.RemoveAt(0);
        return true;
    }

    private int Shard => number;

    private Google.Protobuf.Collections.RepeatedField<ExpectationChange> Changes => (_changes ??= new ExpectationChanges { Shard = (uint)Shard }).Changes;

    /// <summary>The other nodes that keep a directory.</summary>
    private IEnumerable<(Node Peer, Link Link)> Directories()
    {
        foreach (var peer in node.Map.Nodes)
        {
            if (!peer.IsGone && peer.KeepsDirectory && peer.Link is { } link) yield return (peer, link);
        }
    }

    private ExpectationChanges All()
    {
        var all = new ExpectationChanges { Shard = (uint)Shard, IsAll = true };
        foreach (var (id, expectation) in _announced) all.Changes.Add(ExpectationWire.Announced(Shard, id, expectation, Now));
        return all;
    }

    private void Complete(ulong ticket)
    {
        if (!_waiting.Remove(ticket, out var batch)) return;
        batch.Timer?.Cancel();
        _done.AddRange(batch.Tickets);
    }

    /// <summary>Announcements that went together.</summary>
    private sealed class Batch(long[] tickets)
    {
        public long[] Tickets { get; } = tickets;

        /// <summary>Nodes that have not acknowledged, by the number of their start.</summary>
        public HashSet<int> Missing { get; } = [];

        public ICancelable? Timer { get; set; }
    }
}
