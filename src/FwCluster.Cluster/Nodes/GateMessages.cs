namespace FwCluster.Cluster.Nodes;

/// <summary>What gates say to each other on the way of packets: bytes in a <c>shard.proto</c> message's form, made and read without an object for each
/// part.</summary>
internal static class GateMessages
{
    /// <summary>A <c>ShardRequests</c>.</summary>
    public sealed record Requests(byte[] Bytes);

    /// <summary>A <c>ShardState</c>.</summary>
    public sealed record State(byte[] Bytes);

    /// <summary>A <c>ShardReplies</c>.</summary>
    public sealed record Replies(byte[] Bytes);
}
