namespace FwCluster.Conntrack.Helpers.Ftp;

/// <summary>What came of looking for something in the bytes of a segment.</summary>
internal enum FtpMatch : byte
{
    /// <summary>It is not there: another command or reply begins here.</summary>
    None,

    /// <summary>It is there, whole.</summary>
    Found,

    /// <summary>It begins here, and the bytes end before it does. The kernel makes no difference between this and
    /// <see cref="Malformed"/>; here it matters for a packet of which the capture has only the beginning.</summary>
    Cut,

    /// <summary>It begins here, and goes on as it must not.</summary>
    Malformed,
}
