namespace FwCluster.Packets;

/// <summary>The network protocol of a packet, numbered as the kernel's <c>NFPROTO_*</c>.</summary>
public enum IpFamily : byte
{
    /// <summary>Neither: what a default structure holds.</summary>
    None = 0,

    /// <summary>IPv4 (RFC 791).</summary>
    IPv4 = 2,

    /// <summary>IPv6 (RFC 8200).</summary>
    IPv6 = 10,
}

/// <summary>What the two families differ in.</summary>
public static class IpFamilyExtensions
{
    /// <summary>Bits of an address: 32 or 128.</summary>
    public static int AddressBits(this IpFamily family) => family == IpFamily.IPv4 ? 32 : 128;

    /// <summary>Bytes of an address: 4 or 16.</summary>
    public static int AddressBytes(this IpFamily family) => family == IpFamily.IPv4 ? 4 : 16;
}
