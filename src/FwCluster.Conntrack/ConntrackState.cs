namespace FwCluster.Conntrack;

/// <summary>What a packet is to its connection: the words of <c>-m state</c> and <c>-m conntrack --ctstate</c>.</summary>
public enum ConntrackState : byte
{
    /// <summary>Tracking has not looked at the packet: it is in the raw table, or never reached tracking (printed as <c>-</c>).</summary>
    None = 0,

    /// <summary>Belongs to no connection, and cannot begin one.</summary>
    Invalid = 1,

    /// <summary>Begins a connection, or goes on in its original direction before any reply.</summary>
    New = 2,

    /// <summary>Belongs to a connection that has seen packets in both directions.</summary>
    Established = 3,

    /// <summary>Begins an expected connection, or is an ICMP error about a known one.</summary>
    Related = 4,

    /// <summary>A rule said <c>NOTRACK</c>, or the protocol is one that tracking leaves alone (neighbour discovery).</summary>
    Untracked = 5,
}

/// <summary>Names of <see cref="ConntrackState"/> as rules and listings write them.</summary>
public static class ConntrackStateExtensions
{
    /// <summary>The name in capitals; <c>-</c> for <see cref="ConntrackState.None"/>.</summary>
    public static string Name(this ConntrackState state) => state switch
    {
        ConntrackState.Invalid => "INVALID",
        ConntrackState.New => "NEW",
        ConntrackState.Established => "ESTABLISHED",
        ConntrackState.Related => "RELATED",
        ConntrackState.Untracked => "UNTRACKED",
        _ => "-",
    };
}
