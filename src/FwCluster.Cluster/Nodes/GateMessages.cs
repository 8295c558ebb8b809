namespace FwCluster.Cluster.Nodes;

/// <summary>What gates say to each other that is bytes in a message's form, made and read without an object for each part.</summary>
internal static class GateMessages
{
    /// <summary>A <c>ShardState</c>.</summary>
    public sealed record State(byte[] Bytes);
}
