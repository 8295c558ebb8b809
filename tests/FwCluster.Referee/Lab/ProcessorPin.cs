using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace FwCluster.Referee.Lab;

/// <summary>Keeps the calling thread on one processor until disposed.</summary>
public readonly unsafe ref struct ProcessorPin
{
    private readonly cpu_set_t _before;

    private ProcessorPin(cpu_set_t before) => _before = before;

    /// <summary>Moves the thread to a processor, and keeps it there.</summary>
    public static ProcessorPin To(int cpu)
    {
        cpu_set_t before, wanted = default;
        _ = sched_getaffinity(0, sizeof(cpu_set_t), &before);
        CPU_SET(cpu, &wanted);
        _ = sched_setaffinity(0, sizeof(cpu_set_t), &wanted);
        return new ProcessorPin(before);
    }

    public void Dispose()
    {
        var before = _before;
        _ = sched_setaffinity(0, sizeof(cpu_set_t), &before);
    }
}
