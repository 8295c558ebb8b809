namespace FwCluster.Packets;

/// <summary>
/// The headers of one IP packet in host order, decoded once by <see cref="PacketDecoder"/>. Plain data, reused from packet to
/// packet: nothing here refers to the packet's bytes. Offsets count from the first byte of the IP header.
/// </summary>
public struct PacketHeaders
{
    /// <summary>Source address.</summary>
    public IpAddress Source;

    /// <summary>Destination address.</summary>
    public IpAddress Destination;

    /// <summary>Bytes of the IP packet, header included, as its header says (IPv6: 40 + payload length).</summary>
    public int TotalLength;

    /// <summary>Where the transport header begins (IPv4: after options; IPv6: after the extension headers).</summary>
    public int TransportOffset;

    /// <summary>Where the transport's payload begins; <see cref="TransportOffset"/> where the transport has no header known here.
    /// For TCP this includes the options, and is only meaningful when <see cref="Transport"/> is
    /// <see cref="TransportHeader.Whole"/> (malformed, it is less than 20 behind <see cref="TransportOffset"/> where the data offset is).
    /// Never beyond <see cref="TotalLength"/>.</summary>
    public int PayloadOffset;

    /// <summary>TCP sequence number.</summary>
    public uint TcpSequence;

    /// <summary>TCP acknowledgment number.</summary>
    public uint TcpAcknowledgment;

    /// <summary>IPv4 identification (16 bits) or IPv6 fragment identification (32 bits).</summary>
    public uint FragmentId;

    /// <summary>Offset of this fragment's data in the whole, bytes; 0 for the first and for unfragmented packets.</summary>
    public int FragmentOffset;

    /// <summary>Source port; for ICMP of every type the two bytes where echo has its identifier; else 0.</summary>
    public ushort SourcePort;

    /// <summary>Destination port; for GRE version 1 the call id; else 0.</summary>
    public ushort DestinationPort;

    /// <summary>TCP window as sent, unscaled.</summary>
    public ushort TcpWindow;

    /// <summary>IPv4 or IPv6.</summary>
    public IpFamily Family;

    /// <summary>The transport protocol (IPv6: after the extension headers), see <see cref="IpProtocol"/>.</summary>
    public byte Protocol;

    /// <summary>IPv4 type of service or IPv6 traffic class: DSCP in the upper six bits, ECN in the lower two.</summary>
    public byte Tos;

    /// <summary>IPv4 time to live or IPv6 hop limit.</summary>
    public byte Ttl;

    /// <summary>TCP flags.</summary>
    public TcpFlags TcpFlags;

    /// <summary>ICMP or ICMPv6 type.</summary>
    public byte IcmpType;

    /// <summary>ICMP or ICMPv6 code.</summary>
    public byte IcmpCode;

    /// <summary>How much of the transport header the packet has.</summary>
    public TransportHeader Transport;

    /// <summary>Facts about the network header.</summary>
    public NetworkTraits Traits;

    /// <summary>Bytes of the transport header and what follows, as the headers say.</summary>
    public readonly int TransportLength => TotalLength - TransportOffset;

    /// <summary>Bytes of payload after the transport header, as the headers say.</summary>
    public readonly int PayloadLength => TotalLength - PayloadOffset;

    /// <summary>True for a fragment of a larger packet, first or later.</summary>
    public readonly bool IsFragment => FragmentOffset != 0 || (Traits & NetworkTraits.MoreFragments) != 0;

    /// <summary>The tuple of this packet. For ICMP: identifier, type and code (see <see cref="FlowTuple"/>). DCCP has ports in the headers
    /// but not in the tuple: Linux 6.17 and later track it as any unknown protocol.</summary>
    public readonly FlowTuple Tuple
    {
        get
        {
            FlowTuple tuple;
            tuple.Source = Source;
            tuple.Destination = Destination;
            tuple.SourcePort = SourcePort;
            tuple.DestinationPort = DestinationPort;
            if (Protocol is IpProtocol.Icmp or IpProtocol.IcmpV6)
                tuple.DestinationPort = (ushort)(IcmpType << 8 | IcmpCode);
            else if (Protocol == IpProtocol.Dccp)
                tuple.SourcePort = tuple.DestinationPort = 0;
            tuple.Protocol = Protocol;
            tuple.Family = Family;
            return tuple;
        }
    }
}

/// <summary>How much of its transport header a packet has.</summary>
public enum TransportHeader : byte
{
    /// <summary>No transport header is in this packet: a later fragment, "no next header", or a protocol without one known here
    /// (generic).</summary>
    None,

    /// <summary>The fixed header is whole, and for TCP the header with its options lies within the packet.</summary>
    Whole,

    /// <summary>The packet, or its capture, ends before its transport header does, or the header lies about a length, as
    /// tracking's checks have it. What could be read of it (the ports, where at least four bytes are there) is filled in. Also an IPv6
    /// packet that ends within an extension header: <see cref="PacketHeaders.Protocol"/> is then that header's number.</summary>
    Malformed,
}

/// <summary>Facts about the network header that matches and reassembly ask for.</summary>
[Flags]
public enum NetworkTraits : byte
{
    /// <summary>None of these.</summary>
    None = 0,

    /// <summary>More fragments follow.</summary>
    MoreFragments = 1,

    /// <summary>IPv4 "don't fragment".</summary>
    DontFragment = 2,

    /// <summary>IPv4 with options.</summary>
    Options = 4,

    /// <summary>IPv6 with at least one extension header before the transport.</summary>
    ExtensionHeaders = 8,

    /// <summary>IPv6 with a fragment header (also an "atomic" one, that is not a fragment of anything).</summary>
    FragmentHeader = 16,
}
