using FwCluster.Packets;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Capture.Queue;

/// <summary>A packet that waits in the kernel for its verdict. Its bytes are the port's and last until the next
/// <see cref="QueuePort.Receive"/>: who holds a packet longer copies them.</summary>
public ref struct QueuedPacket
{
    /// <summary>What the verdict names it by.</summary>
    public uint Id { get; internal set; }

    /// <summary>IPv4 or IPv6.</summary>
    public IpFamily Family { get; internal set; }

    /// <summary>The hook at which it was queued.</summary>
    public Hook Hook { get; internal set; }

    /// <summary>The index of the interface it came in by; 0 where this host sent it.</summary>
    public int InIndex { get; internal set; }

    /// <summary>The index of the interface it leaves by; 0 where it is for this host.</summary>
    public int OutIndex { get; internal set; }

    /// <summary>The index of the bridge port it came in by; 0 where there is none.</summary>
    public int PhysicalInIndex { get; internal set; }

    /// <summary>The index of the bridge port it leaves by; 0 where there is none.</summary>
    public int PhysicalOutIndex { get; internal set; }

    /// <summary>The name of <see cref="InIndex"/>; empty where there is none, or the interface is gone.</summary>
    public InterfaceName In { get; internal set; }

    /// <summary>The name of <see cref="OutIndex"/>; empty where there is none, or the interface is gone.</summary>
    public InterfaceName Out { get; internal set; }

    /// <summary>The packet's mark.</summary>
    public uint Mark { get; internal set; }

    /// <summary>True where <see cref="SourceMac"/> is an Ethernet address.</summary>
    public bool HasSourceMac { get; internal set; }

    /// <summary>The sender's Ethernet address in the low 48 bits, first byte highest. (What the kernel hands over has no other part of
    /// the link-layer header, and no packet type.)</summary>
    public ulong SourceMac { get; internal set; }

    /// <summary>True where it came by Ethernet and <see cref="InterfaceMac"/> is known.</summary>
    public bool HasInterfaceMac { get; internal set; }

    /// <summary>The Ethernet address of the interface it came in by, in the low 48 bits: what it was sent to, unless to a group or to all.</summary>
    public ulong InterfaceMac { get; internal set; }

    /// <summary>When the kernel saw it, nanoseconds since the Unix epoch; the time of the receive where the kernel took none, which it does
    /// only while somebody on the host captures packets.</summary>
    public long Time { get; internal set; }

    /// <summary>True where the transport checksum in <see cref="Bytes"/> is unfinished (NFQA_SKB_CSUMNOTREADY): the packet was sent on this
    /// host and the checksum is left to the network card. It is to be taken for right.</summary>
    public bool IsChecksumUnfinished { get; internal set; }

    /// <summary>True where nobody has checked the transport checksum yet (NFQA_SKB_CSUM_NOTVERIFIED).</summary>
    public bool IsChecksumUnverified { get; internal set; }

    /// <summary>True where the packet is several segments that travel as one (NFQA_SKB_GSO): it may be larger than the MTU, and is cut
    /// again on its way out.</summary>
    public bool IsSegmented { get; internal set; }

    /// <summary>Bytes of the packet in the kernel, from the IP header on.</summary>
    public int Length { get; internal set; }

    /// <summary>The packet from the IP header on; its first 65,531 bytes where it is longer (IPv6 jumbograms of BIG TCP). May be changed
    /// in place, which counts only with <see cref="QueuePort.AcceptChanged(in QueuedPacket, uint?)"/>.</summary>
    public Span<byte> Bytes { get; internal set; }
}
