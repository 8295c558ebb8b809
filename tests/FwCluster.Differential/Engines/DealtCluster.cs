using FwCluster.Conntrack;
using FwCluster.Conntrack.Helpers;
using FwCluster.Conntrack.Table;
using FwCluster.Datapath;
using FwCluster.Datapath.Shards;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;

namespace FwCluster.Differential.Engines;

/// <summary>Several workers and shards in one process and thread: what they say to each other arrives in order, at once, and is always heard.</summary>
public sealed class DealtCluster
{
    private readonly TupleHash _hash = TupleHash.Random();
    private readonly ExpectationDirectory _directory = new();
    private readonly Queue<Action> _mail = new();
    private readonly Func<ConnectionTable> _makeTable;
    private readonly Member[] _members;
    private readonly Place[] _places;
    private long _now;

    public DealtCluster(int workers, int shards, ConntrackSettings settings, IReadOnlyList<ConnectionHelper> helpers, ShardSettings sharing)
    {
        _makeTable = () => new ConnectionTable(settings, helpers);
        _places = [.. Enumerable.Range(0, shards).Select(number => new Place(this, number, new ConnectionTable(settings, helpers), sharing))];
        _members = [.. Enumerable.Range(0, workers).Select(number => new Member(this, number, new ConnectionTable(settings, helpers)))];
    }

    /// <summary>The shards' tables.</summary>
    public IEnumerable<Shard> Shards => _places.Select(place => place.Shard);

    /// <summary>The workers.</summary>
    public IEnumerable<PacketWorker> Workers => _members.Select(member => member.Worker);

    /// <summary>Sends a packet through one worker, and everything that it makes them say.</summary>
    public PacketOutcome Send(int worker, ReadOnlySpan<byte> packet, long now)
    {
        _now = now;
        var member = _members[worker];
        member.Verdict = null;
        var outcome = member.Worker.Process(new PacketInput { Link = LinkType.Raw, Frame = packet, WireLength = packet.Length, Time = now, Way = PacketWay.Forward });
        Settle();
        if (outcome.Fate != PacketFate.Held) return outcome;
        return member.Verdict ?? throw new InvalidOperationException("a held packet has got no verdict");
    }

    /// <summary>Moves a shard to a place of its own: another table, which takes over all that the first one had.</summary>
    public void Move(int shard, long now)
    {
        _now = now;
        _places[shard].Move(_makeTable(), now);
        Settle();
    }

    /// <summary>Has the workers report as they do once a time has passed; for the shards it has not.</summary>
    public void Report(TimeSpan later)
    {
        const int everything = 1 << 30;
        foreach (var member in _members) member.Worker.Idle(_now + (long)later.TotalNanoseconds, everything);
        Settle();
    }

    private void Settle()
    {
        foreach (var member in _members) member.Worker.Advance(_now);
        while (_mail.TryDequeue(out var letter))
        {
            letter();
            if (_mail.Count > 0) continue;
            foreach (var member in _members) member.Worker.Advance(_now);
        }
    }

    private static ActiveRuleset Compile(IpFamily family)
        => ActiveRuleset.From(CompiledRuleset.Compile(Ruleset.Empty(family)));

    /// <summary>A worker and its way to the shards.</summary>
    private sealed class Member : IShardLink, IVerdictPort
    {
        private readonly DealtCluster _cluster;
        private readonly int _number;
        private readonly Queue<ShardReply> _replies = new();

        public Member(DealtCluster cluster, int number, ConnectionTable table)
        {
            (_cluster, _number) = (cluster, number);
            Worker = new PacketWorker(Compile(IpFamily.IPv4), Compile(IpFamily.IPv6), table, HostAddresses.None,
                shards: new ShardAccess(this, this) { Directory = cluster._directory });
        }

        public PacketWorker Worker { get; }

        public PacketOutcome? Verdict { get; set; }

        public bool TrySend(in ShardRequest request, ReadOnlySpan<byte> packet)
        {
            var (sent, bytes) = (request, packet.ToArray());
            var shard = _cluster._places[(int)(_cluster._hash.Of(request.Tuple) % (ulong)_cluster._places.Length)].Shard;
            _cluster._mail.Enqueue(() => shard.Take(_number, in sent, bytes, _cluster._now));
            return true;
        }

        public void Flush()
        {
            // Mail goes at once.
        }

        public bool TryReceive(out ShardReply reply) => _replies.TryDequeue(out reply);

        public void Decide(in PacketInput input, in PacketOutcome outcome) => Verdict = outcome;

        public void Receive(in ShardReply reply) => _replies.Enqueue(reply);
    }

    /// <summary>A shard and its way to the others.</summary>
    private sealed class Place : IShardOutput, IExpectationNetwork
    {
        private readonly DealtCluster _cluster;
        private readonly int _number;
        private readonly ShardSettings _sharing;

        public Place(DealtCluster cluster, int number, ConnectionTable table, ShardSettings sharing)
        {
            (_cluster, _number, _sharing) = (cluster, number, sharing);
            Shard = new Shard(table, this, sharing, this);
        }

        public Shard Shard { get; private set; }

        public void Move(ConnectionTable table, long now)
        {
            var estate = new Estate();
            Shard.Leave(estate, now);
            Shard = new Shard(table, this, _sharing, this);
            estate.To(Shard, now);
        }

        public void Reply(int holder, in ShardReply reply)
        {
            var sent = reply;
            _cluster._mail.Enqueue(() => _cluster._members[holder].Receive(in sent));
        }

        public void Announce(long ticket, int holder, ulong number, Expectation expectation)
        {
            _cluster._mail.Enqueue(() => _cluster._directory.Add(new ExpectationId(_number, number), expectation, expectation.Expires));
            _cluster._mail.Enqueue(() => Shard.Acknowledged(ticket, _cluster._now));
        }

        public bool Clashes(Expectation expectation) => _cluster._directory.Clashes(_number, expectation, _cluster._now);

        public void Withdraw(ulong number) => _cluster._mail.Enqueue(() => _cluster._directory.Remove(new ExpectationId(_number, number)));

        public void Claim(long ticket, in ExpectationId expectation, in FlowTuple tuple)
        {
            var (id, claimant) = (expectation, tuple);
            _cluster._mail.Enqueue(() =>
            {
                var claimed = _cluster._places[id.Shard].Shard.Claim(id.Number, in claimant, _cluster._now);
                _cluster._mail.Enqueue(() => Shard.Claimed(ticket, claimed, _cluster._now));
            });
        }
    }

    /// <summary>What a shard leaves behind.</summary>
    private sealed class Estate : IShardEstate
    {
        private readonly List<(Connection Entry, int[] Sharers, byte[] Helper)> _entries = [];
        private readonly List<(ulong Number, Expectation Expectation, Connection Master)> _expectations = [];

        public void Add(in Connection entry, IReadOnlyList<int> sharers, byte[] helper) => _entries.Add((entry, [.. sharers], helper));

        public void Add(ulong number, Expectation expectation, in Connection master) => _expectations.Add((number, expectation, master));

        public void To(Shard shard, long now)
        {
            foreach (var (entry, sharers, helper) in _entries) shard.TakeOver(in entry, sharers, helper, isHolderGone: false, now);
            foreach (var (number, expectation, master) in _expectations) shard.TakeOver(number, expectation, expectation.Expires, in master, now);
        }
    }
}
