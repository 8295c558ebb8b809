namespace FwCluster.Conntrack.Tests.EarlyDrop;

/// <summary>When a connection makes room in a full table.</summary>
internal enum Goes
{
    /// <summary>For any new connection that happens on it: it is not ASSURED (<c>early_drop_list</c>).</summary>
    First,

    /// <summary>When a new connection had to be refused: it is ASSURED, and closing (<c>gc_worker_can_early_drop</c>).</summary>
    UnderPressure,

    /// <summary>Not before its time.</summary>
    Never,
}
