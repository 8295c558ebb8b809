namespace FwCluster.Cluster.Shards;

/// <summary>A batch that came from another node, dealt to shards: what they reply goes back as one message. Counted by the gate alone.</summary>
/// <param name="node">This process's number of the node.</param>
internal sealed class RemoteBatch(int node)
{
    /// <summary>This process's number of the node.</summary>
    public int Node { get; } = node;

    /// <summary>Shards that have not finished their part.</summary>
    public int Parts { get; set; }
}
