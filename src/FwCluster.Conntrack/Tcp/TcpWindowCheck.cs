using FwCluster.Packets;
using static FwCluster.Conntrack.Tcp.TcpSequence;

namespace FwCluster.Conntrack.Tcp;

/// <summary>
/// Is a segment inside the windows, as a man in the middle can know them? The kernel's <c>tcp_in_window</c>, after "Real Stateful
/// TCP Packet Filtering in IP Filter" by Guido van Rooij. With <c>sack</c> the acknowledgment or the highest right edge of a SACK block:
/// <code>
///   I    seq        at most   sender.MaxEnd                        no more data than the receiver allowed
///   II   seq + len  at least  sender.End - receiver.MaxWindow      no data from before the receiver's window
///   III  sack       at most   receiver.End                         nothing acknowledged that was not sent
///   IV   sack       at least  receiver.End - max(window, 66000)    no acknowledgment from long ago
/// </code>
/// </summary>
internal static class TcpWindowCheck
{
    /// <summary>What came of the check.</summary>
    public enum Result : byte
    {
        /// <summary>In the window: what is known of both sides has been brought up to date.</summary>
        Accept,

        /// <summary>Outside in a harmless way: the packet passes, the connection does not move.</summary>
        Ignore,

        /// <summary>Outside.</summary>
        Invalid,
    }

    /// <summary>Half a window more than fits 16 bits: what an acknowledgment may lag behind (MAXACKWINCONST).</summary>
    private const uint AcknowledgmentWindow = 66_000;

    /// <summary>Checks a segment and learns from it.</summary>
    public static Result Check(ref TcpTracking tcp, Direction direction, in TcpSegment segment, bool beLiberal)
    {
        ref var sender = ref direction == Direction.Original ? ref tcp.Original : ref tcp.Reply;
        ref var receiver = ref direction == Direction.Original ? ref tcp.Reply : ref tcp.Original;
        var seq = segment.Sequence;
        var end = segment.End;
        var ack = segment.Acknowledgment;
        var sack = (receiver.Flags & TcpWindowFlags.SackPermitted) != 0 && !segment.Options.IsEmpty
            ? TcpOptions.HighestSack(segment.Options, ack)
            : ack;

        if (sender.MaxWindow == 0)
        {
            if (segment.Has(TcpFlags.Syn))
            {
                InitSender(ref sender, ref receiver, direction, segment);
                if (!segment.Has(TcpFlags.Ack)) return Result.Accept; // simultaneous open
            }
            else
            {
                InitFromTheMiddle(ref sender, ref receiver, segment, sack);
            }
        }
        else if (segment.Has(TcpFlags.Syn) && After(end, sender.End)
            && tcp.State is (TcpState.SynSent or TcpState.SynRecv))
        {
            // A SYN sent anew may differ in everything; it need only use later sequence numbers (RFC 9293 section 3.4.3).
            InitSender(ref sender, ref receiver, direction, segment);
            if (direction == Direction.Reply && !segment.Has(TcpFlags.Ack)) return Result.Accept;
        }

        if (!segment.Has(TcpFlags.Ack) || (segment.Has(TcpFlags.Rst) && ack == 0))
        {
            // No acknowledgment, or the zero one that broken stacks put into a RST: as if it were right.
            ack = sack = receiver.End;
        }
        if (segment.Has(TcpFlags.Rst) && seq == 0 && tcp.State == TcpState.SynSent)
            seq = end = sender.End; // a RST that answers the SYN

        var lowestAck = receiver.End - Math.Max(sender.MaxWindow, AcknowledgmentWindow) - 1;
        if (!Before(seq, sender.MaxEnd + 1)) // I
        {
            var overshot = end - sender.MaxEnd + 1;
            if (receiver.MaxWindow != 0 && After(end, sender.End - receiver.MaxWindow - 1) && After(sack, lowestAck)
                && overshot <= receiver.MaxWindow && Before(sack, receiver.End + 1))
            {
                // Only too much data: should it pass the rules and be acknowledged, that must not look like an acknowledgment of the unsent.
                sender.End = end;
                sender.Flags |= TcpWindowFlags.DataUnacknowledged;
                return Outside(sender, beLiberal, Result.Ignore);
            }
            return Outside(sender, beLiberal, Result.Invalid);
        }
        if (!Before(sack, receiver.End + 1)) return Outside(sender, beLiberal, Result.Invalid); // III
        if (receiver.MaxWindow != 0 && !After(end, sender.End - receiver.MaxWindow - 1)) // II
            return Outside(sender, beLiberal, Result.Ignore);
        if (!After(sack, lowestAck)) return Outside(sender, beLiberal, Result.Ignore); // IV

        Learn(ref tcp, ref sender, ref receiver, direction, segment, seq, end, ack, sack);
        return Result.Accept;
    }

