using FwCluster.Packets;
using static FwCluster.Conntrack.Tcp.TcpSequence;

namespace FwCluster.Conntrack.Tcp;

/// <summary>Tracks TCP: the kernel's <c>nf_conntrack_tcp_packet</c>. Knows settings, and nothing of tables or time but what it is given.</summary>
internal sealed class TcpTracker
{
    private readonly bool _loose;
    private readonly bool _beLiberal;
    private readonly bool _ignoreInvalidRst;
    private readonly int _maxRetransmissions;
    private readonly long[] _timeouts;
    private readonly long _retransmission;
    private readonly long _unacknowledged;

    public TcpTracker(ConntrackSettings settings)
    {
        _loose = settings.TcpLoose;
        _beLiberal = settings.TcpBeLiberal;
        _ignoreInvalidRst = settings.TcpIgnoreInvalidRst;
        _maxRetransmissions = settings.TcpMaxRetransmissions;
        var timeouts = settings.Tcp;
        _retransmission = Duration.Nanoseconds(timeouts.Retransmission);
        _unacknowledged = Duration.Nanoseconds(timeouts.Unacknowledged);
        _timeouts = new long[10];
        _timeouts[(int)TcpState.SynSent] = Duration.Nanoseconds(timeouts.SynSent);
        _timeouts[(int)TcpState.SynRecv] = Duration.Nanoseconds(timeouts.SynRecv);
        _timeouts[(int)TcpState.Established] = Duration.Nanoseconds(timeouts.Established);
        _timeouts[(int)TcpState.FinWait] = Duration.Nanoseconds(timeouts.FinWait);
        _timeouts[(int)TcpState.CloseWait] = Duration.Nanoseconds(timeouts.CloseWait);
        _timeouts[(int)TcpState.LastAck] = Duration.Nanoseconds(timeouts.LastAck);
        _timeouts[(int)TcpState.TimeWait] = Duration.Nanoseconds(timeouts.TimeWait);
        _timeouts[(int)TcpState.Close] = Duration.Nanoseconds(timeouts.Close);
        _timeouts[(int)TcpState.SynSent2] = Duration.Nanoseconds(timeouts.SynSent2);
    }

    /// <summary>True for a connection that is closing: it may go early under pressure (<c>tcp_can_early_drop</c>).</summary>
    public static bool IsClosing(TcpState state)
        => state is TcpState.FinWait or TcpState.LastAck or TcpState.TimeWait or TcpState.Close or TcpState.CloseWait;

    /// <summary>How long a connection lives after a segment that left it in this state.</summary>
    public long TimeoutOf(TcpState state) => _timeouts[(int)state];

    /// <summary>Closes a connection that this host has reset.</summary>
    public void SetClosing(ref Connection connection, long now)
    {
        var isClosed = connection.Tcp.State == TcpState.Close;
        connection.Tcp.State = TcpState.Close;
        if (isClosed || (connection.Status & ConnectionStatus.FixedTimeout) != 0) return;
        connection.Expires = now + _timeouts[(int)TcpState.Close];
    }

