using FwCluster.Conntrack;
using FwCluster.Packets;

namespace FwCluster.Datapath.Shards;

/// <content>Expectations whose connections may be other shards'.</content>
public sealed partial class Shard
{
    // A first packet is sent again for about two minutes (tcp_syn_retries).
    private static readonly TimeSpan ClaimMemory = TimeSpan.FromMinutes(2);

    private readonly Dictionary<ulong, Expectation> _byNumber = [];
    private readonly Dictionary<Expectation, ulong> _numbers = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<long, FlowKey> _tickets = [];
    private readonly RecentlyKeyed<ulong, (FlowTuple Tuple, ClaimedExpectation Claimed)> _granted = new(ClaimMemory);
    private readonly RecentlyKeyed<FlowKey, ExpectationId> _unanswered = new(ClaimMemory);
    private ulong _lastNumber;
    private long _lastTicket;

    // While one question is dealt with: what was claimed for it, who asked, and the ticket of what its packet announced.
    private ClaimedExpectation? _claimed;
    private int _announcing;
    private long _announced;

    /// <summary>Every node that can be reached knows the expectation, or has had its time: its packet goes on.</summary>
    public void Acknowledged(long ticket, long now)
    {
        _now = Math.Max(_now, now);
        if (!Find(ticket, ShardWaitKind.Acknowledgement, out var key, out var wait)) return;
        _output.Reply(wait.Holder, in wait.Reply);
        Resume(key, wait);
    }

    /// <summary>The master's shard has answered.</summary>
    /// <param name="ticket">What <see cref="IExpectationNetwork.Claim"/> named.</param>
    /// <param name="claimed">What the connection inherits; null where another one has the expectation, or it is gone.</param>
    /// <param name="now">Nanoseconds since the Unix epoch.</param>
    public void Claimed(long ticket, ClaimedExpectation? claimed, long now)
    {
        _now = Math.Max(_now, now);
        if (!Find(ticket, ShardWaitKind.Claim, out var key, out var wait)) return;
        _unanswered.Remove(key);
        _claimed = claimed;
        var asked = wait.Asked!;
        Ask(asked.Holder, asked.Request, asked.Packet, hasClaimed: true);
        _claimed = null;
        Resume(key, wait);
    }

    /// <summary>Another shard's connection meets an expectation of this one's. Whoever it was granted to gets it again: the answer may have been lost.</summary>
    /// <param name="number">The expectation's number.</param>
    /// <param name="tuple">The connection's first packet.</param>
    /// <param name="now">Nanoseconds since the Unix epoch.</param>
    /// <returns>What the connection inherits; null where another one was first, or the expectation is gone.</returns>
    public ClaimedExpectation? Claim(ulong number, in FlowTuple tuple, long now)
    {
        _now = Math.Max(_now, now);
        if (!_byNumber.TryGetValue(number, out var expectation))
            return _granted.TryGet(number, _now, out var granted) && granted.Tuple == tuple ? granted.Claimed : null;
        var claimed = _table.Claim(expectation, _now);
        if (claimed is not { } inherited) return null;
        Statistics.Claimed++;
        if (!expectation.Permanent) _granted.Set(number, (tuple, inherited), _now);
        return claimed;
    }

    /// <summary>What a first packet is to claim: what its worker's directory says; or what it claimed before without an answer, which no directory has any
    /// more if the claim was granted.</summary>
    private ExpectationId ExpectationFor(in ShardRequest request)
        => request.Expectation.IsSet || !_unanswered.TryGet(FlowKey.Of(request.Tuple), _now, out var before) ? request.Expectation : before;

    private void ClaimFirst(int holder, in ExpectationId expectation, in ShardRequest request, ReadOnlySpan<byte> packet)
    {
        var ticket = ++_lastTicket;
        var key = FlowKey.Of(request.Tuple);
        _tickets.Add(ticket, key);
        _waits.Add(key, new ShardWait
        {
            Kind = ShardWaitKind.Claim, Number = ticket, Holder = holder, Deadline = _now + Patience,
            Asked = new HeldRequest(holder, request with { Expectation = expectation }, packet.ToArray()),
        });
        _network!.Claim(ticket, in expectation, in request.Tuple);
    }

    private bool Find(long ticket, ShardWaitKind kind, out FlowKey key, out ShardWait wait)
    {
        wait = null!;
        if (!_tickets.Remove(ticket, out key)) return false;
        if (!_waits.TryGetValue(key, out var found) || found.Kind != kind || found.Number != ticket) return false;
        _waits.Remove(key);
        wait = found;
        return true;
    }

    private ClaimedExpectation? TakeClaimed(FlowTuple tuple) => _claimed;

    private void NoteExpectation(Expectation expectation)
    {
        var number = ++_lastNumber;
        _byNumber.Add(number, expectation);
        _numbers.Add(expectation, number);
        _announced = ++_lastTicket;
        _network!.Announce(_announced, _announcing, number, expectation);
    }

    private void WithdrawExpectation(Expectation expectation)
    {
        if (!_numbers.Remove(expectation, out var number)) return;
        _byNumber.Remove(number);
        _network!.Withdraw(number);
    }

    /// <summary>The packet announced an expectation: the worker is told when the nodes know it.</summary>
    private void HoldBack(int holder, in PacketHeaders headers, in ShardReply reply)
    {
        var ticket = _announced;
        _announced = 0;
        var key = FlowKey.Of(headers.Tuple);
        _tickets.Add(ticket, key);
        _waits.Add(key, new ShardWait
        {
            Kind = ShardWaitKind.Acknowledgement, Number = ticket, Holder = holder, Deadline = _now + Patience, Reply = reply,
        });
    }
}
