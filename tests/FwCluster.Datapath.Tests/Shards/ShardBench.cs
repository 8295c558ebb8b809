using FwCluster.Conntrack;
using FwCluster.Conntrack.Helpers.Ftp;
using FwCluster.Datapath.Shards;
using FwCluster.Packets;

namespace FwCluster.Datapath.Tests.Shards;

/// <summary>One shard whose workers and network are the test.</summary>
internal sealed class ShardBench : IShardOutput, IExpectationNetwork
{
    public const AcceptedStates All = AcceptedStates.New | AcceptedStates.Established | AcceptedStates.Related | AcceptedStates.Invalid;

    private readonly Queue<(int Holder, ShardReply Reply)> _replies = new();
    private uint _question;

    public ShardBench(ConntrackSettings? settings = null, ShardSettings? patience = null)
        => Shard = new Shard(new ConnectionTable(settings ?? ConntrackSettings.Default, [new FtpHelper { Ports = [FtpHelper.DefaultPort] }]), this, patience, this);

    public Shard Shard { get; }

    public ConnectionTable Table => Shard.Connections;

    public long Now { get; private set; } = 1_700_000_000_000_000_000;

    /// <summary>What was said last of expectations.</summary>
    public List<(long Ticket, ulong Number, Expectation Expectation)> Announced { get; } = [];

    public List<ulong> Withdrawn { get; } = [];

    public List<(long Ticket, ExpectationId Id)> Claims { get; } = [];

    public void Wait(TimeSpan time)
    {
        Now += (long)time.TotalNanoseconds;
        Shard.Tick(Now, int.MaxValue);
    }

    /// <summary>A worker asks, and brings back what it was granted, if it says so; its question's number.</summary>
    public uint Ask(int holder, byte[] packet, AcceptedStates accepts = All, bool first = false, ExpectationId expectation = default, ShardReply back = default)
    {
        Assert.Equal(DecodeResult.Ok, PacketDecoder.Decode(packet, packet.Length, out var headers));
        var request = new ShardRequest
        {
            Kind = ShardRequestKind.Ask, Id = ++_question, Tuple = headers.Tuple, Accepts = accepts, AsksFirst = first, WireLength = packet.Length,
            Expectation = expectation, HasEntry = back.HasEntry, Entry = back.Entry, Helper = back.Helper,
        };
        Shard.Take(holder, in request, packet, Now += 1000);
        return _question;
    }

    /// <summary>A worker says something of a connection that it has.</summary>
    public void Say(int holder, ShardRequestKind kind, in Connection entry, uint id = 0, bool hasEntry = true)
        => Shard.Take(holder, new ShardRequest { Kind = kind, Id = id, Tuple = entry.Original, HasEntry = hasEntry, Entry = entry }, default, Now += 1000);

    /// <summary>The next of the shard's replies.</summary>
    public ShardReply Next(int holder, ShardReplyKind kind)
    {
        Assert.True(_replies.TryDequeue(out var next), $"no {kind} for {holder}");
        Assert.Equal((holder, kind), (next.Holder, next.Reply.Kind));
        return next.Reply;
    }

    /// <summary>All replies that are left.</summary>
    public List<(int Holder, ShardReply Reply)> Drain()
    {
        List<(int, ShardReply)> all = [.. _replies];
        _replies.Clear();
        return all;
    }

    public void Nothing() => Assert.Empty(_replies.Select(r => $"{r.Reply.Kind} for {r.Holder}"));

    /// <summary>Asks and takes the answer, which is to be there. What the worker was granted before it has lost.</summary>
    public ShardReply Answer(int holder, byte[] packet, AcceptedStates accepts = All)
    {
        var id = Ask(holder, packet, accepts);
        if (_replies.TryPeek(out var first) && first is { Reply.Kind: ShardReplyKind.Recall } && first.Holder == holder)
            Say(holder, ShardRequestKind.Return, new Connection { Original = _replies.Dequeue().Reply.Tuple }, first.Reply.Id, hasEntry: false);
        var reply = Next(holder, ShardReplyKind.Answer);
        Assert.Equal(id, reply.Id);
        return reply;
    }

    /// <summary>Has a holder give back what it holds, as it was granted.</summary>
    public void GiveBack(int holder, in Connection entry) => Say(holder, ShardRequestKind.Return, in entry, Next(holder, ShardReplyKind.Recall).Id);

    /// <summary>A connection that two workers keep asking about, established: shared by both.</summary>
    public Connection Share(Conversation tcp, int one = 1, int other = 2)
    {
        var first = Answer(one, tcp.Syn()).Entry;
        Ask(other, tcp.SynAck());
        GiveBack(one, in first);
        Assert.False(Next(other, ShardReplyKind.Answer).HasEntry); // it is beginning, and two have met it
        var granted = Answer(one, tcp.Ack()).Entry;
        Assert.Equal(GrantKind.Exclusive, granted.Grant);
        Ask(other, tcp.Answer("hello"));
        GiveBack(one, in granted);
        var shared = Next(other, ShardReplyKind.Answer).Entry;
        Assert.Equal(GrantKind.Shared, shared.Grant);
        Assert.Equal(GrantKind.Shared, Answer(one, tcp.Say("hi")).Entry.Grant);
        return shared;
    }

    public void Reply(int holder, in ShardReply reply) => _replies.Enqueue((holder, reply));

    public void Announce(long ticket, int holder, ulong number, Expectation expectation) => Announced.Add((ticket, number, expectation));

    public bool Clashes(Expectation expectation) => false;

    public void Withdraw(ulong number) => Withdrawn.Add(number);

    public void Claim(long ticket, in ExpectationId expectation, in FlowTuple tuple) => Claims.Add((ticket, expectation));
}