    /// <summary>
    /// Moves a connection on with a segment:
    /// 1. refuse what is no TCP, or means nothing; begin an entry that is new;
    /// 2. look up where the segment takes the state, and mend what a table cannot express;
    /// 3. check the windows;
    /// 4. take the new state and set the timeout.
    /// </summary>
    public TrackerVerdict Track(ref Connection connection, in PacketHeaders headers, ReadOnlySpan<byte> packet, Direction direction,
        long now, out TrackFailure failure)
    {
        failure = TrackFailure.None;
        if (headers.Transport != TransportHeader.Whole) return Invalid(TrackFailure.Malformed, out failure);
        if (!TcpStateTable.AreValid(headers.TcpFlags)) return Invalid(TrackFailure.TcpFlags, out failure);
        var segment = new TcpSegment(headers, packet);
        ref var tcp = ref connection.Tcp;
        if (!connection.IsConfirmed && !Begin(ref tcp, segment, out failure)) return TrackerVerdict.Invalid;

        var oldState = tcp.State;
        var newState = TcpStateTable.After(direction, segment.Kind, oldState);
        switch (newState)
        {
            case TcpState.SynSent when oldState >= TcpState.TimeWait:
                // A SYN after the end: remove the entry and begin again, if the connection really was closed or aborted.
                if (((tcp.Original.Flags | tcp.Reply.Flags) & TcpWindowFlags.CloseInit) != 0
                    || (tcp.LastDirection == direction && tcp.LastKind == TcpSegmentKind.Rst))
                    return TrackerVerdict.Repeat;
                goto case TcpStateTable.Ignore;

            case TcpStateTable.Ignore:
                if (!AnswersIgnoredSyn(tcp, segment, direction))
                {
                    NoteIgnored(ref tcp, segment, direction, oldState);
                    return TrackerVerdict.Accept;
                }
                TakeUpIgnoredSyn(ref tcp, direction);
                oldState = TcpState.SynSent;
                newState = TcpState.SynRecv;
                break;

            case TcpStateTable.Invalid:
                return Invalid(TrackFailure.TcpState, out failure);

            case TcpState.TimeWait when oldState == TcpState.LastAck && segment.Kind == TcpSegmentKind.Ack
                && tcp.LastDirection != direction && tcp.LastKind == TcpSegmentKind.Syn
                && (tcp.LastFlags & TcpWindowFlags.ExpectChallengeAck) != 0:
                // A challenge ACK (RFC 5961 section 4) for a SYN that we let through: it does not acknowledge the last FIN.
                tcp.LastFlags &= ~TcpWindowFlags.ExpectChallengeAck;
                return TrackerVerdict.Accept;

            case TcpState.SynSent2:
                tcp.LastFlags |= TcpWindowFlags.SimultaneousOpen;
                break;

            case TcpState.SynRecv when direction == Direction.Reply && segment.Kind == TcpSegmentKind.Ack
                && (tcp.LastFlags & TcpWindowFlags.SimultaneousOpen) != 0:
                newState = TcpState.Established;
                break;

            case TcpState.Close when segment.Kind == TcpSegmentKind.Rst:
                switch (CheckRst(connection, segment, direction, ref newState))
                {
                    case RstCheck.Invalid: return Invalid(TrackFailure.TcpRst, out failure);
                    case RstCheck.InWindow: return Move(ref connection, segment, direction, oldState, newState, now);
                    default: break;
                }
                break;

            default: break;
        }

        switch (TcpWindowCheck.Check(ref tcp, direction, segment, _beLiberal))
        {
            case TcpWindowCheck.Result.Ignore:
                return TrackerVerdict.Accept;
            case TcpWindowCheck.Result.Invalid:
                ShortenIfClosing(ref connection, segment.Kind, direction, now);
                return Invalid(TrackFailure.TcpWindow, out failure);
            default:
                return Move(ref connection, segment, direction, oldState, newState, now);
        }
    }

    private static TrackerVerdict Invalid(TrackFailure why, out TrackFailure failure)
    {
        failure = why;
        return TrackerVerdict.Invalid;
    }

    /// <summary>Fills the entry that a first segment begins (<c>tcp_new</c>).</summary>
    private bool Begin(ref TcpTracking tcp, in TcpSegment segment, out TrackFailure failure)
    {
        failure = TrackFailure.None;
        var state = TcpStateTable.After(Direction.Original, segment.Kind, TcpState.None);
        if (state == TcpStateTable.Invalid) failure = TrackFailure.TcpState;
        else if (state != TcpState.SynSent && !_loose) failure = TrackFailure.TcpNotLoose;
        if (failure != TrackFailure.None) return false;

        tcp = default;
        tcp.Original.End = segment.End;
        tcp.Original.MaxWindow = Math.Max(segment.Window, 1u);
        tcp.Original.MaxEnd = segment.End;
        if (state == TcpState.SynSent)
        {
            TcpWindowCheck.ReadOptions(ref tcp.Original, segment);
        }
        else
        {
            // Picked up in the middle: the scale is unknown, so windows are not enforced.
            tcp.Original.MaxEnd += tcp.Original.MaxWindow;
            tcp.Original.Flags = tcp.Reply.Flags = TcpWindowFlags.SackPermitted | TcpWindowFlags.BeLiberal;
        }
        tcp.LastKind = TcpSegmentKind.None;
        return true;
    }

