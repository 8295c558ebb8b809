using FwCluster.Conntrack;
using FwCluster.Conntrack.Helpers.Ftp;
using FwCluster.Datapath.Shards;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;

namespace FwCluster.Datapath.Tests.Shards;

/// <summary>
/// Workers and shards between whom each message waits until it is delivered: those of one to another stay in their order, others overtake each other.
/// Looks after every step whether what must always be so is so.
/// </summary>
internal sealed class DelayedCluster
{
    private readonly SortedDictionary<(int From, int To), Queue<Letter>> _mail = [];
    private readonly Member[] _members;
    private readonly Place[] _places;
    private readonly Dictionary<ExpectationId, int> _granted = [];
    private readonly Dictionary<uint, int> _verdicts = [];
    private readonly Dictionary<uint, int> _heldBy = [];
    private uint _lastPacket;

    public DelayedCluster(int workers, int shards)
    {
        _places = [.. Enumerable.Range(0, shards).Select(number => new Place(this, number))];
        _members = [.. Enumerable.Range(0, workers).Select(number => new Member(this, number))];
    }

    public long Now { get; private set; } = 1_700_000_000_000_000_000;

    public int Waiting => _mail.Values.Sum(queue => queue.Count);

    /// <summary>First packets that were RELATED, by their tuple.</summary>
    public HashSet<FlowTuple> Related { get; } = [];

    /// <summary>Has a packet come to a worker; nothing where that has vanished.</summary>
    public void Send(int worker, byte[] packet)
    {
        var member = _members[worker % _members.Length];
        if (member.IsGone) return;
        var id = ++_lastPacket;
        var outcome = member.Worker.Process(new PacketInput
        {
            Link = LinkType.Raw, Frame = packet, WireLength = packet.Length, Time = Now, Way = PacketWay.Forward, Ticket = new PacketTicket(id, 0, 0, false),
        });
        if (outcome.Fate == PacketFate.Held) _heldBy.Add(id, member.Number);
        Look();
    }

    /// <summary>Delivers the oldest message of one of those who have sent some.</summary>
    public void Deliver(int which)
    {
        var queues = _mail.Values.Where(queue => queue.Count > 0).ToArray();
        if (queues.Length == 0) return;
        queues[which % queues.Length].Dequeue().Arrive();
        Look();
    }

    public void Wait(TimeSpan time)
    {
        Now += (long)time.TotalNanoseconds;
        foreach (var place in _places) place.Shard.Tick(Now, 1000);
        foreach (var member in _members.Where(m => !m.IsGone)) member.Worker.Idle(Now, 1000);
        Look();
    }

    /// <summary>A worker vanishes, and what was on its way to and from it; the shards are told.</summary>
    public void Vanish(int worker)
    {
        var member = _members[worker % _members.Length];
        if (member.IsGone || _members.Count(m => !m.IsGone) == 1) return;
        member.IsGone = true;
        foreach (var (way, queue) in _mail)
        {
            if (way.From == Member.Address(member.Number) || way.To == Member.Address(member.Number)) queue.Clear();
        }
        foreach (var place in _places) place.Shard.HolderGone(member.Number, Now);
        Look();
    }

    /// <summary>Delivers everything and lets all patience end; then every packet that was held has one verdict.</summary>
    public void Finish()
    {
        for (var round = 0; round < 8; round++)
        {
            for (var i = 0; Waiting > 0; i++)
            {
                Assert.True(i < 100_000, "they do not stop talking");
                Deliver(i);
            }
            Wait(TimeSpan.FromSeconds(2.5));
        }
        foreach (var (packet, worker) in _heldBy.Where(held => !_members[held.Value].IsGone))
            Assert.True(_verdicts.GetValueOrDefault(packet) == 1, $"packet {packet}, held by {worker}, has got {_verdicts.GetValueOrDefault(packet)} verdicts");
        Assert.All(_members.Where(m => !m.IsGone), member => Assert.Equal(0, member.Worker.HeldCount));
        Assert.All(_places, place => Assert.Equal(0, place.Shard.Waiting));
    }

    /// <summary>At most one worker has a connection for itself that is not being told to give it back.</summary>
    private void Look()
    {
        var believers = new Dictionary<FlowTuple, int>();
        foreach (var member in _members.Where(m => !m.IsGone))
        {
            var table = member.Worker.Connections;
            Assert.Empty(table.Expectations(Now)); // that is for shards to do
            foreach (var index in table.Connections(Now).Where(index => table[index].Grant == GrantKind.Exclusive))
            {
                var tuple = table[index].Original;
                if (IsToldOf(member, tuple)) continue;
                Assert.True(believers.TryAdd(tuple, member.Number), $"{believers.GetValueOrDefault(tuple)} and {member.Number} both have {tuple.SourcePort} > {tuple.DestinationPort}");
            }
        }
        Assert.All(_granted, granted => Assert.Equal(1, granted.Value));
        Assert.All(_verdicts, verdict => Assert.Equal(1, verdict.Value));
    }

