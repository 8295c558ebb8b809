namespace FwCluster.Rules.Model;

/// <summary>What a REJECT rule tells the sender (<c>enum ipt_reject_with</c>, <c>enum ip6t_reject_with</c>).</summary>
public enum RejectType : byte
{
    /// <summary>ICMP type 3 code 0.</summary>
    IcmpNetUnreachable,

    /// <summary>ICMP type 3 code 1.</summary>
    IcmpHostUnreachable,

    /// <summary>ICMP type 3 code 2.</summary>
    IcmpProtoUnreachable,

    /// <summary>ICMP type 3 code 3: IPv4's default.</summary>
    IcmpPortUnreachable,

    /// <summary>ICMP type 3 code 9.</summary>
    IcmpNetProhibited,

    /// <summary>ICMP type 3 code 10.</summary>
    IcmpHostProhibited,

    /// <summary>ICMP type 3 code 13.</summary>
    IcmpAdminProhibited,

    /// <summary>ICMPv6 type 1 code 0.</summary>
    Icmp6NoRoute,

    /// <summary>ICMPv6 type 1 code 1.</summary>
    Icmp6AdmProhibited,

    /// <summary>ICMPv6 type 1 code 3.</summary>
    Icmp6AddrUnreachable,

    /// <summary>ICMPv6 type 1 code 4: IPv6's default.</summary>
    Icmp6PortUnreachable,

    /// <summary>ICMPv6 type 1 code 5.</summary>
    Icmp6PolicyFail,

    /// <summary>ICMPv6 type 1 code 6.</summary>
    Icmp6RejectRoute,

    /// <summary>A TCP RST, for TCP of either family.</summary>
    TcpReset,
}

/// <summary>Names and numbers of <see cref="RejectType"/>.</summary>
public static class RejectTypeExtensions
{
    /// <summary>The name behind <c>--reject-with</c>.</summary>
    public static string Name(this RejectType type) => type switch
    {
        RejectType.IcmpNetUnreachable => "icmp-net-unreachable",
        RejectType.IcmpHostUnreachable => "icmp-host-unreachable",
        RejectType.IcmpProtoUnreachable => "icmp-proto-unreachable",
        RejectType.IcmpPortUnreachable => "icmp-port-unreachable",
        RejectType.IcmpNetProhibited => "icmp-net-prohibited",
        RejectType.IcmpHostProhibited => "icmp-host-prohibited",
        RejectType.IcmpAdminProhibited => "icmp-admin-prohibited",
        RejectType.Icmp6NoRoute => "icmp6-no-route",
        RejectType.Icmp6AdmProhibited => "icmp6-adm-prohibited",
        RejectType.Icmp6AddrUnreachable => "icmp6-addr-unreachable",
        RejectType.Icmp6PortUnreachable => "icmp6-port-unreachable",
        RejectType.Icmp6PolicyFail => "icmp6-policy-fail",
        RejectType.Icmp6RejectRoute => "icmp6-reject-route",
        _ => "tcp-reset",
    };

    /// <summary>The code of the ICMP or ICMPv6 "destination unreachable" message; -1 for a TCP RST.</summary>
    public static int IcmpCode(this RejectType type) => type switch
    {
        RejectType.IcmpNetUnreachable or RejectType.Icmp6NoRoute => 0,
        RejectType.IcmpHostUnreachable or RejectType.Icmp6AdmProhibited => 1,
        RejectType.IcmpProtoUnreachable => 2,
        RejectType.IcmpPortUnreachable or RejectType.Icmp6AddrUnreachable => 3,
        RejectType.Icmp6PortUnreachable => 4,
        RejectType.Icmp6PolicyFail => 5,
        RejectType.Icmp6RejectRoute => 6,
        RejectType.IcmpNetProhibited => 9,
        RejectType.IcmpHostProhibited => 10,
        RejectType.IcmpAdminProhibited => 13,
        _ => -1,
    };
}
