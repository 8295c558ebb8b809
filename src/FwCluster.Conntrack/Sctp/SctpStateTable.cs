using static FwCluster.Conntrack.SctpState;

namespace FwCluster.Conntrack.Sctp;

/// <summary>
/// Where a chunk takes a connection: one row a type of chunk, one column a state, for each direction (<c>sctp_conntracks</c> in
/// nf_conntrack_proto_sctp.c, Linux 6.x). Chunks without a row (DATA, SACK and others) take it nowhere.
/// </summary>
internal static class SctpStateTable
{
    /// <summary>The chunk is invalid in this state (sIV).</summary>
    public const SctpState Invalid = (SctpState)9;

    private const byte CL = (byte)Closed, CW = (byte)CookieWait, CE = (byte)CookieEchoed, ES = (byte)Established,
        SS = (byte)ShutdownSent, SR = (byte)ShutdownRecd, SA = (byte)ShutdownAckSent, HS = (byte)HeartbeatSent,
        IV = (byte)Invalid;

    private const int States = 9;
    private const int Rows = 11;

    private static ReadOnlySpan<byte> Next =>
    [
        // Original direction.
        //                    NO  CL  CW  CE  ES  SS  SR  SA  HS
        /* init */              CL, CL, CW, CE, ES, CL, CL, SA, CW, // SS, SR: restarted while it was being shut down
        /* init ack */          CL, CL, CW, CE, ES, SS, SR, SA, CL,
        /* abort */             CL, CL, CL, CL, CL, CL, CL, CL, CL,
        /* shutdown */          CL, CL, CW, CE, SS, SS, SR, SA, CL,
        /* shutdown ack */      SA, CL, CW, CE, ES, SA, SA, SA, SA, // NO: of a forgotten connection
        /* error */             CL, CL, CW, CE, ES, SS, SR, SA, CL,
        /* cookie echo */       CL, CL, CE, CE, ES, SS, SR, SA, CL,
        /* cookie ack */        CL, CL, CW, ES, ES, SS, SR, SA, CL, // CE: both sides opened at the same time
        /* shutdown complete */ CL, CL, CW, CE, ES, SS, SR, CL, CL,
        /* heartbeat */         HS, CL, CW, CE, ES, SS, SR, SA, HS, // NO: a second path of an association
        /* heartbeat ack */     CL, CL, CW, CE, ES, SS, SR, SA, HS,

        // Reply direction.
        //                    NO  CL  CW  CE  ES  SS  SR  SA  HS
        /* init */              IV, CL, CW, CE, ES, SS, SR, SA, IV,
        /* init ack */          IV, CW, CW, CE, ES, SS, SR, SA, IV,
        /* abort */             IV, CL, CL, CL, CL, CL, CL, CL, IV,
        /* shutdown */          IV, CL, CW, CE, SR, SS, SR, SA, IV,
        /* shutdown ack */      IV, CL, CW, CE, ES, SA, SA, SA, IV,
        /* error */             IV, CL, CW, CL, ES, SS, SR, SA, IV, // CE: the cookie was too old
        /* cookie echo */       IV, CL, CE, CE, ES, SS, SR, SA, IV,
        /* cookie ack */        IV, CL, CW, ES, ES, SS, SR, SA, IV,
        /* shutdown complete */ IV, CL, CW, CE, ES, SS, SR, CL, IV,
        /* heartbeat */         IV, CL, CW, CE, ES, SS, SR, SA, HS,
        /* heartbeat ack */     IV, CL, CW, CE, ES, SS, SR, SA, ES, // HS: the second path is answered
    ];

    /// <summary>The state after a chunk, or <see cref="Invalid"/>.</summary>
    public static SctpState After(Direction direction, SctpChunkType type, SctpState state)
    {
        var row = RowOf(type);
        return row < 0 ? state : (SctpState)Next[((int)direction * Rows + row) * States + (int)state];
    }

    private static int RowOf(SctpChunkType type) => type switch
    {
        SctpChunkType.Init => 0,
        SctpChunkType.InitAck => 1,
        SctpChunkType.Abort => 2,
        SctpChunkType.Shutdown => 3,
        SctpChunkType.ShutdownAck => 4,
        SctpChunkType.Error => 5,
        SctpChunkType.CookieEcho => 6,
        SctpChunkType.CookieAck => 7,
        SctpChunkType.ShutdownComplete => 8,
        SctpChunkType.Heartbeat => 9,
        SctpChunkType.HeartbeatAck => 10,
        _ => -1,
    };
}
