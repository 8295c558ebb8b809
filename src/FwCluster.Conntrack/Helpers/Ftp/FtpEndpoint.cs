using FwCluster.Packets;

namespace FwCluster.Conntrack.Helpers.Ftp;

/// <summary>An address and port as a command or reply names it (<c>struct nf_conntrack_man</c>).</summary>
internal struct FtpEndpoint
{
    /// <summary>Family of the control connection.</summary>
    public IpFamily Family;

    /// <summary>The address; the speaker's own until a parser writes another one.</summary>
    public IpAddress Address;

    /// <summary>The port.</summary>
    public ushort Port;

    /// <summary>
    /// Writes 32 bits where an IPv4 address is. On an IPv6 connection these are the first four bytes of the address, the others
    /// stay the speaker's, because in the kernel's union both begin at the same place: <c>PORT</c> with the first four bytes of
    /// the client's own IPv6 address is expected.
    /// </summary>
    public void SetFirstFourBytes(uint value)
        => Address = Family == IpFamily.IPv4
            ? new IpAddress(0, value)
            : Address with { High = (ulong)value << 32 | (uint)Address.High };
}