    /// <summary>A SYN/ACK for a SYN that we ignored: both ends are in step, and we were not.</summary>
    private static bool AnswersIgnoredSyn(in TcpTracking tcp, in TcpSegment segment, Direction direction)
        => segment.Kind == TcpSegmentKind.SynAck && tcp.LastKind == TcpSegmentKind.Syn && tcp.LastDirection != direction
            && segment.Acknowledgment == tcp.LastEnd;

    private static void TakeUpIgnoredSyn(ref TcpTracking tcp, Direction direction)
    {
        ref var opener = ref tcp.LastDirection == Direction.Original ? ref tcp.Original : ref tcp.Reply;
        opener.End = opener.MaxEnd = tcp.LastEnd;
        opener.MaxWindow = Math.Max(tcp.LastWindow, 1u);
        opener.Scale = tcp.LastScale;
        tcp.LastFlags &= ~TcpWindowFlags.ExpectChallengeAck;
        opener.Flags = tcp.LastFlags;
        ref var answerer = ref direction == Direction.Original ? ref tcp.Original : ref tcp.Reply;
        answerer = new TcpWindow { Flags = answerer.Flags & TcpWindowFlags.BeLiberal };
    }

    /// <summary>Remembers a segment that we let pass without following it, to understand its answer.</summary>
    private static void NoteIgnored(ref TcpTracking tcp, in TcpSegment segment, Direction direction, TcpState state)
    {
        tcp.LastKind = segment.Kind;
        tcp.LastDirection = direction;
        tcp.LastSequence = segment.Sequence;
        tcp.LastEnd = segment.End;
        tcp.LastWindow = segment.Window;

        if (segment.Kind == TcpSegmentKind.Syn && direction == Direction.Original)
        {
            var seen = default(TcpWindow);
            TcpWindowCheck.ReadOptions(ref seen, segment);
            tcp.LastFlags = seen.Flags & (TcpWindowFlags.WindowScale | TcpWindowFlags.SackPermitted);
            tcp.LastScale = seen.Scale;
            // The ACK of a challenge would otherwise be taken for the one of the last FIN.
            if (state == TcpState.LastAck) tcp.LastFlags |= TcpWindowFlags.ExpectChallengeAck;
        }
        if (state == TcpState.SynSent && segment.Kind == TcpSegmentKind.Ack && direction == Direction.Reply)
            tcp.LastAcknowledgment = segment.Acknowledgment; // possibly a challenge ACK: a RST with this number answers it
    }

    private enum RstCheck : byte
    {
        /// <summary>The windows decide.</summary>
        CheckWindow,

        /// <summary>Right beyond doubt: no window check.</summary>
        InWindow,

        /// <summary>Wrong.</summary>
        Invalid,
    }

    /// <summary>What a RST may do (RFC 5961 section 3, and what we let through before).</summary>
    private RstCheck CheckRst(in Connection connection, in TcpSegment segment, Direction direction, ref TcpState newState)
    {
        ref readonly var tcp = ref connection.Tcp;
        if (IsClosing(tcp.State)) return RstCheck.InWindow; // the tuple may be in use again: what we remember is out of date

        ref readonly var receiver = ref direction == Direction.Original ? ref tcp.Reply : ref tcp.Original;
        if ((receiver.Flags & TcpWindowFlags.MaxAckSet) != 0 && tcp.LastKind != TcpSegmentKind.Syn)
        {
            var established = tcp.State == TcpState.Established && (connection.Status & ConnectionStatus.Assured) != 0;
            if (segment.Sequence == 0 && !established) return RstCheck.CheckWindow; // answers a SYN that we let through
            if (Before(segment.Sequence, receiver.MaxAck) && !_ignoreInvalidRst) return RstCheck.Invalid;
            if (!established || segment.Sequence == receiver.MaxAck) return RstCheck.CheckWindow;
            if (tcp.LastKind == TcpSegmentKind.Ack && tcp.LastDirection == direction && segment.Sequence == tcp.LastEnd)
                return RstCheck.CheckWindow; // follows its own data
            newState = tcp.State; // not exact: stay, so that a challenge ACK can come
        }

        var ofIgnoredSyn = (connection.Status & ConnectionStatus.SeenReply) != 0 && tcp.LastKind == TcpSegmentKind.Syn
            && tcp.LastDirection != direction;
        var ofHalfOpen = (connection.Status & ConnectionStatus.Assured) == 0 && tcp.LastKind == TcpSegmentKind.Ack;
        if ((ofIgnoredSyn || ofHalfOpen) && segment.Acknowledgment == tcp.LastEnd) return RstCheck.InWindow;

        return tcp.State == TcpState.SynSent && tcp.LastKind == TcpSegmentKind.Ack && tcp.LastDirection == Direction.Reply
            && segment.Sequence == tcp.LastAcknowledgment
                ? RstCheck.InWindow // answers a challenge ACK
                : RstCheck.CheckWindow;
    }

