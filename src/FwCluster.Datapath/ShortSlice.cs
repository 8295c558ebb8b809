using System.Runtime.InteropServices;

namespace FwCluster.Datapath;

/// <summary>
/// For threads that packets wait for: a short time slice. Such a thread works a little and waits again, so that it need not have the processor for long, but
/// soon: with a shorter slice than others it comes before them when it is woken (<c>EEVDF</c>, <c>sched(7)</c>), instead of after what the compiler or the
/// collector of the runtime still has of its own. It takes no privilege, and gives the thread no more of the processor than before.
/// </summary>
public static partial class ShortSlice
{
    private const ulong Nanoseconds = 100_000; // the least there is

    /// <summary>Gives the thread that calls it a short slice. Does nothing on kernels before 6.12, which know of none.</summary>
    public static unsafe void Take()
    {
        if (!OperatingSystem.IsLinux() || Calls is not var (get, set)) return;
        Attributes attributes;
        attributes.Size = (uint)sizeof(Attributes);
        // Policy and nice value stay as they are.
        if (SystemCall(get, 0, &attributes, (nuint)sizeof(Attributes), 0) != 0 || attributes.Policy != 0) return;
        attributes.Runtime = Nanoseconds;
        attributes.Flags = 0;
        _ = SystemCall(set, 0, &attributes, 0, 0);
    }

    /// <summary>Numbers of sched_getattr and sched_setattr.</summary>
    private static (nint Get, nint Set)? Calls => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => (315, 314),
        Architecture.Arm64 => (275, 274),
        _ => null,
    };

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static unsafe partial nint SystemCall(nint number, nint thread, Attributes* attributes, nuint third, nuint fourth);

    /// <summary>struct sched_attr, as it began.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Attributes
    {
        public uint Size;
        public uint Policy;
        public ulong Flags;
        public int Nice;
        public uint Priority;
        public ulong Runtime;
        public ulong Deadline;
        public ulong Period;
    }
}
