using System.Runtime.InteropServices;

namespace FwCluster.Packets.Tests.Kernel;

/// <summary>The system calls that the kernel tests need and the framework does not offer.</summary>
internal static partial class NativeMethods
{
    public const int AddressFamilyNetlink = 16;
    public const int AddressFamilyPacket = 17;
    public const int SocketRaw = 3;
    public const int CloneNewNet = 0x40000000;
    public const int SocketLevel = 1;
    public const int ReceiveTimeout = 20;
    public const int ForceReceiveBuffer = 33;
    public const int ForceSendBuffer = 32;

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    public static partial int OpenSocket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    public static partial int Bind(int socket, ReadOnlySpan<byte> address, int length);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    public static partial nint Send(int socket, ReadOnlySpan<byte> data, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    public static partial nint Receive(int socket, Span<byte> buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    public static partial int SetOption(int socket, int level, int option, ReadOnlySpan<byte> value, int length);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    public static partial int SetNamespace(int descriptor, int type);

    [LibraryImport("libc", EntryPoint = "if_nametoindex", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial uint InterfaceIndex(string name);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint EffectiveUser();

    [LibraryImport("libc", EntryPoint = "sched_setaffinity", SetLastError = true)]
    public static partial int SetAffinity(int thread, nint size, ReadOnlySpan<byte> processors);

    [LibraryImport("libc", EntryPoint = "sched_getaffinity", SetLastError = true)]
    public static partial int GetAffinity(int thread, nint size, Span<byte> processors);

    [LibraryImport("libc", EntryPoint = "sched_getcpu")]
    public static partial int CurrentProcessor();
}
