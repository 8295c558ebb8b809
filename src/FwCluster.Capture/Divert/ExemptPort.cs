using FwCluster.Packets;

namespace FwCluster.Capture.Divert;

/// <summary>
/// A port of this host whose traffic is never diverted: it passes whatever the rules say, and when nobody answers the queues.
/// TCP: anybody may connect to the port here, and this host may connect to the same port elsewhere (of what comes back, nothing that
/// would begin a connection passes). UDP: anybody may send to the port here, and it may answer; nothing more, since with no memory an answer
/// from that port elsewhere cannot be told from somebody who chose it as a source port.
/// </summary>
/// <param name="Protocol"><see cref="IpProtocol.Tcp"/> or <see cref="IpProtocol.Udp"/>.</param>
/// <param name="Port">1 to 65535.</param>
public sealed record ExemptPort(byte Protocol, int Port)
{
    /// <summary>A TCP port.</summary>
    public static ExemptPort Tcp(int port) => new(IpProtocol.Tcp, port);

    /// <summary>A UDP port.</summary>
    public static ExemptPort Udp(int port) => new(IpProtocol.Udp, port);
}
