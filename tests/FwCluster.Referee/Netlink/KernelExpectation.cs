using FwCluster.Packets;

namespace FwCluster.Referee.Netlink;

/// <summary>An expectation of the kernel, as ctnetlink dumps it.</summary>
public sealed record KernelExpectation
{
    /// <summary>The original tuple of the master connection.</summary>
    public FlowTuple Master { get; init; }

    /// <summary>The tuple that is expected.</summary>
    public FlowTuple Tuple { get; init; }

    /// <summary>Which bits of the tuple count.</summary>
    public FlowTuple Mask { get; init; }

    /// <summary>Seconds until it expires, rounded down.</summary>
    public uint TimeoutSeconds { get; init; }

    /// <summary>The helper that made it.</summary>
    public string? Helper { get; init; }

    /// <summary>The <c>NF_CT_EXPECT_*</c> bits.</summary>
    public uint Flags { get; init; }

    /// <summary>The helper's class of expectations.</summary>
    public uint Class { get; init; }

    public override string ToString() => $"expect {Helper} {KernelTuple.Describe(Tuple)} mask {KernelTuple.Describe(Mask)} master {KernelTuple.Describe(Master)}";
}
