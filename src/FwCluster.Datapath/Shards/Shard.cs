using FwCluster.Conntrack;
using FwCluster.Packets;

namespace FwCluster.Datapath.Shards;

/// <summary>
/// Owns a slice of the connections: answers what state a packet has, begins an entry only where the rules accept the packet in that state, and lets
/// one worker at a time have a connection for itself. Pure: no thread, clock or message system; whoever runs it is its single caller, and brings
/// the time.
/// </summary>
/// <remarks>
/// A question is answered at once, unless the connection waits for somebody's word; then it waits behind:
/// <list type="bullet">
/// <item>a worker holds the connection: it is recalled, tracker and all, so that the answer is that of one table which saw every packet;</item>
/// <item>the packet's rules run only when its connection is known (<see cref="ShardRequest.AsksFirst"/>): they confirm or withdraw;</item>
/// <item>the packet meets an expectation of another shard: it is claimed there;</item>
/// <item>the packet announced an expectation: it goes on when every node's directory has it.</item>
/// </list>
/// A worker that asks gets the connection for itself (<see cref="GrantKind.Exclusive"/>), what its helper remembers with it; a packet by which the
/// helper announces something brings it back, since expectations are the shard's to tell. One that several workers keep asking about is theirs together
/// once it is established (<see cref="GrantKind.Shared"/>); one with a helper is nobody's then, and all its packets are read here.
/// </remarks>
public sealed partial class Shard
{
    private readonly ConnectionTable _table;
    private readonly IShardOutput _output;
    private readonly IExpectationNetwork? _network;
    private readonly ShardSettings _settings;
    private readonly Dictionary<FlowKey, ShardWait> _waits = [];
    private uint _recalls;
    private long _now;

    /// <summary>Makes a shard.</summary>
    /// <param name="table">Its connections, from now on its own.</param>
    /// <param name="output">Where replies go.</param>
    /// <param name="settings">Its patience; null for the defaults.</param>
    /// <param name="network">How other shards' expectations are met; null where there is but this one.</param>
    public Shard(ConnectionTable table, IShardOutput output, ShardSettings? settings = null, IExpectationNetwork? network = null)
    {
        ArgumentNullException.ThrowIfNull(table);
        _table = table;
        _output = output;
        _settings = settings ?? new ShardSettings();
        _network = network;
        table.Removing = EndGrants;
        if (network is null) return;
        table.ClaimedExpectations = TakeClaimed;
        table.IsExpectedElsewhere = network.Clashes;
        table.Expecting = NoteExpectation;
        table.ExpectationGone = WithdrawExpectation;
    }

    /// <summary>The connections, as far as they are known here: what has become of a held one since its last report, its holder knows.</summary>
    public ConnectionTable Connections => _table;

    /// <summary>Connections for whom questions wait.</summary>
    public int Waiting => _waits.Count;

    /// <summary>Counts.</summary>
    public ShardStatistics Statistics { get; } = new();

    /// <summary>Takes what a worker says.</summary>
    /// <param name="holder">The worker.</param>
    /// <param name="request">What it says.</param>
    /// <param name="packet">The packet it asks about, from the IP header on, as far as tracking reads.</param>
    /// <param name="now">Nanoseconds since the Unix epoch.</param>
    public void Take(int holder, in ShardRequest request, ReadOnlySpan<byte> packet, long now)
    {
        _now = Math.Max(_now, now);
        switch (request.Kind)
        {
            case ShardRequestKind.Ask:
                Statistics.Questions++;
                if (request.HasEntry) BringHome(holder, in request);
                if (_waits.Count > 0 && _waits.TryGetValue(FlowKey.Of(request.Tuple), out var wait))
                    wait.Behind.Enqueue(new HeldRequest(holder, request, packet.ToArray()));
                else
                    Ask(holder, request, packet);
                break;
            case ShardRequestKind.Confirm or ShardRequestKind.Withdraw:
                Settle(holder, request);
                break;
            case ShardRequestKind.Return:
                TakeBack(holder, request);
                break;
            case ShardRequestKind.Report:
                TakeReport(holder, request);
                break;
            case ShardRequestKind.End:
                End(holder, request);
                break;
            case ShardRequestKind.Close:
                var index = _table.Find(request.Tuple, request.Template, _now, out _);
                if (index >= 0) _table.SetClosing(index, _now);
                break;
        }
    }

