using System.Buffers.Binary;
using System.Text;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace FwCluster.Referee.Lab;

/// <summary>An AF_PACKET socket bound to one interface: whole Ethernet frames in and out. Does not block.</summary>
public sealed unsafe class PacketSocket : IDisposable
{
    private const int AfPacket = 17;
    private const int SolPacket = 263;
    private const int PacketIgnoreOutgoing = 23;
    private const int PacketQdiscBypass = 20;
    private const int SiocGifIndex = 0x8933;
    private const int SiocGifHwAddr = 0x8927;
    private const int LinkAddressBytes = 20;

    private readonly int _handle;

    private PacketSocket(string interfaceName, ushort protocol)
    {
        _handle = socket(AfPacket, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, BinaryPrimitives.ReverseEndianness(protocol));
        if (_handle < 0) throw Failure("socket(AF_PACKET)");
        Span<byte> request = stackalloc byte[40];
        var index = BinaryPrimitives.ReadInt32LittleEndian(Ask(SiocGifIndex, interfaceName, request));
        HardwareAddress = Ask(SiocGifHwAddr, interfaceName, request).Slice(2, 6).ToArray();

        var address = stackalloc byte[LinkAddressBytes];
        new Span<byte>(address, LinkAddressBytes).Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(new Span<byte>(address, 2), AfPacket);
        BinaryPrimitives.WriteUInt16BigEndian(new Span<byte>(address + 2, 2), protocol);
        BinaryPrimitives.WriteInt32LittleEndian(new Span<byte>(address + 4, 4), index);
        if (bind(_handle, (sockaddr*)address, LinkAddressBytes) < 0) throw Failure($"bind {interfaceName}");
        SetOption(SolPacket, PacketIgnoreOutgoing, 1);
        SetOption(SolPacket, PacketQdiscBypass, 1);
        SetOption(SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20);
        SetOption(SOL_SOCKET, SO_SNDBUFFORCE, 32 << 20);
    }

    /// <summary>The interface's own Ethernet address.</summary>
    public byte[] HardwareAddress { get; }

    /// <summary>Opens a socket that receives frames of an EtherType (3: all of them; 0: none, it only sends).</summary>
    public static PacketSocket Open(NetworkNamespace where, string interfaceName, ushort protocol)
    {
        ArgumentNullException.ThrowIfNull(where);
        return where.Run(() => new PacketSocket(interfaceName, protocol));
    }

    /// <summary>Sends a frame. When it returns, the frame normally went its whole way through veth pairs already.</summary>
    public void Send(ReadOnlySpan<byte> frame)
    {
        fixed (byte* bytes = frame)
        {
            while ((long)send(_handle, bytes, frame.Length, 0) < 0)
            {
                // A full queue empties by itself; all else is a mistake of the test, such as a frame longer than the MTU.
                if (errno != EAGAIN && errno != ENOBUFS && errno != EINTR) throw Failure("send");
                Thread.Yield();
            }
        }
    }

    /// <summary>Takes the next frame; its length, or -1 where none is there.</summary>
    public int Receive(Span<byte> buffer)
    {
        fixed (byte* bytes = buffer)
        {
            while (true)
            {
                var length = (int)(long)recv(_handle, bytes, buffer.Length, 0);
                if (length >= 0) return length;
                if (errno == EAGAIN) return -1;
                if (errno != EINTR && errno != ENETDOWN) throw Failure("recv");
            }
        }
    }

    /// <summary>Waits for a frame; false when the time is over first.</summary>
    public bool Wait(TimeSpan timeout)
    {
        var wait = new pollfd { fd = _handle, events = POLLIN };
        return poll(&wait, 1, (int)timeout.TotalMilliseconds) > 0;
    }

    /// <inheritdoc/>
    public void Dispose() => _ = close(_handle);

    private static CommandFailedException Failure(string what)
        => new($"{what}: {System.Runtime.InteropServices.Marshal.GetPInvokeErrorMessage(errno)}");

    private Span<byte> Ask(int request, string interfaceName, Span<byte> buffer)
    {
        buffer.Clear();
        Encoding.ASCII.GetBytes(interfaceName, buffer);
        fixed (byte* bytes = buffer)
        {
            if (ioctl(_handle, request, bytes) < 0) throw Failure($"interface {interfaceName}");
        }
        return buffer[16..];
    }

    private void SetOption(int level, int name, int value)
    {
        if (setsockopt(_handle, level, name, &value, sizeof(int)) < 0) throw Failure($"setsockopt {name}");
    }
}
