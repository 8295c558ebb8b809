using System.Buffers.Binary;
using FwCluster.Packets;

namespace FwCluster.Conntrack.Sctp;

/// <summary>Tracks SCTP: the kernel's <c>nf_conntrack_sctp_packet</c>. Knows settings, and nothing of tables or time but what it
/// is given. Sections are those of RFC 9260.</summary>
internal sealed class SctpTracker
{
    private const int HeaderBytes = 12;
    private const int TagOffset = 4;

    /// <summary>Types that no connection begins with (section 8.4).</summary>
    private static readonly ulong NeverFirst = Bits(SctpChunkType.Abort, SctpChunkType.ShutdownComplete, SctpChunkType.CookieAck);

    /// <summary>Types with a rule of their own about the verification tag (section 8.5.1), for all chunks of their
    /// packet.</summary>
    private static readonly ulong OwnTagRule = Bits(
        SctpChunkType.Init, SctpChunkType.ShutdownComplete, SctpChunkType.CookieEcho, SctpChunkType.Abort,
        SctpChunkType.ShutdownAck, SctpChunkType.Heartbeat, SctpChunkType.HeartbeatAck);

    private readonly long[] _timeouts;

    public SctpTracker(ConntrackSettings settings)
    {
        var timeouts = settings.Sctp;
        _timeouts = new long[9];
        _timeouts[(int)SctpState.None] = Duration.Nanoseconds(timeouts.Closed);
        _timeouts[(int)SctpState.Closed] = Duration.Nanoseconds(timeouts.Closed);
        _timeouts[(int)SctpState.CookieWait] = Duration.Nanoseconds(timeouts.CookieWait);
        _timeouts[(int)SctpState.CookieEchoed] = Duration.Nanoseconds(timeouts.CookieEchoed);
        _timeouts[(int)SctpState.Established] = Duration.Nanoseconds(timeouts.Established);
        _timeouts[(int)SctpState.ShutdownSent] = Duration.Nanoseconds(timeouts.ShutdownSent);
        _timeouts[(int)SctpState.ShutdownRecd] = Duration.Nanoseconds(timeouts.ShutdownRecd);
        _timeouts[(int)SctpState.ShutdownAckSent] = Duration.Nanoseconds(timeouts.ShutdownAckSent);
        _timeouts[(int)SctpState.HeartbeatSent] = Duration.Nanoseconds(timeouts.HeartbeatSent);
    }

    private enum TagCheck : byte
    {
        Passed,
        Failed,

        /// <summary>The chunk is let through and changes nothing, nor does its packet move the timeout.</summary>
        Tolerated,
    }

    /// <summary>How long an association lives after a packet that left it in this state.</summary>
    public long TimeoutOf(SctpState state) => _timeouts[(int)state];

    /// <summary>True for a connection that is closing: it may go early under pressure (<c>sctp_can_early_drop</c>).</summary>
    public static bool IsClosing(SctpState state)
        => state is SctpState.ShutdownSent or SctpState.ShutdownRecd or SctpState.ShutdownAckSent;

