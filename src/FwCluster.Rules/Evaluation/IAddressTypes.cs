using FwCluster.Packets;

namespace FwCluster.Rules.Evaluation;

/// <summary>What kind of address an address is to this host: what the kernel asks its routing table for <c>-m addrtype</c>.</summary>
public interface IAddressTypes
{
    /// <summary>The type of an address.</summary>
    AddressType TypeOf(IpFamily family, IpAddress address);

    /// <summary>The type of an address as one interface knows it (<c>--limit-iface-in</c>, <c>--limit-iface-out</c>). Where nothing is known of
    /// interfaces, the same as without one.</summary>
    AddressType TypeOf(IpFamily family, IpAddress address, InterfaceName on) => TypeOf(family, address);
}

/// <summary>Address types, as flags of <c>-m addrtype</c> (<c>XT_ADDRTYPE_*</c>).</summary>
[Flags]
public enum AddressType : ushort
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>The unspecified address.</summary>
    Unspec = 1 << 0,

    /// <summary>A unicast address that is not this host's.</summary>
    Unicast = 1 << 1,

    /// <summary>This host's own.</summary>
    Local = 1 << 2,

    /// <summary>Broadcast.</summary>
    Broadcast = 1 << 3,

    /// <summary>Anycast.</summary>
    Anycast = 1 << 4,

    /// <summary>Multicast.</summary>
    Multicast = 1 << 5,

    /// <summary>Routed to a black hole.</summary>
    Blackhole = 1 << 6,

    /// <summary>Routed as unreachable.</summary>
    Unreachable = 1 << 7,

    /// <summary>Routed as prohibited.</summary>
    Prohibit = 1 << 8,

    /// <summary>Routed to "throw".</summary>
    Throw = 1 << 9,

    /// <summary>Translated.</summary>
    Nat = 1 << 10,

    /// <summary>Resolved elsewhere.</summary>
    Xresolve = 1 << 11,
}
