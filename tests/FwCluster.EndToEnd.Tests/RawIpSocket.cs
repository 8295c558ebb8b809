using System.Buffers.Binary;
using System.Runtime.InteropServices;
using FwCluster.Referee.Lab;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace FwCluster.EndToEnd.Tests;

/// <summary>
/// Sends IPv4 packets whose headers the test wrote, from inside a namespace: they traverse OUTPUT as if a program there had sent
/// them. Each carries a mark, by which a rule can tell them from what the host says by itself.
/// </summary>
internal sealed unsafe class RawIpSocket : IDisposable
{
    private const int IpProtocolRaw = 255;
    private const int AddressBytes = 16;
    private readonly int _handle;

    private RawIpSocket(int mark)
    {
        _handle = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IpProtocolRaw);
        if (_handle < 0) throw Failure("socket(SOCK_RAW)");
        if (setsockopt(_handle, SOL_SOCKET, SO_MARK, &mark, sizeof(int)) < 0) throw Failure("SO_MARK");
    }

    /// <summary>Opens a socket in a namespace.</summary>
    public static RawIpSocket Open(NetworkNamespace where, int mark) => where.Run(() => new RawIpSocket(mark));

    /// <summary>Sends a packet to its destination. When it returns, OUTPUT has been traversed.</summary>
    /// <param name="packet">A whole IPv4 packet; the kernel writes its total length and header checksum again.</param>
    public void Send(ReadOnlySpan<byte> packet)
    {
        // struct sockaddr_in: the family, no port, the address.
        var destination = stackalloc byte[AddressBytes];
        new Span<byte>(destination, AddressBytes).Clear();
        destination[0] = (byte)(int)AF_INET;
        packet.Slice(16, 4).CopyTo(new Span<byte>(destination + 4, 4));
        fixed (byte* bytes = packet)
        {
            if ((long)sendto(_handle, bytes, packet.Length, 0, (sockaddr*)destination, AddressBytes) != packet.Length)
                throw Failure($"send {BinaryPrimitives.ReadUInt16BigEndian(packet[2..])} bytes");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _ = close(_handle);

    private static CommandFailedException Failure(string what) => new($"{what}: {Marshal.GetPInvokeErrorMessage(errno)}");
}
