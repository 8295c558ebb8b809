using FwCluster.Packets;
using static FwCluster.Conntrack.TcpState;

namespace FwCluster.Conntrack.Tcp;

/// <summary>
/// Where a segment takes a connection: one row a kind of segment, one column a state, for each direction
/// (<c>tcp_conntracks</c> in nf_conntrack_proto_tcp.c, Linux 6.x).
/// </summary>
internal static class TcpStateTable
{
    /// <summary>The segment is invalid in this state (sIV).</summary>
    public const TcpState Invalid = (TcpState)10;

    /// <summary>The segment may be valid: it passes, and the connection stays as it is (sIG).</summary>
    public const TcpState Ignore = (TcpState)11;

    private const byte NO = (byte)None, SS = (byte)SynSent, SR = (byte)SynRecv, ES = (byte)Established, FW = (byte)FinWait,
        CW = (byte)CloseWait, LA = (byte)LastAck, TW = (byte)TimeWait, CL = (byte)Close, S2 = (byte)SynSent2,
        IV = (byte)Invalid, IG = (byte)Ignore;

    private const int States = 10;
    private const int Kinds = 6;

    private static ReadOnlySpan<byte> Next =>
    [
        // Original direction.
        //         NO  SS  SR  ES  FW  CW  LA  TW  CL  S2
        /* syn */    SS, SS, IG, IG, IG, IG, IG, SS, SS, S2, // opens; retransmitted; a SYN where none belongs may be the client that is
                                                             // right and us that are wrong: let it pass; TW, CL: reopened
        /* synack */ IV, IV, SR, IV, IV, IV, IV, IV, IV, SR, // only simultaneous open has a SYN/ACK in this direction
        /* fin */    IV, IV, FW, FW, LA, LA, LA, TW, CL, IV, // closes; after the other side's FIN the last ACK is awaited
        /* ack */    ES, IV, ES, ES, CW, CW, TW, TW, CL, IV, // NO: picked up in the middle; FW: the FIN's ACK; LA: the last ACK
        /* rst */    IV, CL, CL, CL, CL, CL, CL, CL, CL, CL,
        /* none */   IV, IV, IV, IV, IV, IV, IV, IV, IV, IV,

        // Reply direction.
        //         NO  SS  SR  ES  FW  CW  LA  TW  CL  S2
        /* syn */    IV, S2, IV, IV, IV, IV, IV, SS, IV, S2, // SS: simultaneous open; TW: reopened by the other side
        /* synack */ IV, SR, IG, IG, IG, IG, IG, IG, IG, SR, // the standard answer; later ones may answer a SYN that we ignored
        /* fin */    IV, IV, FW, FW, LA, LA, LA, TW, CL, IV,
        /* ack */    IV, IG, SR, ES, CW, CW, TW, TW, CL, IG, // SS: may be a half-open connection or a challenge ACK
        /* rst */    IV, CL, CL, CL, CL, CL, CL, CL, CL, CL,
        /* none */   IV, IV, IV, IV, IV, IV, IV, IV, IV, IV,
    ];

    /// <summary>The state after a segment, or <see cref="Invalid"/> or <see cref="Ignore"/>.</summary>
    public static TcpState After(Direction direction, TcpSegmentKind kind, TcpState state)
        => (TcpState)Next[((int)direction * Kinds + (int)kind) * States + (int)state];

    /// <summary>What a segment is to the table (<c>get_conntrack_index</c>).</summary>
    public static TcpSegmentKind KindOf(TcpFlags flags)
    {
        if ((flags & TcpFlags.Rst) != 0) return TcpSegmentKind.Rst;
        if ((flags & TcpFlags.Syn) != 0) return (flags & TcpFlags.Ack) != 0 ? TcpSegmentKind.SynAck : TcpSegmentKind.Syn;
        if ((flags & TcpFlags.Fin) != 0) return TcpSegmentKind.Fin;
        return (flags & TcpFlags.Ack) != 0 ? TcpSegmentKind.Ack : TcpSegmentKind.None;
    }

    /// <summary>True for a combination of flags that means something; PSH, ECE and CWR are always allowed
    /// (<c>tcp_valid_flags</c>).</summary>
    public static bool AreValid(TcpFlags flags) => (ValidFlags >> (int)(flags & FlagsThatCount) & 1) != 0;

    private const TcpFlags FlagsThatCount = TcpFlags.Fin | TcpFlags.Syn | TcpFlags.Rst | TcpFlags.Ack | TcpFlags.Urg;

    /// <summary>One bit a combination.</summary>
    private const ulong ValidFlags =
        1UL << (int)TcpFlags.Syn | 1UL << (int)(TcpFlags.Syn | TcpFlags.Urg) | 1UL << (int)(TcpFlags.Syn | TcpFlags.Ack)
        | 1UL << (int)TcpFlags.Rst | 1UL << (int)(TcpFlags.Rst | TcpFlags.Ack)
        | 1UL << (int)(TcpFlags.Fin | TcpFlags.Ack) | 1UL << (int)(TcpFlags.Fin | TcpFlags.Ack | TcpFlags.Urg)
        | 1UL << (int)TcpFlags.Ack | 1UL << (int)(TcpFlags.Ack | TcpFlags.Urg);
}