    private static Result Outside(in TcpWindow sender, bool beLiberal, Result result)
        => beLiberal || (sender.Flags & TcpWindowFlags.BeLiberal) != 0 ? Result.Accept : result;

    /// <summary>A SYN or SYN/ACK tells where the sender begins (<c>tcp_init_sender</c>).</summary>
    private static void InitSender(ref TcpWindow sender, ref TcpWindow receiver, Direction direction, in TcpSegment segment)
    {
        sender.End = sender.MaxEnd = segment.End;
        sender.MaxWindow = Math.Max(segment.Window, 1u);
        ReadOptions(ref sender, segment);
        // Both sides must send the option for either to scale (RFC 7323 section 1.3).
        if (direction == Direction.Reply && (sender.Flags & receiver.Flags & TcpWindowFlags.WindowScale) == 0)
            sender.Scale = receiver.Scale = 0;
    }

    /// <summary>Nothing is known of the sender yet and this is no SYN: take what the segment says for right.</summary>
    private static void InitFromTheMiddle(ref TcpWindow sender, ref TcpWindow receiver, in TcpSegment segment, uint sack)
    {
        sender.End = segment.End;
        sender.MaxWindow = Math.Max((uint)segment.Window << sender.Scale, 1u);
        sender.MaxEnd = segment.End + sender.MaxWindow;
        if (receiver.MaxWindow == 0)
            receiver.End = receiver.MaxEnd = sack; // until that side speaks, so that III and IV hold
        else if (sack == receiver.End + 1)
            receiver.End++; // likely the answer to a keep-alive
    }

    /// <summary>Window scale and SACK permitted, as a SYN has them; a SYN without options leaves what was known (<c>tcp_options</c>).</summary>
    public static void ReadOptions(ref TcpWindow side, in TcpSegment segment)
    {
        if (segment.Options.IsEmpty) return;
        side.Scale = 0;
        side.Flags &= TcpWindowFlags.BeLiberal;
        var scale = TcpOptions.WindowScale(segment.Options, out var sackPermitted);
        if (sackPermitted) side.Flags |= TcpWindowFlags.SackPermitted;
        if (scale < 0) return;
        side.Scale = (byte)scale;
        side.Flags |= TcpWindowFlags.WindowScale;
    }

    private static void Learn(ref TcpTracking tcp, ref TcpWindow sender, ref TcpWindow receiver, Direction direction,
        in TcpSegment segment, uint seq, uint end, uint ack, uint sack)
    {
        uint window = segment.Window;
        if (!segment.Has(TcpFlags.Syn)) window <<= sender.Scale;

        sender.MaxWindow = Math.Max(sender.MaxWindow, window + (sack - ack));
        if (After(end, sender.End))
        {
            sender.End = end;
            sender.Flags |= TcpWindowFlags.DataUnacknowledged;
        }
        if (segment.Has(TcpFlags.Ack)
            && ((sender.Flags & TcpWindowFlags.MaxAckSet) == 0 || After(ack, sender.MaxAck)))
        {
            sender.MaxAck = ack;
            sender.Flags |= TcpWindowFlags.MaxAckSet;
        }

        if (receiver.MaxWindow != 0 && After(end, sender.MaxEnd)) receiver.MaxWindow += end - sender.MaxEnd;
        if (After(sack + window, receiver.MaxEnd - 1))
        {
            receiver.MaxEnd = sack + window;
            if (window == 0) receiver.MaxEnd++;
        }
        if (ack == receiver.End) receiver.Flags &= ~TcpWindowFlags.DataUnacknowledged;

        if (segment.Kind != TcpSegmentKind.Ack) return;
        if (tcp.LastDirection == direction && tcp.LastSequence == seq && tcp.LastAcknowledgment == ack && tcp.LastEnd == end
            && tcp.LastWindow == segment.Window)
        {
            tcp.Retransmissions++;
            return;
        }
        tcp.LastDirection = direction;
        tcp.LastSequence = seq;
        tcp.LastAcknowledgment = ack;
        tcp.LastEnd = end;
        tcp.LastWindow = segment.Window;
        tcp.Retransmissions = 0;
    }
}