    /// <summary>Does what time brings: removes entries that are over, and goes on without a word that does not come.</summary>
    /// <param name="now">Nanoseconds since the Unix epoch.</param>
    /// <param name="budget">Entries to look at.</param>
    public void Tick(long now, int budget)
    {
        _now = Math.Max(_now, now);
        _table.Sweep(_now, budget);
        if (_waits.Count > 0) GiveUpWaiting();
    }

    // hasClaimed: what it met was claimed for it already, and granted, refused or not answered.
    private void Ask(int holder, in ShardRequest request, ReadOnlySpan<byte> packet, bool hasClaimed = false)
    {
        if (PacketDecoder.Decode(packet, request.WireLength, out var headers) != DecodeResult.Ok)
        {
            Answer(holder, request.Id, new TrackResult { Connection = -1, State = ConntrackState.Invalid, Failure = TrackFailure.Malformed });
            return;
        }
        // An error only looks at the connection that it is about.
        var isAboutAnother = headers.Tuple != request.Tuple;
        var index = _table.Find(request.Tuple, request.Template, _now, out _);
        // Also from who asks himself: its grant may still be on its way to him, who no longer waited for it.
        if (index >= 0 && !isAboutAnother && _table[index].Grant == GrantKind.Exclusive)
        {
            Recall(index).Behind.Enqueue(new HeldRequest(holder, request, packet.ToArray()));
            return;
        }
        var expectation = _network is null || hasClaimed || isAboutAnother ? default : ExpectationFor(in request);
        if (index < 0 && expectation.IsSet)
        {
            ClaimFirst(holder, in expectation, request, packet);
            return;
        }

        // What its tracker has made of the few packets that came here since.
        if (index >= 0 && _table[index].Grant == GrantKind.Shared) ConnectionTable.MakeLiberal(ref _table[index]);
        var track = _table.Track(in headers, packet, in request.Template, _now);
        if (track.IsUnconfirmed && expectation.IsSet)
        {
            // It takes the place of one that was closed, and meets the expectation as any first packet does.
            _table.Discard(ref track);
            ClaimFirst(holder, in expectation, request, packet);
            return;
        }
        if (!track.Drop && track.Connection >= 0 && !isAboutAnother && request.AsksFirst)
        {
            Await(holder, request, packet, track);
            return;
        }
        Conclude(holder, request.Id, ref track, request.Accepts.Has(track.State), in headers, packet, ShardReplyKind.Answer);
    }

    /// <summary>The rules' word is known: a new entry goes into the table or is forgotten, and the worker is told.</summary>
    private void Conclude(int holder, uint id, ref TrackResult track, bool isAccepted, in PacketHeaders headers, ReadOnlySpan<byte> packet,
        ShardReplyKind kind)
    {
        _announcing = holder;
        var index = track.Connection;
        var belongs = index >= 0 && headers.Tuple == _table[index].Tuple(track.Direction); // an ICMP error does not belong to it
        var reply = new ShardReply
        {
            Kind = kind, Id = id, State = track.State, Direction = track.Direction, Failure = track.Failure, IsDropped = track.Drop,
        };
        if (!isAccepted)
        {
            _table.Discard(ref track);
        }
        else if (!_table.Confirm(ref track, in headers, packet, _now))
        {
            reply.IsDropped = true;
            reply.Failure = track.Failure;
        }
        if (isAccepted && track.Connection >= 0) _unanswered.Remove(FlowKey.Of(headers.Tuple)); // it has begun without
        // What was reset is over in seconds, or its timeout is what a challenge decides: it stays where it is.
        var isReset = headers.Protocol == IpProtocol.Tcp && (headers.TcpFlags & TcpFlags.Rst) != 0;
        if (track.Connection >= 0 && belongs) Grant(holder, track.Connection, ref reply, mayGrant: isAccepted && !reply.IsDropped && !isReset);
        if (_announced != 0) HoldBack(holder, in headers, in reply);
        else _output.Reply(holder, in reply);
    }

