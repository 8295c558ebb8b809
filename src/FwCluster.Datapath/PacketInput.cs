using FwCluster.Packets;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Datapath;

/// <summary>A frame as a port hands it over.</summary>
public readonly ref struct PacketInput
{
    /// <summary>The link-layer header it begins with.</summary>
    public required LinkType Link { get; init; }

    /// <summary>Its bytes, as many as were captured.</summary>
    public required ReadOnlySpan<byte> Frame { get; init; }

    /// <summary>Bytes it had on the wire, at least as many as there are in <see cref="Frame"/>.</summary>
    public required int WireLength { get; init; }

    /// <summary>When it was seen, nanoseconds since the Unix epoch. A time before the last packet's counts as that one's.</summary>
    public required long Time { get; init; }

    /// <summary>Where it came in, unless this host sent it; empty where that is not known.</summary>
    public InterfaceName In { get; init; }

    /// <summary>Where it leaves, unless it is for this host; empty where that is not known.</summary>
    public InterfaceName Out { get; init; }

    /// <summary>The way it takes, where the port knows it; null to tell it by the host's addresses.</summary>
    public PacketWay? Way { get; init; }

    /// <summary>The mark it comes with.</summary>
    public uint Mark { get; init; }

    /// <summary>Its transport checksum is right, or is yet to be filled in by an offload: a REJECT rule answers it without looking.</summary>
    public bool ChecksumIsTrusted { get; init; }

    /// <summary>The sender's Ethernet address in the low 48 bits, where the frame does not have it but the port knows it.</summary>
    public ulong? SourceMac { get; init; }

    /// <summary>What the port wants to be told with a verdict that comes later.</summary>
    public PacketTicket Ticket { get; init; }

    /// <summary>The Ethernet address of the interface it came in by, in the low 48 bits, where the frame does not have an Ethernet header but had
    /// one.</summary>
    public ulong? InterfaceMac { get; init; }

    /// <summary>True where it was routed already, because the port takes packets from the hook itself: the time to live of one to forward is
    /// one less than it came with.</summary>
    public bool IsRouted { get; init; }
}
