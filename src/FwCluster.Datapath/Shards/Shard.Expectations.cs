using FwCluster.Conntrack;
using FwCluster.Packets;

namespace FwCluster.Datapath.Shards;

/// <content>Expectations whose connections may be other shards'.</content>
public sealed partial class Shard
{
    private readonly Dictionary<ulong, Expectation> _byNumber = [];
    private readonly Dictionary<Expectation, ulong> _numbers = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<long, FlowKey> _tickets = [];
    private ulong _lastNumber;
    private long _lastTicket;

    // While one question is dealt with: what was claimed for it, and the ticket of what its packet announced.
    private ClaimedExpectation? _claimed;
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
        _claimed = claimed;
        var asked = wait.Asked!;
        Ask(asked.Holder, claimed is null ? asked.Request with { Expectation = default } : asked.Request, asked.Packet);
        _claimed = null;
        Resume(key, wait);
    }

    /// <summary>Another shard's connection meets an expectation of this one's.</summary>
    /// <param name="number">The expectation's number.</param>
    /// <param name="now">Nanoseconds since the Unix epoch.</param>
    /// <returns>What the connection inherits; null where another one was first, or the expectation is gone.</returns>
    public ClaimedExpectation? Claim(ulong number, long now)
    {
        _now = Math.Max(_now, now);
        if (!_byNumber.TryGetValue(number, out var expectation)) return null;
        var claimed = _table.Claim(expectation, _now);
        if (claimed is not null) Statistics.Claimed++;
        return claimed;
    }

    private void ClaimFirst(int holder, in ShardRequest request, ReadOnlySpan<byte> packet)
    {
        var ticket = ++_lastTicket;
        var key = FlowKey.Of(request.Tuple);
        _tickets.Add(ticket, key);
        _waits.Add(key, new ShardWait
        {
            Kind = ShardWaitKind.Claim, Number = ticket, Holder = holder, Deadline = _now + Patience,
            Asked = new HeldRequest(holder, request, packet.ToArray()),
        });
        _network!.Claim(ticket, in request.Expectation, in request.Tuple);
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
        _network!.Announce(_announced, number, expectation);
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