    private void Answer(int holder, uint id, in TrackResult track)
    {
        var reply = new ShardReply
        {
            Kind = ShardReplyKind.Answer, Id = id, State = track.State, Direction = track.Direction, Failure = track.Failure,
            IsDropped = track.Drop,
        };
        _output.Reply(holder, in reply);
    }

    /// <summary>The worker runs its rules over the connection, and says what came of it.</summary>
    private void Await(int holder, in ShardRequest request, ReadOnlySpan<byte> packet, in TrackResult track)
    {
        ref readonly var entry = ref _table[track.Connection];
        _waits.Add(FlowKey.Of(request.Tuple), new ShardWait
        {
            Kind = ShardWaitKind.Confirmation, Number = request.Id, Holder = holder, Deadline = _now + Patience,
            Asked = new HeldRequest(holder, request, packet.ToArray()), Track = track, Generation = entry.Generation,
        });
        var reply = new ShardReply
        {
            Kind = ShardReplyKind.Answer, Id = request.Id, State = track.State, Direction = track.Direction, IsPending = true,
            HasEntry = true, Entry = entry,
        };
        reply.Entry.Grant = GrantKind.None;
        _output.Reply(holder, in reply);
    }

    private void Settle(int holder, in ShardRequest request)
    {
        var key = FlowKey.Of(request.Tuple);
        if (!_waits.TryGetValue(key, out var wait) || wait.Kind != ShardWaitKind.Confirmation || wait.Number != request.Id
            || wait.Holder != holder)
            return; // it came too late
        _waits.Remove(key);
        var (asked, track) = (wait.Asked!, wait.Track);
        if (_table[track.Connection].Generation == wait.Generation && PacketDecoder.Decode(asked.Packet, asked.Request.WireLength, out var headers) == DecodeResult.Ok)
        {
            if (request.HasEntry) _table[track.Connection].Mark = request.Entry.Mark;
            Conclude(holder, request.Id, ref track, request.Kind == ShardRequestKind.Confirm, in headers, asked.Packet, ShardReplyKind.Confirmed);
        }
        else
        {
            _output.Reply(holder, new ShardReply { Kind = ShardReplyKind.Confirmed, Id = request.Id });
        }
        Resume(key, wait);
    }

    /// <summary>Takes up the questions that waited, in their order, up to the next one that has to wait.</summary>
    private void Resume(FlowKey key, ShardWait wait)
    {
        while (wait.Behind.TryDequeue(out var next))
        {
            if (_waits.TryGetValue(key, out var again))
            {
                again.Behind.Enqueue(next);
                while (wait.Behind.TryDequeue(out next)) again.Behind.Enqueue(next);
                return;
            }
            Ask(next.Holder, next.Request, next.Packet);
        }
    }

    private void GiveUpWaiting()
    {
        foreach (var (key, wait) in _waits.Where(w => w.Value.Deadline <= _now).ToArray())
        {
            if (!_waits.Remove(key)) continue;
            Statistics.Impatience++;
            if (wait.Kind is ShardWaitKind.Acknowledgement or ShardWaitKind.Claim) _tickets.Remove(wait.Number);
            switch (wait.Kind)
            {
                case ShardWaitKind.Return:
                    if (_table[wait.Track.Connection].Generation == wait.Generation) ComeHome(wait.Track.Connection);
                    break;
                case ShardWaitKind.Confirmation:
                    var track = wait.Track;
                    if (_table[track.Connection].Generation == wait.Generation) _table.Discard(ref track);
                    break;
                case ShardWaitKind.Acknowledgement:
                    _output.Reply(wait.Holder, in wait.Reply);
                    break;
                case ShardWaitKind.Claim:
                    _unanswered.Set(key, wait.Asked!.Request.Expectation, _now);
                    Ask(wait.Holder, wait.Asked.Request, wait.Asked.Packet, hasClaimed: true);
                    break;
            }
            Resume(key, wait);
        }
    }

    private long Patience => (long)_settings.Patience.TotalNanoseconds;
}
