using FwCluster.Capture.Netlink;
using FwCluster.Datapath.Reject;
using FwCluster.Packets;

namespace FwCluster.Capture.Answers;

/// <summary>
/// Sends the answers to rejected packets, in the network namespace of the thread that opens it. It needs CAP_NET_RAW, and CAP_NET_ADMIN for
/// the mark. One thread uses it; it never waits, and does not allocate once open.
/// </summary>
/// <remarks>An answer's source is often not an address of this host (a reset comes from the server that was not reached): raw sockets
/// send it all the same. The mark tells the divert rules that nobody is to decide about it.</remarks>
public sealed class AnswerPort : IAnswerRoutes, IDisposable
{
    /// <summary>The mark where nobody chose another. Container networks and VPNs mark packets with single bits or small numbers; this is
    /// neither.</summary>
    public const uint DefaultMark = 0x4657_434c;

    private readonly AnswerSocket? _ipv4;
    private readonly AnswerSocket? _ipv6;
    private long _sent;
    private long _failed;

    private AnswerPort(uint mark)
    {
        _ipv4 = AnswerSocket.Open(IpFamily.IPv4, mark);
        try
        {
            _ipv6 = AnswerSocket.Open(IpFamily.IPv6, mark);
        }
        catch
        {
            _ipv4?.Dispose();
            throw;
        }
    }

    /// <summary>Answers sent. Any thread may ask.</summary>
    public long Sent => Volatile.Read(ref _sent);

    /// <summary>Answers that the kernel did not take: there is no route to their receiver, or the interface is full. Any thread may ask.</summary>
    public long Failed => Volatile.Read(ref _failed);

    /// <summary>Opens the sockets. A family that the kernel does not have is left out.</summary>
    /// <param name="mark">The mark of what is sent (SO_MARK): <see cref="Divert.DivertSettings.AnswerMark"/>.</param>
    /// <exception cref="NetlinkException">The process may not; the message says what it lacks.</exception>
    public static AnswerPort Open(uint mark) => new(mark);

    /// <summary>Sends an answer.</summary>
    /// <param name="packet">A whole IP packet with its checksums.</param>
    /// <param name="interfaceIndex">By which interface, where the receiver's address is link-local; 0 where that is not known.</param>
    /// <returns>False where the kernel did not take it, which is counted.</returns>
    public bool Send(ReadOnlySpan<byte> packet, int interfaceIndex)
    {
        var isIPv6 = packet[0] >> 4 == 6;
        var destination = isIPv6 ? IpAddress.ReadIPv6(packet[24..]) : IpAddress.ReadIPv4(packet[16..]);
        var sent = (isIPv6 ? _ipv6 : _ipv4)?.Send(packet, destination, interfaceIndex) == true;
        ref var count = ref (sent ? ref _sent : ref _failed);
        Volatile.Write(ref count, count + 1);
        return sent;
    }

    /// <inheritdoc/>
    public IpAddress SourceTo(IpFamily family, IpAddress destination)
        => (family == IpFamily.IPv6 ? _ipv6 : _ipv4)?.SourceTo(destination) ?? default;

    /// <inheritdoc/>
    public void Dispose()
    {
        _ipv4?.Dispose();
        _ipv6?.Dispose();
    }
}
