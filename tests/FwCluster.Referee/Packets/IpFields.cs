namespace FwCluster.Referee.Packets;

/// <summary>The fields of an IP header that a test seldom sets.</summary>
public sealed record IpFields
{
    /// <summary>What a test gets that does not say.</summary>
    public static readonly IpFields Default = new();

    /// <summary>Time to live or hop limit.</summary>
    public byte Ttl { get; init; } = 64;

    /// <summary>Type of service or traffic class.</summary>
    public byte Tos { get; init; }

    /// <summary>IPv4 identification; also what <see cref="PacketBuilder.Fragment"/> gives its fragments.</summary>
    public uint Id { get; init; }

    /// <summary>IPv4 "don't fragment".</summary>
    public bool DontFragment { get; init; }

    /// <summary>IPv4 options, a multiple of 4 bytes.</summary>
    public byte[] Options { get; init; } = [];

    /// <summary>IPv6 extension headers between the fixed header and the transport, each with its protocol and bytes; the "next
    /// header" bytes are written by the builder.</summary>
    public (byte Protocol, byte[] Header)[] ExtensionHeaders { get; init; } = [];

    /// <summary>False leaves the transport checksum wrong (off by one).</summary>
    public bool RightChecksum { get; init; } = true;
}
