namespace FwCluster.Conntrack;

/// <summary>Status bits of a connection, with the kernel's values (<c>enum ip_conntrack_status</c>).</summary>
[Flags]
public enum ConnectionStatus : ushort
{
    /// <summary>No bit.</summary>
    None = 0,

    /// <summary>The connection was expected by a helper.</summary>
    Expected = 1 << 0,

    /// <summary>Packets have been seen in both directions.</summary>
    SeenReply = 1 << 1,

    /// <summary>Not to be dropped early when the table is full.</summary>
    Assured = 1 << 2,

    /// <summary>The first packet was accepted: the entry is in the table.</summary>
    Confirmed = 1 << 3,

    /// <summary>Being removed.</summary>
    Dying = 1 << 9,

    /// <summary>The timeout does not move with the packets.</summary>
    FixedTimeout = 1 << 10,

    /// <summary>Its helper came from a rule (<c>-j CT --helper</c>) and not from the port.</summary>
    HelperFromRule = 1 << 13,
}
