namespace FwCluster.Node.Live;

/// <summary>What a port is, and what it could not take.</summary>
/// <param name="Name">Its name on the node.</param>
/// <param name="Kind">queue or mirror.</param>
/// <param name="Lost">Packets lost because they came faster than they were read.</param>
/// <param name="Waiting">Packets that wait in the kernel; null where that is not known.</param>
internal readonly record struct PortCounts(string Name, string Kind, ulong Lost, ulong? Waiting);
