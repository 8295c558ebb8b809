namespace FwCluster.Packets;

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

    /// <summary>True where <see cref="DestinationMac"/> is an Ethernet address; then the link layer is Ethernet.</summary>
    public bool HasDestinationMac;

    /// <summary>The receiver's Ethernet address in the low 48 bits, first byte highest.</summary>
    public ulong DestinationMac;

    /// <summary>True where the frame was not seen, but it came by Ethernet and <see cref="InterfaceMac"/> is known.</summary>
    public bool HasInterfaceMac;

    /// <summary>The Ethernet address of the interface it came in by, in the low 48 bits.</summary>
    public ulong InterfaceMac;
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
