using System.Runtime.InteropServices;

namespace FwCluster.Capture.Netlink;

/// <summary>The calls and constants that sending answers needs.</summary>
internal static unsafe partial class LibC
{
    public const int AfUnspecified = 0;
    public const int AfInet = 2;
    public const int AfInet6 = 10;
    public const int SockDatagram = 2;
    public const int RawIp = 255;
    public const int MarkOption = 36;
    public const int FamilyNotSupported = 97;

    [LibraryImport("libc", EntryPoint = "sendto", SetLastError = true)]
    public static partial nint SendTo(int handle, byte* bytes, nuint length, int flags, byte* address, uint addressLength);

    [LibraryImport("libc", EntryPoint = "connect", SetLastError = true)]
    public static partial int Connect(int handle, byte* address, uint addressLength);

    [LibraryImport("libc", EntryPoint = "getsockname", SetLastError = true)]
    public static partial int OwnName(int handle, byte* address, uint* addressLength);
}
