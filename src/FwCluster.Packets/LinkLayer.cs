namespace FwCluster.Packets;

/// <summary>Link-layer header types of captures (the LINKTYPE_ registry of the tcpdump group).</summary>
public enum LinkType
{
    /// <summary>BSD loopback: 4 bytes of address family in the writer's byte order.</summary>
    Null = 0,

    /// <summary>Ethernet.</summary>
    Ethernet = 1,

    /// <summary>Raw IP, the version nibble tells which (also 12 and 14 on some systems).</summary>
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

/// <summary>To whom the link layer addressed a frame, numbered as the kernel's <c>PACKET_*</c>.</summary>
public enum LinkPacketType : byte
{
    /// <summary>To this host.</summary>
    Host = 0,

    /// <summary>Link-layer broadcast.</summary>
    Broadcast = 1,

    /// <summary>Link-layer multicast.</summary>
    Multicast = 2,

    /// <summary>To somebody else (seen in promiscuous mode).</summary>
    OtherHost = 3,

    /// <summary>Sent by this host.</summary>
    Outgoing = 4,
}

/// <summary>What the link layer says of a frame.</summary>
public struct LinkHeader
{
    /// <summary>Where the network header begins, bytes from the start of the frame.</summary>
    public int NetworkOffset;

    /// <summary>The EtherType behind any VLAN tags: 0x0800 IPv4, 0x86dd IPv6.</summary>
    public ushort EtherType;

    /// <summary>The innermost VLAN id, or 0.</summary>
    public ushort VlanId;

    /// <summary>To whom the frame went; <see cref="LinkPacketType.Host"/> where the link layer does not say.</summary>
    public LinkPacketType PacketType;

    /// <summary>True where <see cref="SourceMac"/> is an Ethernet address.</summary>
    public bool HasSourceMac;

    /// <summary>The sender's Ethernet address in the low 48 bits, first byte highest.</summary>
    public ulong SourceMac;
}

/// <summary>Finds the network header behind a link-layer header. Does not allocate; never throws for what a frame holds.</summary>
public static class LinkLayer
{
    /// <summary>True for a link type this product reads.</summary>
    public static bool IsSupported(LinkType link) => throw new NotImplementedException();

    /// <summary>Decodes the link header of a frame; false where the frame is too short for one, or its protocol is not IP.</summary>
    public static bool TryDecode(LinkType link, ReadOnlySpan<byte> frame, out LinkHeader header)
        => throw new NotImplementedException();
}
