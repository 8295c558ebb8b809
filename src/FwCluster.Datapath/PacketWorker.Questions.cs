using FwCluster.Conntrack;
using FwCluster.Datapath.Held;
using FwCluster.Datapath.Shards;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;

namespace FwCluster.Datapath;

/// <content>Packets whose connection is a shard's to tell.</content>
public sealed partial class PacketWorker
{
    // How much of a packet its shard is shown: all that tracking and helpers read.
    private const int MostShown = 16 * 1024;
    private const int MostShownOfUdp = 512;

    private static readonly ConntrackState[] PossibleStates =
        [ConntrackState.New, ConntrackState.Established, ConntrackState.Related, ConntrackState.Invalid];

    private readonly IShardLink? _link;
    private readonly IVerdictPort? _verdicts;
    private readonly IExpectationDirectory? _directory;
    private readonly HeldPackets? _held;
    private readonly long _patience;

    /// <summary>Packets that wait for a shard.</summary>
    public int HeldCount => _held?.Count ?? 0;

    /// <summary>True while a change of rules waits for held packets, which are decided by the rules that they began with: the port should bring no
    /// more packets, only <see cref="Advance"/>.</summary>
    public bool IsDraining => Volatile.Read(ref _change) is not null && HeldCount > 0;

    /// <summary>Sends the questions that were gathered and takes the answers that have come; verdicts go to the port. To be called after each batch
    /// of packets, and when an answer may be there.</summary>
    /// <param name="now">Nanoseconds since the Unix epoch.</param>
    public void Advance(long now)
    {
        if (_link is null) return;
        _now = Math.Max(_now, now);
        do _link.Flush(); // also what the answers made us say, which shards of this thread's turn answer at once
        while (TakeReplies());
        if (_change is not null && HeldCount == 0) MakeChange();
    }

    private bool TakeReplies()
    {
        var any = false;
        while (_link!.TryReceive(out var reply))
        {
            any = true;
            Take(in reply);
        }
        while (_held!.TryFindOlder(_now - _patience, out var late))
        {
            any = true;
            Drop(late, TrackFailure.Unanswered);
        }
        return any;
    }

    /// <summary>Tracks a packet by the connections that this worker holds; false where a shard must be asked, also because an earlier packet of the same
    /// connection waits for one.</summary>
    private bool TrackGranted(ref PacketContext context)
    {
        if (HeldCount > 0 && _held!.HasFlow(FlowKey.Of(TupleToAsk(in context)))) return false;
        return Connections.TryTrack(in context.Headers, context.Packet, in context.Template, _now, out context.Track);
    }

    /// <summary>The tuple by which a packet's connection is found: its own, or that of the connection which an ICMP error is about.</summary>
    private static FlowTuple TupleToAsk(in PacketContext context)
        => ConnectionTable.TryReadQuote(in context.Headers, context.Packet, out var quoted) ? quoted : context.Headers.Tuple;

    private void Hold(in PacketInput input, in LinkHeader link, in PacketRoute route, byte tosItCameWith, ref PacketContext context, ref PacketOutcome outcome)
    {
        if (_held!.TryTake() is not { } held)
        {
            (outcome.Fate, outcome.Failure) = (PacketFate.TrackingDropped, TrackFailure.Overload);
            return;
        }
        held.Copy(in input, in link, context.Packet, in context.Headers, route, tosItCameWith);
        (held.Template, held.Mark, held.Tos) = (context.Template, context.Mark, context.Headers.Tos);
        held.Tuple = TupleToAsk(in context);
        held.Key = FlowKey.Of(held.Tuple);
        outcome.Fate = PacketFate.Held;
        if (!_held.Add(held) || Ask(held, ref context)) return;
        _held.Leave(held, out _);
        _held.Return(held);
        (outcome.Fate, outcome.Failure) = (PacketFate.TrackingDropped, TrackFailure.Overload);
    }

