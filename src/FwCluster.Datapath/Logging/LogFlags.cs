namespace FwCluster.Datapath.Logging;

/// <summary>What a LOG rule wants in its lines besides the usual (<c>NF_LOG_*</c>): its <c>--log-*</c> options.</summary>
[Flags]
public enum LogFlags : byte
{
    /// <summary>Nothing more.</summary>
    None = 0,

    /// <summary><c>--log-tcp-sequence</c>: SEQ and ACK.</summary>
    TcpSequence = 0x01,

    /// <summary><c>--log-tcp-options</c>: their bytes.</summary>
    TcpOptions = 0x02,

    /// <summary><c>--log-ip-options</c>: the bytes of IPv4's, the extension headers of IPv6.</summary>
    IPOptions = 0x04,

    /// <summary><c>--log-uid</c>: who sent it, where that is known. It never is here, so nothing is written, as for packets that pass
    /// through.</summary>
    Uid = 0x08,

    /// <summary><c>--log-macdecode</c>: the Ethernet header field by field.</summary>
    MacDecode = 0x20,
}
