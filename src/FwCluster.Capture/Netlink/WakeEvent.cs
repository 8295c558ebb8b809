using Microsoft.Win32.SafeHandles;

namespace FwCluster.Capture.Netlink;

/// <summary>Wakes a thread that waits in poll(2), from any other thread: an eventfd. Any number of wakes before a wait count as one.</summary>
internal sealed unsafe class WakeEvent : IDisposable
{
    private const int NonBlocking = 0x800;

    private readonly SafeFileHandle _handle;

    public WakeEvent()
    {
        var handle = LibC.EventHandle(0, LibC.SockCloseOnExec | NonBlocking);
        if (handle < 0) throw new NetlinkException($"eventfd: {LibC.Describe(LibC.LastError)}", LibC.LastError);
        _handle = new SafeFileHandle(handle, ownsHandle: true);
    }

    /// <summary>For poll, by the thread that disposes of it.</summary>
    public int Handle => (int)_handle.DangerousGetHandle();

    /// <summary>Wakes. Does nothing once disposed: nobody waits any more.</summary>
    public void Set()
    {
        ulong one = 1;
        try
        {
            _ = LibC.Write(_handle, &one, sizeof(ulong));
        }
        catch (ObjectDisposedException)
        {
            // The waiter is gone.
        }
    }

    /// <summary>Takes the wakes so far.</summary>
    public void Reset()
    {
        ulong count;
        _ = LibC.Read(_handle, &count, sizeof(ulong));
    }

    public void Dispose() => _handle.Dispose();
}