    /// <summary>Tries the rules for each state the packet might have, and asks its shard. False where the question finds no room.</summary>
    private bool Ask(HeldPacket held, ref PacketContext context)
    {
        var request = new ShardRequest
        {
            Kind = ShardRequestKind.Ask,
            Id = _held!.Number(held, _now),
            Tuple = held.Tuple,
            Template = held.Template,
            WireLength = context.Headers.TotalLength,
        };
        // One that is held, and whose packet is the shard's to decide all the same, goes back with the question.
        var index = Connections.Find(held.Tuple, held.Template, _now, out _);
        if (index >= 0 && Connections[index].Grant == GrantKind.Exclusive) GiveBack(index, ref request);
        if (_directory is not null) request.Expectation = _directory.Find(held.Tuple, OriginalZone(held.Template), _now);
        request.Template.Checksum = Connections.Settings.VerifyChecksums && !Checksum.TransportIsValid(in context.Headers, context.Packet)
            ? ChecksumCheck.Wrong
            : ChecksumCheck.Right;
        foreach (var state in PossibleStates)
        {
            if (Try(held, state, ref context)) request.Accepts |= AcceptedStatesExtensions.Of(state);
            if (!context.MustAskFirst) continue;
            request.AsksFirst = true;
            break;
        }
        context.MustAskFirst = false;
        var most = context.Headers.Protocol is IpProtocol.Udp or IpProtocol.UdpLite ? MostShownOfUdp : MostShown;
        if (!_link!.TrySend(in request, context.Packet[..Math.Min(context.Packet.Length, most)])) return false;
        Statistics.CountQuestion();
        return true;
    }

    /// <summary>What would the rules say of the packet in this state? Leaves no trace.</summary>
    private bool Try(HeldPacket held, ConntrackState state, ref PacketContext context)
    {
        var (ttl, tos, mark, log) = (context.Headers.Ttl, context.Headers.Tos, context.Mark, context.Log);
        var outcome = new PacketOutcome { Family = context.Headers.Family };
        held.Route.Enter(ref context);
        context.IsTrial = true;
        context.Log = NoPacketLog.Instance;
        context.Track = new TrackResult { Connection = -1, State = state };
        var accepted = AskOthers(RulesFor(context.Headers.Family), held.Route, ref context, ref outcome);
        (context.Headers.Ttl, context.Headers.Tos, context.Mark, context.Log, context.IsTrial) = (ttl, tos, mark, log, false);
        context.Track = new TrackResult { Connection = -1 };
        return accepted;
    }

    private void Take(in ShardReply reply)
    {
        switch (reply.Kind)
        {
            case ShardReplyKind.Answer:
                if (_held!.TryFind(reply.Id, out var held)) TakeAnswer(held, in reply);
                else if (reply.IsPending) Settle(reply.Id, reply.Entry.Original, in reply.Entry, isAccepted: false);
                else if (reply.HasEntry) Adopt(in reply); // granted all the same: it came too late for its packet
                break;
            case ShardReplyKind.Confirmed:
                if (_held!.TryFind(reply.Id, out held)) TakeConfirmation(held, in reply);
                else if (reply.HasEntry) Adopt(in reply);
                break;
            case ShardReplyKind.Recall:
                GiveBack(in reply);
                break;
            case ShardReplyKind.Revoke:
                Forget(in reply);
                break;
        }
    }

    /// <summary>The packet goes on where it stopped, with the state that its shard told.</summary>
    private void TakeAnswer(HeldPacket held, in ShardReply reply)
    {
        Statistics.Answers.Add(_now - held.Since);
        var track = new TrackResult
        {
            Connection = -1, State = reply.State, Direction = reply.Direction, Failure = reply.Failure, Drop = reply.IsDropped, IsOwners = true,
        };
        if (!reply.IsPending)
        {
            if (reply.HasEntry) track.Connection = Adopt(in reply);
            Decide(held, ref track, out var outcome);
            Deliver(held, in outcome);
            return;
        }

        // To be read by the rules; its helper reads the packet where the connection is.
        var entry = reply.Entry;
        (var hasHelper, entry.Helper) = (entry.Helper != 0, 0);
        var index = track.Connection = Connections.Borrow(in entry);
        var isAccepted = Decide(held, ref track, out held.Outcome);
        Settle(reply.Id, held.Tuple, in Connections[index], isAccepted);
        Connections.GiveBack(index);
        held.WaitsForConfirmation = hasHelper && isAccepted;
        // Those behind it wait for the confirmation, which may bring the connection.
        if (!held.WaitsForConfirmation) Tell(held, in held.Outcome);
    }

