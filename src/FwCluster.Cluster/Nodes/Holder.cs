namespace FwCluster.Cluster.Nodes;

/// <summary>A worker of some node, as one number: what a shard calls a holder.</summary>
internal static class Holder
{
    /// <summary>The highest number of a worker on its node.</summary>
    public const int MaxWorker = byte.MaxValue;

    /// <summary>The number of a node's worker.</summary>
    public static int Of(int node, int worker) => node << 8 | worker;

    /// <summary>The node's number, see <see cref="Node.Number"/>.</summary>
    public static int Node(int holder) => holder >> 8;

    /// <summary>The worker's number there.</summary>
    public static int Worker(int holder) => holder & MaxWorker;
}
