using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace FwCluster.Capture.Netlink;

/// <summary>A netlink socket of the network namespace of the thread that opens it. One thread uses it.</summary>
internal sealed unsafe class NetlinkSocket : IDisposable
{
    public const int Route = 0;
    public const int Netfilter = 12;

    private const int AddMembership = 1;

    private readonly SafeFileHandle _handle;

    public NetlinkSocket(int protocol)
    {
        var handle = LibC.Socket(LibC.AfNetlink, LibC.SockRaw | LibC.SockCloseOnExec, protocol);
        if (handle < 0)
        {
            var reason = LibC.LastError;
            throw new NetlinkException(reason == LibC.NoProtocol
                ? $"the kernel has no netlink protocol {protocol}{(protocol == Netfilter ? " (nfnetlink)" : "")}"
                : $"netlink socket: {LibC.Describe(reason)}", reason);
        }
        _handle = new SafeFileHandle(handle, ownsHandle: true);
        // A socket without a port of its own does not hear what is announced (do_one_broadcast in net/netlink/af_netlink.c).
        var address = new LibC.NetlinkAddress { Family = LibC.AfNetlink };
        if (LibC.Bind(handle, &address, (uint)sizeof(LibC.NetlinkAddress)) == 0) return;
        var refused = LibC.LastError;
        _handle.Dispose();
        throw new NetlinkException($"netlink socket: {LibC.Describe(refused)}", refused);
    }

    /// <summary>For calls by the thread that disposes of it.</summary>
    public int Handle => (int)_handle.DangerousGetHandle();

    /// <summary>Sets an option of netlink (SOL_NETLINK); false where this kernel lacks it.</summary>
    public bool TrySet(int option, int value) => LibC.SetOption(Handle, LibC.SolNetlink, option, &value, sizeof(int)) == 0;

    /// <summary>Subscribes to notifications.</summary>
    public void Join(int group, string name)
    {
        if (!TrySet(AddMembership, group))
            throw new NetlinkException($"cannot listen to {name}: {LibC.Describe(LibC.LastError)}", LibC.LastError);
    }

    /// <summary>Sizes a buffer beyond the host's limit where the process may (CAP_NET_ADMIN), else up to it.</summary>
    public void SizeReceiveBuffer(int bytes) => Size(LibC.ReceiveBufferForce, LibC.ReceiveBuffer, bytes);

    /// <inheritdoc cref="SizeReceiveBuffer"/>
    public void SizeSendBuffer(int bytes) => Size(LibC.SendBufferForce, LibC.SendBuffer, bytes);

    /// <summary>Sends to the kernel, which acts on it before this returns.</summary>
    public void Send(ReadOnlySpan<byte> messages)
    {
        fixed (byte* bytes = messages)
        {
            while (LibC.Send(Handle, bytes, (nuint)messages.Length, 0) < 0)
            {
                var reason = LibC.LastError;
                if (reason != LibC.Interrupted) throw new NetlinkException($"netlink send: {LibC.Describe(reason)}", reason);
            }
        }
    }

    /// <summary>Receives what is there, waiting for it unless told not to.</summary>
    /// <returns>Bytes received; or the error number, negative.</returns>
    public int Receive(Span<byte> buffer, bool wait)
    {
        fixed (byte* bytes = buffer)
        {
            while (true)
            {
                var received = LibC.Receive(Handle, bytes, (nuint)buffer.Length, wait ? 0 : LibC.DontWait);
                if (received >= 0) return (int)received;
                if (LibC.LastError != LibC.Interrupted) return -LibC.LastError;
            }
        }
    }

    /// <summary>Sends a message that asks for an acknowledgement, and waits for it.</summary>
    /// <returns>0, or the error number.</returns>
    public int Ask(ReadOnlySpan<byte> message)
    {
        var sequence = MemoryMarshal.Read<uint>(message[8..]);
        Send(message);
        Span<byte> buffer = stackalloc byte[4096];
        while (true)
        {
            var received = Receive(buffer, wait: true);
            if (received < 0) return -received;
            if (received < NetlinkMessage.HeaderBytes + 4) continue;
            if (MemoryMarshal.Read<ushort>(buffer[4..]) == NetlinkMessage.Error && MemoryMarshal.Read<uint>(buffer[8..]) == sequence)
                return -MemoryMarshal.Read<int>(buffer[NetlinkMessage.HeaderBytes..]);
        }
    }

    /// <summary>Waits for something to receive, or for the event.</summary>
    /// <param name="wake">What ends the wait from outside. It is left set.</param>
    /// <param name="milliseconds">The longest wait; negative for no limit.</param>
    /// <param name="woken">True where the event is set.</param>
    /// <returns>True where there is something to receive.</returns>
    public bool Wait(WakeEvent wake, int milliseconds, out bool woken)
    {
        var handles = stackalloc LibC.PollHandle[2];
        handles[0] = new LibC.PollHandle { Handle = Handle, Events = LibC.PollIn };
        handles[1] = new LibC.PollHandle { Handle = wake.Handle, Events = LibC.PollIn };
        var until = Environment.TickCount64 + milliseconds;
        int ready;
        // The runtime's own signals end a poll.
        while ((ready = LibC.Poll(handles, 2, milliseconds)) < 0 && LibC.LastError == LibC.Interrupted)
        {
            if (milliseconds > 0) milliseconds = (int)Math.Max(until - Environment.TickCount64, 0);
        }
        woken = ready > 0 && handles[1].Returned != 0;
        return ready > 0 && handles[0].Returned != 0;
    }

    public void Dispose() => _handle.Dispose();

    private void Size(int force, int polite, int bytes)
    {
        if (LibC.SetOption(Handle, LibC.SolSocket, force, &bytes, sizeof(int)) != 0)
            _ = LibC.SetOption(Handle, LibC.SolSocket, polite, &bytes, sizeof(int));
    }
}
