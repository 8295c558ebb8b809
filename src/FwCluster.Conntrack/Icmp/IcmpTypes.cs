using FwCluster.Packets;

namespace FwCluster.Conntrack.Icmp;

/// <summary>Which ICMP and ICMPv6 messages ask, which answer, and which report errors (nf_conntrack_proto_icmp.c,
/// nf_conntrack_proto_icmpv6.c).</summary>
public static class IcmpTypes
{
    /// <summary>The type that answers a query, or that a given answer's query had; -1 where tracking knows none.</summary>
    public static int Answer(byte protocol, byte type) => protocol == IpProtocol.Icmp
        ? type switch
        {
            8 => 0, 0 => 8,     // echo
            13 => 14, 14 => 13, // timestamp
            15 => 16, 16 => 15, // information
            17 => 18, 18 => 17, // address mask
            _ => -1,
        }
        : type switch
        {
            128 => 129, 129 => 128, // echo
            139 => 140, 140 => 139, // node information (RFC 4620)
            _ => -1,
        };

    /// <summary>True for a message that may begin a connection.</summary>
    public static bool IsQuery(byte protocol, byte type)
        => protocol == IpProtocol.Icmp ? type is 8 or 13 or 15 or 17 : type is 128 or 139;

    /// <summary>True for an error, which quotes the packet it is about.</summary>
    public static bool IsError(byte protocol, byte type)
        => protocol == IpProtocol.Icmp ? type is 3 or 4 or 5 or 11 or 12 : type < 128;
}
