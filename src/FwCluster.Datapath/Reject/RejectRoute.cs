using FwCluster.Packets;

namespace FwCluster.Datapath.Reject;

/// <summary>What the host knows of the way back to a rejected packet's sender, and of the packet, that its bytes do not say. The default
/// is a host that knows nothing.</summary>
public readonly record struct RejectRoute
{
    private const byte DefaultTtl = 64;
    private const int DefaultMtu = 1500;

    private readonly byte _ttl;
    private readonly int _mtu;

    /// <summary>The address of this host that ICMP errors for packets on their way through it (FORWARD) come from: the one that the
    /// route to the sender prefers; in IPv6 one of the interface that the packet came in by. Where this is the unspecified address,
    /// IPv4 uses 192.0.0.8 (RFC 7600 section 6), and IPv6 does not answer.</summary>
    public IpAddress Source { get; init; }

    /// <summary>Time to live or hop limit of the answer: the route's, or 64.</summary>
    public byte Ttl
    {
        get => _ttl == 0 ? DefaultTtl : _ttl;
        init => _ttl = value;
    }

    /// <summary>The MTU of the way back, bytes; 1500 where nothing is said. It matters below 576, and to IPv4 only.</summary>
    public int Mtu
    {
        get => _mtu == 0 ? DefaultMtu : _mtu;
        init => _mtu = value;
    }

    /// <summary>The packet's checksum is right or is yet to be filled in by an offload (<c>skb_csum_unnecessary</c>): it is not
    /// verified.</summary>
    public bool ChecksumIsTrusted { get; init; }

    /// <summary>The IPv4 identification of an ICMP error. The kernel draws one, also for a raw socket that sends a zero.</summary>
    public ushort Identification { get; init; }

    /// <summary>The flow label of an ICMPv6 error, 20 bits. The kernel draws one.</summary>
    public uint FlowLabel { get; init; }
}
