using System.Runtime.CompilerServices;

namespace FwCluster.Packets;

/// <summary>
/// What identifies one direction of a connection: addresses, protocol and the protocol's own part, as the kernel's
/// <c>struct nf_conntrack_tuple</c>. 40 bytes, no reference: it lives inside connection entries.
/// </summary>
/// <remarks>
/// The protocol's part: TCP, UDP, UDP-Lite and SCTP have their ports; ICMP and ICMPv6 have the identifier as source
/// port and <c>type &lt;&lt; 8 | code</c> as destination port; GRE version 1 has its call id as destination port; every other
/// protocol has zeroes.
/// </remarks>
public struct FlowTuple : IEquatable<FlowTuple>
{
    /// <summary>Who sent the packet.</summary>
    public IpAddress Source;

    /// <summary>Whom it is for.</summary>
    public IpAddress Destination;

    /// <summary>Source port, or ICMP identifier.</summary>
    public ushort SourcePort;

    /// <summary>Destination port, or ICMP type and code.</summary>
    public ushort DestinationPort;

    /// <summary>The transport protocol, see <see cref="IpProtocol"/>.</summary>
    public byte Protocol;

    /// <summary>IPv4 or IPv6.</summary>
    public IpFamily Family;

    /// <summary>ICMP type (high byte of <see cref="DestinationPort"/>).</summary>
    public readonly byte IcmpType => (byte)(DestinationPort >> 8);

    /// <summary>ICMP code (low byte of <see cref="DestinationPort"/>).</summary>
    public readonly byte IcmpCode => (byte)DestinationPort;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool Equals(FlowTuple other)
        => Source == other.Source && Destination == other.Destination && SourcePort == other.SourcePort
            && DestinationPort == other.DestinationPort && Protocol == other.Protocol && Family == other.Family;

    /// <inheritdoc/>
    public override readonly bool Equals(object? obj) => obj is FlowTuple other && Equals(other);

    /// <inheritdoc/>
    public override readonly int GetHashCode()
        => HashCode.Combine(Source, Destination, SourcePort, DestinationPort, Protocol, Family);

    /// <inheritdoc/>
    public static bool operator ==(FlowTuple left, FlowTuple right) => left.Equals(right);

    /// <inheritdoc/>
    public static bool operator !=(FlowTuple left, FlowTuple right) => !left.Equals(right);
}