    /// <summary>
    /// Moves a connection on with a packet:
    /// 1. refuse what is no SCTP, or bundles what must stand alone; begin an entry that is new;
    /// 2. compare the verification tag, chunk by chunk where the type has its own rule;
    /// 3. look up where each chunk takes the state; note the tags that INIT and INIT ACK ask for;
    /// 4. set the timeout.
    /// Chunks before one that is refused have counted already.
    /// </summary>
    public TrackerVerdict Track(ref Connection connection, in PacketHeaders headers, ReadOnlySpan<byte> packet,
        Direction direction, long now, out TrackFailure failure)
    {
        failure = TrackFailure.Malformed;
        if (headers.Transport != TransportHeader.Whole) return TrackerVerdict.Invalid;
        packet = packet[..Math.Min(packet.Length, headers.TotalLength)];
        var tag = BinaryPrimitives.ReadUInt32BigEndian(packet[(headers.TransportOffset + TagOffset)..]);
        var chunks = new SctpChunks(packet, headers.TransportOffset + HeaderBytes);
        if (!AreBundledRightly(chunks, out var types)) return TrackerVerdict.Invalid;

        failure = TrackFailure.Protocol;
        ref var sctp = ref connection.Sctp;
        var begins = !connection.IsConfirmed;
        if (begins && ((types & NeverFirst) != 0 || !Begin(out sctp, chunks, tag))) return TrackerVerdict.Invalid;
        if ((types & OwnTagRule) == 0 && tag != sctp.Tag(direction)) return TrackerVerdict.Invalid;

        var refreshes = true;
        var newState = SctpState.None;
        foreach (var chunk in chunks)
        {
            var mayTolerate = refreshes && (types & Bits(SctpChunkType.Data)) == 0;
            var check = CheckTag(ref sctp, chunk, tag, direction, mayTolerate);
            if (check == TagCheck.Tolerated) refreshes = false;
            else if (check == TagCheck.Failed || !Move(ref connection, chunk, direction, ref refreshes, out newState))
                return TrackerVerdict.Invalid;
        }
        failure = TrackFailure.None;
        if (refreshes) connection.Refresh(_timeouts[(int)newState], now, direction, headers.TotalLength);
        return TrackerVerdict.Accept;
    }

    /// <summary>Refuses chunks that must stand alone or first and do not, and a packet without a chunk
    /// (<c>do_basic_checks</c>).</summary>
    /// <param name="chunks">The chunks.</param>
    /// <param name="types">One bit a type of chunk, for types below 64.</param>
    private static bool AreBundledRightly(SctpChunks chunks, out ulong types)
    {
        types = 0;
        var count = 0;
        var standsAlone = false;
        foreach (var chunk in chunks)
        {
            var type = chunk.Type;
            if (chunk.Length == 0) return false;
            standsAlone |= type is SctpChunkType.Init or SctpChunkType.InitAck or SctpChunkType.ShutdownComplete;
            if (count > 0 && (standsAlone || type is SctpChunkType.CookieAck or SctpChunkType.CookieEcho)) return false;
            if ((byte)type < 64) types |= Bits(type);
            count++;
        }
        return count > 0;
    }

    /// <summary>Fills the entry that a first packet begins (<c>sctp_new</c>). All of its chunks must be of types that can begin
    /// one.</summary>
    private static bool Begin(out SctpTracking sctp, SctpChunks chunks, uint tag)
    {
        sctp = default;
        foreach (var chunk in chunks)
        {
            if (SctpStateTable.After(Direction.Original, chunk.Type, SctpState.None) == SctpState.None) return false;
            switch (chunk.Type)
            {
                case SctpChunkType.Init:
                    if (tag != 0 || !chunk.TryReadInitiateTag(out sctp.ReplyTag)) return false;
                    break;
                case SctpChunkType.Heartbeat:
                    sctp.OriginalTag = tag;
                    break;
                case SctpChunkType.ShutdownAck:
                    // Of a forgotten connection: its answer carries the tag back.
                    sctp.ReplyTag = tag;
                    break;
            }
        }
        return true;
    }

    /// <summary>The rules about the verification tag that are a chunk's own (section 8.5.1).</summary>
    private static TagCheck CheckTag(ref SctpTracking sctp, in SctpChunk chunk, uint tag, Direction direction, bool mayTolerate)
    {
        switch (chunk.Type)
        {
            case SctpChunkType.Init:
                return tag == 0 ? TagCheck.Passed : TagCheck.Failed;
            case SctpChunkType.Abort or SctpChunkType.ShutdownComplete:
                var whose = chunk.CarriesPeersTag ? direction.Opposite() : direction;
                return tag == sctp.Tag(whose) ? TagCheck.Passed : TagCheck.Failed;
            case SctpChunkType.CookieEcho:
                return tag == sctp.Tag(direction) ? TagCheck.Passed : TagCheck.Failed;
            case SctpChunkType.Heartbeat or SctpChunkType.HeartbeatAck:
                return CheckHeartbeat(ref sctp, chunk.Type, tag, direction, mayTolerate);
            default:
                return TagCheck.Passed;
        }
    }