    private bool IsToldOf(Member member, FlowTuple tuple)
        => _mail.Any(way => way.Key.To == Member.Address(member.Number) && way.Value.Any(letter => letter.TakesAway is { } taken && FlowKey.Of(taken) == FlowKey.Of(tuple)));

    private void Post(int from, int to, Action arrive, FlowTuple? takesAway = null)
    {
        if (!_mail.TryGetValue((from, to), out var queue)) _mail.Add((from, to), queue = new Queue<Letter>());
        queue.Enqueue(new Letter(arrive, takesAway));
    }

    private static ConnectionTable Table() => new(ConntrackSettings.Default, [new FtpHelper { Ports = [FtpHelper.DefaultPort] }]);

    private sealed record Letter(Action Arrive, FlowTuple? TakesAway);

    private sealed class Member : IShardLink, IVerdictPort
    {
        private readonly DelayedCluster _cluster;
        private readonly Queue<ShardReply> _replies = new();

        public Member(DelayedCluster cluster, int number)
        {
            (_cluster, Number) = (cluster, number);
            Worker = new PacketWorker(ActiveRuleset.From(CompiledRuleset.Compile(Ruleset.Empty(IpFamily.IPv4))),
                ActiveRuleset.From(CompiledRuleset.Compile(Ruleset.Empty(IpFamily.IPv6))), Table(), HostAddresses.None,
                shards: new ShardAccess(this, this) { Directory = Directory });
        }

        public PacketWorker Worker { get; }

        public int Number { get; }

        public bool IsGone { get; set; }

        public ExpectationDirectory Directory { get; } = new();

        public static int Address(int number) => 1000 + number;

        public bool TrySend(in ShardRequest request, ReadOnlySpan<byte> packet)
        {
            if (IsGone) return true;
            var (sent, bytes) = (request, packet.ToArray());
            var place = _cluster._places[(FlowKey.Of(request.Tuple).Tuple.SourcePort + FlowKey.Of(request.Tuple).Tuple.DestinationPort) % _cluster._places.Length];
            _cluster.Post(Address(Number), place.Number, () => place.Shard.Take(Number, in sent, bytes, _cluster.Now));
            return true;
        }

        public void Flush()
        {
            // All is on its way.
        }

        public bool TryReceive(out ShardReply reply) => _replies.TryDequeue(out reply);

        public void Receive(in ShardReply reply)
        {
            _replies.Enqueue(reply);
            Worker.Advance(_cluster.Now);
        }

        public void Decide(in PacketInput input, in PacketOutcome outcome)
        {
            _cluster._verdicts[input.Ticket.Id] = _cluster._verdicts.GetValueOrDefault(input.Ticket.Id) + 1;
            if (outcome.State == ConntrackState.Related && PacketDecoder.Decode(input.Frame, input.WireLength, out var headers) == DecodeResult.Ok)
                _cluster.Related.Add(headers.Tuple);
        }
    }

    private sealed class Place : IShardOutput, IExpectationNetwork
    {
        private readonly DelayedCluster _cluster;

        public Place(DelayedCluster cluster, int number)
        {
            (_cluster, Number) = (cluster, number);
            Shard = new Shard(Table(), this, network: this);
        }

        public Shard Shard { get; }

        public int Number { get; }

        public void Reply(int holder, in ShardReply reply)
        {
            var member = _cluster._members[holder];
            if (member.IsGone) return;
            var sent = reply;
            FlowTuple? takesAway = reply.Kind is ShardReplyKind.Recall or ShardReplyKind.Revoke ? reply.Tuple : null;
            _cluster.Post(Number, Member.Address(holder), () => member.Receive(in sent), takesAway);
        }

        public void Announce(long ticket, int holder, ulong number, Expectation expectation)
        {
            var missing = _cluster._members.Count(m => !m.IsGone);
            foreach (var member in _cluster._members.Where(m => !m.IsGone))
            {
                _cluster.Post(Number, Member.Address(member.Number), () =>
                {
                    member.Directory.Add(new ExpectationId(Number, number), expectation, expectation.Expires);
                    if (--missing == 0) Shard.Acknowledged(ticket, _cluster.Now);
                });
            }
        }

        public bool Clashes(Expectation expectation) => false;

        public void Withdraw(ulong number)
        {
            foreach (var member in _cluster._members.Where(m => !m.IsGone))
                _cluster.Post(Number, Member.Address(member.Number), () => member.Directory.Remove(new ExpectationId(Number, number)));
        }

        public void Claim(long ticket, in ExpectationId expectation, in FlowTuple tuple)
        {
            var (id, claimant) = (expectation, tuple);
            _cluster.Post(Number, id.Shard, () =>
            {
                var claimed = _cluster._places[id.Shard].Shard.Claim(id.Number, in claimant, _cluster.Now);
                if (claimed is not null) _cluster._granted[id] = _cluster._granted.GetValueOrDefault(id) + 1;
                _cluster.Post(id.Shard, Number, () => Shard.Claimed(ticket, claimed, _cluster.Now));
            });
        }
    }
}
