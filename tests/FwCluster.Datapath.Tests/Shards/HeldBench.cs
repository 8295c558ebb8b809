using FwCluster.Conntrack;
using FwCluster.Conntrack.Helpers;
using FwCluster.Datapath.Shards;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Datapath.Tests.Shards;

/// <summary>A worker whose shards are the test.</summary>
internal sealed class HeldBench : IShardLink, IVerdictPort, IPacketLog
{
    private readonly Queue<ShardReply> _replies = new();

    public HeldBench(string rules = "", int room = 100, IExpectationDirectory? directory = null)
    {
        Rules = ActiveRuleset.From(Compile(rules));
        Worker = new PacketWorker(Rules, ActiveRuleset.From(CompiledRuleset.Compile(Ruleset.Empty(IpFamily.IPv6))),
            new ConnectionTable(ConntrackSettings.Default, Helpers()), HostAddresses.None, log: this,
            shards: new ShardAccess(this, this) { MaxHeld = room, Directory = directory });
    }

    public PacketWorker Worker { get; }

    public ActiveRuleset Rules { get; }

    public long Now { get; private set; } = 1_700_000_000_000_000_000;

    public List<ShardRequest> Asked { get; } = [];

    /// <summary>The verdicts on held packets: the packet's length and what became of it.</summary>
    public List<(int Length, PacketOutcome Outcome)> Verdicts { get; } = [];

    public int Logged { get; private set; }

    public bool HasRoom { get; set; } = true;

    public PacketFate Send(byte[] packet)
        => Worker.Process(new PacketInput { Link = LinkType.Raw, Frame = packet, WireLength = packet.Length, Time = Now += 1000, Way = PacketWay.Forward }).Fate;

    public void Wait(TimeSpan time) => Worker.Idle(Now += (long)time.TotalNanoseconds, 1000);

    /// <summary>Takes the oldest request that was made.</summary>
    public ShardRequest Take(ShardRequestKind kind)
    {
        Assert.NotEmpty(Asked);
        var request = Asked[0];
        Assert.Equal(kind, request.Kind);
        Asked.RemoveAt(0);
        return request;
    }

    public void Say(in ShardReply reply)
    {
        _replies.Enqueue(reply);
        Worker.Advance(Now += 1000);
    }

    /// <summary>Answers the oldest question: its connection is in this state, and granted or not.</summary>
    public ShardRequest Answer(ConntrackState state, GrantKind grant = GrantKind.None, byte[]? first = null)
    {
        var question = Take(ShardRequestKind.Ask);
        var reply = new ShardReply { Kind = ShardReplyKind.Answer, Id = question.Id, State = state };
        if (grant != GrantKind.None) (reply.HasEntry, reply.Entry) = (true, Entry(first!, grant));
        Say(in reply);
        return question;
    }

    /// <summary>A connection that a packet has begun, confirmed.</summary>
    public Connection Entry(byte[] first, GrantKind grant)
    {
        var table = new ConnectionTable(ConntrackSettings.Default, Helpers());
        Assert.Equal(DecodeResult.Ok, PacketDecoder.Decode(first, first.Length, out var headers));
        var track = table.Track(headers, first, default, Now);
        Assert.True(table.Confirm(ref track, headers, first, Now));
        var entry = table[track.Connection];
        entry.Grant = grant;
        if (grant == GrantKind.Shared) entry.OriginalCounters = default;
        return entry;
    }

    public RulesetChange Change(string rules)
    {
        var change = new RulesetChange(Worker, Compile(rules), CompiledRuleset.Compile(Ruleset.Empty(IpFamily.IPv6)));
        Worker.Change(change);
        return change;
    }

    /// <summary>What FORWARD's rules counted.</summary>
    public ulong[] Counts()
    {
        var active = Worker.Rules(IpFamily.IPv4);
        var chain = active.Rules.ChainOf(TableId.Filter, Hook.Forward);
        return [.. Enumerable.Range(1, active.Rules.Chains[chain].Rules.Length).Select(rule => active.Counters.Read(chain, rule).Packets)];
    }

    public bool TrySend(in ShardRequest request, ReadOnlySpan<byte> packet)
    {
        if (request.Kind == ShardRequestKind.Ask && !HasRoom) return false;
        Asked.Add(request);
        return true;
    }

    public void Flush()
    {
        // What was said is said.
    }

    public bool TryReceive(out ShardReply reply) => _replies.TryDequeue(out reply);

    public void Decide(in PacketInput input, in PacketOutcome outcome) => Verdicts.Add((input.WireLength, outcome));

    public void Log(in PacketContext packet, in LogRequest request) => Logged++;

    private static IReadOnlyList<ConnectionHelper> Helpers()
    {
        Assert.True(ConnectionHelpers.TryCreate("none", out var helpers, out _));
        return ConnectionHelpers.AndTheRestForRules(helpers);
    }

    private static CompiledRuleset Compile(string text)
    {
        var read = RulesetReader.Read($"*filter\n{text}\nCOMMIT\n", "rules", IpFamily.IPv4);
        Assert.True(read.Succeeded, string.Join('\n', read.Errors.Select(e => e.Format())));
        return CompiledRuleset.Compile(read.IPv4!, seed: 1);
    }
}
