using FwCluster.Conntrack;

namespace FwCluster.Datapath.Shards;

/// <summary>Somebody's word that a connection waits for, and the questions about it that wait behind.</summary>
internal sealed class ShardWait
{
    /// <summary>Whose word.</summary>
    public required ShardWaitKind Kind { get; init; }

    /// <summary>What that word must name: recall, question or ticket.</summary>
    public required long Number { get; init; }

    /// <summary>The worker: who is to return or confirm, or whose reply waits.</summary>
    public required int Holder { get; init; }

    /// <summary>When the shard goes on without, nanoseconds since the Unix epoch.</summary>
    public required long Deadline { get; init; }

    /// <summary>The question that waits for a confirmation or claim.</summary>
    public HeldRequest? Asked { get; init; }

    /// <summary>Return and confirmation: the place in the table.</summary>
    public TrackResult Track;

    /// <summary>Return and confirmation: which of the connections that lived in that place.</summary>
    public uint Generation;

    /// <summary>Announcement: the reply that it holds back.</summary>
    public ShardReply Reply;

    /// <summary>Questions about the connection, in their order.</summary>
    public Queue<HeldRequest> Behind { get; } = new();
}

/// <summary>What a <see cref="ShardWait"/> waits for.</summary>
internal enum ShardWaitKind : byte
{
    Return,
    Confirmation,
    Acknowledgement,
    Claim,
}

/// <summary>A question that was kept.</summary>
/// <param name="Holder">Who asked.</param>
/// <param name="Request">The question.</param>
/// <param name="Packet">The packet.</param>
internal sealed record HeldRequest(int Holder, ShardRequest Request, byte[] Packet);