    /// <summary>FINs or RSTs outside the window from both sides: they may have closed without us; do not wait five days
    /// (<c>nf_tcp_handle_invalid</c>).</summary>
    private void ShortenIfClosing(ref Connection connection, TcpSegmentKind kind, Direction direction, long now)
    {
        if ((connection.Status & ConnectionStatus.Assured) == 0 || (connection.Status & ConnectionStatus.FixedTimeout) != 0
            || kind is not (TcpSegmentKind.Rst or TcpSegmentKind.Fin))
            return;
        ref var tcp = ref connection.Tcp;
        if (tcp.LastDirection != direction && tcp.LastKind is (TcpSegmentKind.Fin or TcpSegmentKind.Rst))
        {
            var left = connection.Expires - now;
            if (left >= Duration.Seconds(120) && left > _unacknowledged) connection.Expires = now + _unacknowledged;
            return;
        }
        tcp.LastKind = kind;
        tcp.LastDirection = direction;
    }

    /// <summary>The segment belongs to the connection: take the state and the timeout that goes with it.</summary>
    private TrackerVerdict Move(ref Connection connection, in TcpSegment segment, Direction direction, TcpState oldState,
        TcpState newState, long now)
    {
        ref var tcp = ref connection.Tcp;
        tcp.LastKind = segment.Kind;
        tcp.LastDirection = direction;
        tcp.State = newState;
        if (oldState != newState && newState == TcpState.FinWait)
        {
            if (direction == Direction.Original) tcp.Original.Flags |= TcpWindowFlags.CloseInit;
            else tcp.Reply.Flags |= TcpWindowFlags.CloseInit;
        }

        var timeout = TimeoutFor(tcp, segment.Kind, newState);
        if ((connection.Status & ConnectionStatus.SeenReply) == 0)
        {
            if (segment.Has(TcpFlags.Rst))
            {
                connection.Count(direction, segment.Length);
                return TrackerVerdict.AcceptAndRemove; // refused: nothing was established
            }
            if (segment.Kind == TcpSegmentKind.Syn && oldState == TcpState.SynSent)
            {
                // A retransmitted SYN does not renew: a client that reuses its port could keep the entry for ever.
                return TrackerVerdict.Accept;
            }
            if (newState == TcpState.Established) timeout = Math.Min(timeout, _unacknowledged); // picked up, one-sided so far
        }
        else if (newState == TcpState.Established && oldState is (TcpState.SynRecv or TcpState.Established))
        {
            connection.Status |= ConnectionStatus.Assured;
        }
        connection.Refresh(timeout, now, direction, segment.Length);
        return TrackerVerdict.Accept;
    }

    private long TimeoutFor(in TcpTracking tcp, TcpSegmentKind kind, TcpState state)
    {
        var timeout = _timeouts[(int)state];
        if (tcp.Retransmissions >= _maxRetransmissions && timeout > _retransmission) return _retransmission;
        if (kind == TcpSegmentKind.Rst) return _timeouts[(int)TcpState.Close];
        if (((tcp.Original.Flags | tcp.Reply.Flags) & TcpWindowFlags.DataUnacknowledged) != 0 && timeout > _unacknowledged)
            return _unacknowledged;
        return tcp.LastWindow == 0 && timeout > _retransmission ? _retransmission : timeout;
    }
}