    /// <summary>
    /// A heartbeat may come with a new tag, because the association was restarted on another path: it is tolerated, and where
    /// the peer answers it with a new tag too, that one counts, and the sender's is learnt from its next heartbeat.
    /// </summary>
    private static TagCheck CheckHeartbeat(
        ref SctpTracking sctp, SctpChunkType type, uint tag, Direction direction, bool mayTolerate)
    {
        ref var known = ref sctp.Tag(direction);
        if (known == 0)
        {
            known = tag;
            return TagCheck.Passed;
        }
        if (tag == known)
        {
            sctp.Flags &= ~SctpFlags.HeartbeatFailed;
            return TagCheck.Passed;
        }
        if (!mayTolerate) return TagCheck.Failed;
        if (type == SctpChunkType.Heartbeat)
        {
            sctp.Flags |= SctpFlags.HeartbeatFailed;
            sctp.LastDirection = direction;
            return TagCheck.Tolerated;
        }
        if ((sctp.Flags & SctpFlags.HeartbeatFailed) == 0 || sctp.LastDirection == direction) return TagCheck.Failed;
        sctp.Flags &= ~SctpFlags.HeartbeatFailed;
        known = tag;
        sctp.Tag(direction.Opposite()) = 0;
        return TagCheck.Passed;
    }

    /// <summary>Takes the state that a chunk leads to; false where it leads nowhere.</summary>
    private static bool Move(
        ref Connection connection, in SctpChunk chunk, Direction direction, ref bool refreshes, out SctpState newState)
    {
        ref var sctp = ref connection.Sctp;
        if (chunk.Type == SctpChunkType.CookieAck) sctp.Flags &= ~(SctpFlags.InitOriginal | SctpFlags.InitReply);
        var oldState = sctp.State;
        newState = SctpStateTable.After(direction, chunk.Type, oldState);
        if (newState == SctpStateTable.Invalid) return false;
        switch (chunk.Type)
        {
            case SctpChunkType.Init:
                if (!chunk.TryReadInitiateTag(out var tag)) return false;
                NoteInit(ref sctp, tag, direction, oldState);
                // Sent again: whoever uses the port after it must not keep the entry alive.
                if (newState == SctpState.Closed && oldState == SctpState.Closed && connection.IsConfirmed) refreshes = false;
                break;
            case SctpChunkType.InitAck:
                if (!chunk.TryReadInitiateTag(out tag) || !NoteInitAck(ref sctp, tag, direction)) return false;
                break;
        }
        sctp.State = newState;
        if (newState == SctpState.Established && oldState != newState) connection.Status |= ConnectionStatus.Assured;
        return true;
    }

    private static void NoteInit(ref SctpTracking sctp, uint tag, Direction direction, SctpState oldState)
    {
        ref var peersTag = ref sctp.Tag(direction.Opposite());
        // An INIT with the tag that is known already is an old one or sent again: it begins nothing.
        if (oldState == SctpState.None || peersTag != tag)
        {
            const SctpFlags both = SctpFlags.InitOriginal | SctpFlags.InitReply;
            if ((sctp.Flags & both) == both) sctp.Flags &= ~InitOf(direction.Opposite());
            sctp.Flags |= InitOf(direction);
        }
        peersTag = tag;
    }

    /// <summary>False for an INIT ACK that answers none of the INITs seen (section 5.2.3).</summary>
    private static bool NoteInitAck(ref SctpTracking sctp, uint tag, Direction direction)
    {
        ref var peersTag = ref sctp.Tag(direction.Opposite());
        var peerInitiates = (sctp.Flags & InitOf(direction.Opposite())) != 0;
        if (!peerInitiates && peersTag != 0 && peersTag != tag) return false;
        var collides = peerInitiates && (sctp.Flags & InitOf(direction)) != 0;
        if (collides && peersTag != tag) return false;
        peersTag = tag;
        return true;
    }

    private static SctpFlags InitOf(Direction direction)
        => direction == Direction.Original ? SctpFlags.InitOriginal : SctpFlags.InitReply;

    private static ulong Bits(params ReadOnlySpan<SctpChunkType> types)
    {
        var bits = 0UL;
        foreach (var type in types) bits |= 1UL << (int)type;
        return bits;
    }
}
