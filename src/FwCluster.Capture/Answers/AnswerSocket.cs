using System.Buffers.Binary;
using FwCluster.Capture.Netlink;
using FwCluster.Packets;
using Microsoft.Win32.SafeHandles;

namespace FwCluster.Capture.Answers;

/// <summary>One family's sockets of an <see cref="AnswerPort"/>: one that sends, and one that asks for routes.</summary>
internal sealed unsafe class AnswerSocket : IDisposable
{
    private const int LongestAddress = 28;
    private const int FlowAndPortBytes = 8;
    private const int ScopeAt = 24;

    /// <summary>Any port will do: nothing is sent to it (RFC 863, discard).</summary>
    private const ushort AnyPort = 9;

    private readonly IpFamily _family;
    private readonly SafeFileHandle _raw;
    private readonly SafeFileHandle _route;

    private AnswerSocket(IpFamily family, SafeFileHandle raw, SafeFileHandle route) => (_family, _raw, _route) = (family, raw, route);

    private int AddressBytes => _family == IpFamily.IPv4 ? 16 : LongestAddress;

    /// <summary>struct sockaddr_in has the address behind family and port, struct sockaddr_in6 also behind the flow.</summary>
    private int AddressAt => _family == IpFamily.IPv4 ? 4 : FlowAndPortBytes;

    /// <summary>Opens them; null where the kernel does not have the family.</summary>
    public static AnswerSocket? Open(IpFamily family, uint mark)
    {
        var domain = family == IpFamily.IPv4 ? LibC.AfInet : LibC.AfInet6;
        // With this protocol the kernel takes the IP header as it is given, as with IP_HDRINCL and IPV6_HDRINCL (raw(7)).
        var raw = LibC.Socket(domain, LibC.SockRaw | LibC.SockCloseOnExec, LibC.RawIp);
        if (raw < 0)
        {
            var reason = LibC.LastError;
            if (reason == LibC.FamilyNotSupported) return null;
            throw new NetlinkException(reason == LibC.NotPermitted
                ? "a raw socket for answers to rejected packets: not permitted; the process needs the capability CAP_NET_RAW"
                : $"a raw socket for answers to rejected packets: {LibC.Describe(reason)}", reason);
        }
        var sending = new SafeFileHandle(raw, ownsHandle: true);
        try
        {
            SetMark(raw, mark);
            var asking = LibC.Socket(domain, LibC.SockDatagram | LibC.SockCloseOnExec, 0);
            if (asking < 0) throw new NetlinkException($"a socket for routes: {LibC.Describe(LibC.LastError)}", LibC.LastError);
            var route = new SafeFileHandle(asking, ownsHandle: true);
            try
            {
                SetMark(asking, mark); // rules of routing may go by the mark
            }
            catch
            {
                route.Dispose();
                throw;
            }
            return new AnswerSocket(family, sending, route);
        }
        catch
        {
            sending.Dispose();
            throw;
        }
    }

    /// <summary>Sends a packet as it is.</summary>
    public bool Send(ReadOnlySpan<byte> packet, IpAddress destination, int interfaceIndex)
    {
        var address = stackalloc byte[LongestAddress];
        // A raw socket's port is a protocol, and 0 is any.
        WriteAddress(new Span<byte>(address, LongestAddress), destination, port: 0, interfaceIndex);
        fixed (byte* bytes = packet)
            return LibC.SendTo(Handle(_raw), bytes, (nuint)packet.Length, LibC.DontWait, address, (uint)AddressBytes) == packet.Length;
    }

    /// <summary>The source of the route there.</summary>
    public IpAddress SourceTo(IpAddress destination)
    {
        var address = stackalloc byte[LongestAddress];
        var span = new Span<byte>(address, LongestAddress);
        // A connected socket keeps its address; so it is parted from its last peer before.
        span.Clear();
        if (LibC.Connect(Handle(_route), address, (uint)AddressBytes) != 0) return default;
        WriteAddress(span, destination, AnyPort, 0);
        if (LibC.Connect(Handle(_route), address, (uint)AddressBytes) != 0) return default;
        var length = (uint)LongestAddress;
        if (LibC.OwnName(Handle(_route), address, &length) != 0) return default;
        return _family == IpFamily.IPv4 ? IpAddress.ReadIPv4(span[AddressAt..]) : IpAddress.ReadIPv6(span[AddressAt..]);
    }

    public void Dispose()
    {
        _raw.Dispose();
        _route.Dispose();
    }

    private static int Handle(SafeFileHandle handle) => (int)handle.DangerousGetHandle();

    private static void SetMark(int handle, uint mark)
    {
        var value = (int)mark;
        if (LibC.SetOption(handle, LibC.SolSocket, LibC.MarkOption, &value, sizeof(int)) == 0) return;
        var reason = LibC.LastError;
        throw new NetlinkException(reason == LibC.NotPermitted
            ? "the mark of answers to rejected packets: not permitted; the process needs the capability CAP_NET_ADMIN"
            : $"the mark of answers to rejected packets: {LibC.Describe(reason)}", reason);
    }

    private void WriteAddress(Span<byte> address, IpAddress destination, ushort port, int interfaceIndex)
    {
        address.Clear();
        BitConverter.TryWriteBytes(address, (ushort)(_family == IpFamily.IPv4 ? LibC.AfInet : LibC.AfInet6));
        BinaryPrimitives.WriteUInt16BigEndian(address[2..], port);
        destination.Write(_family, address[AddressAt..]);
        if (_family == IpFamily.IPv6) BitConverter.TryWriteBytes(address[ScopeAt..], interfaceIndex);
    }
}
