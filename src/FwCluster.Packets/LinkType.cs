namespace FwCluster.Packets;

/// <summary>Link-layer header types of captures (the LINKTYPE_ registry of the tcpdump group).</summary>
public enum LinkType
{
    /// <summary>BSD loopback: 4 bytes of address family in the writer's byte order.</summary>
    Null = 0,

    /// <summary>Ethernet.</summary>
    Ethernet = 1,

    /// <summary>Raw IP as some systems number it.</summary>
    Raw12 = 12,

    /// <summary>Raw IP as OpenBSD numbers it.</summary>
    Raw14 = 14,

    /// <summary>Raw IP, the version nibble tells which.</summary>
    Raw = 101,

    /// <summary>OpenBSD loopback: 4 bytes of address family in network order.</summary>
    Loop = 108,

    /// <summary>Linux cooked capture v1.</summary>
    LinuxSll = 113,

    /// <summary>Raw IPv4.</summary>
    IPv4 = 228,

    /// <summary>Raw IPv6.</summary>
    IPv6 = 229,

    /// <summary>Linux cooked capture v2.</summary>
    LinuxSll2 = 276,
}