    private void TakeConfirmation(HeldPacket held, in ShardReply reply)
    {
        if (reply.HasEntry) Adopt(in reply);
        if (held.WaitsForConfirmation)
        {
            if (reply.IsDropped) (held.Outcome.Fate, held.Outcome.Failure) = (PacketFate.TrackingDropped, reply.Failure);
            Tell(held, in held.Outcome);
        }
        GoOn(held);
    }

    private void Settle(uint question, in FlowTuple tuple, in Connection entry, bool isAccepted)
    {
        var request = new ShardRequest
        {
            Kind = isAccepted ? ShardRequestKind.Confirm : ShardRequestKind.Withdraw, Id = question, Tuple = tuple, HasEntry = true, Entry = entry,
        };
        _link!.TrySend(in request, default);
    }

    /// <summary>Runs the rest of the packet's way. True where the rules accepted it for its connection to be confirmed.</summary>
    private bool Decide(HeldPacket held, ref TrackResult track, out PacketOutcome outcome)
    {
        outcome = default;
        outcome.Fate = PacketFate.BadHeader;
        if (!held.TryDecode(out var headers)) return false;
        outcome.Family = headers.Family;
        outcome.Fate = PacketFate.Accepted;
        var tosItCameWith = held.TosItCameWith;
        var input = held.Input;
        var context = Context(ref headers, held.Packet, in held.Link, in input);
        (context.Template, context.Mark, context.Track) = (held.Template, held.Mark, track);
        held.Route.Enter(ref context);
        Note(in track, ref outcome);
        var isAccepted = !track.Drop && AskOthers(RulesFor(headers.Family), held.Route, ref context, ref outcome);
        (outcome.Mark, outcome.Tos, outcome.IsTosChanged) = (context.Mark, headers.Tos, headers.Tos != tosItCameWith);
        Finish(isAccepted, input.ChecksumIsTrusted, ref context, ref outcome);
        if (outcome is { Fate: PacketFate.Rejected, Decision.Reject.Type: RejectType.TcpReset } && track.Connection < 0)
            _link!.TrySend(new ShardRequest { Kind = ShardRequestKind.Close, Tuple = held.Tuple, Template = held.Template }, default);
        return isAccepted;
    }

    /// <summary>The packet's verdict is there, and its connection's next packet's turn has come.</summary>
    private void Deliver(HeldPacket held, in PacketOutcome outcome)
    {
        Tell(held, in outcome);
        GoOn(held);
    }

    private void Tell(HeldPacket held, in PacketOutcome outcome)
    {
        Statistics.Count(in outcome);
        _verdicts!.Decide(held.Input, in outcome);
    }

    private void Drop(HeldPacket held, TrackFailure why)
    {
        var outcome = new PacketOutcome { Fate = PacketFate.TrackingDropped, Failure = why };
        if (held.TryDecode(out var headers)) outcome.Family = headers.Family;
        // One whose rules have run and whose confirmation does not come was told already, unless its helper had to read it.
        if (held.Outcome.Fate == PacketFate.NotIp || held.WaitsForConfirmation) Tell(held, in outcome);
        GoOn(held);
    }

    /// <summary>Takes up the packets that waited behind one, up to the next that has to ask.</summary>
    private void GoOn(HeldPacket done)
    {
        _held!.Leave(done, out var next);
        _held.Return(done);
        while (next is not null)
        {
            var held = next;
            if (!held.TryDecode(out var headers)) return;
            var input = held.Input;
            var context = Context(ref headers, held.Packet, in held.Link, in input);
            (context.Template, context.Mark) = (held.Template, held.Mark);
            held.Route.Enter(ref context);
            PacketOutcome outcome;
            if (Connections.TryTrack(in headers, held.Packet, in held.Template, _now, out var track)) Decide(held, ref track, out outcome);
            else if (Ask(held, ref context)) return;
            else outcome = new PacketOutcome { Family = headers.Family, Fate = PacketFate.TrackingDropped, Failure = TrackFailure.Overload };
            Tell(held, in outcome);
            _held.Leave(held, out next);
            _held.Return(held);
        }
    }

    private static ushort OriginalZone(in ConnectionTemplate template)
        => (template.ZoneDirections & ZoneDirections.Original) != 0 ? template.Zone : (ushort)0;

    private ActiveRuleset RulesFor(IpFamily family) => family == IpFamily.IPv4 ? _ipv4 : _ipv6;
}
