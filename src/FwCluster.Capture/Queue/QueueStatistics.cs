namespace FwCluster.Capture.Queue;

/// <summary>What a queue's port has seen and done. Written by the port's thread; any thread may read the counts.</summary>
public sealed class QueueStatistics
{
    /// <summary>Packets received.</summary>
    public ulong Packets { get; internal set; }

    /// <summary>Bytes of these packets, from the IP header on.</summary>
    public ulong Bytes { get; internal set; }

    /// <summary>Receives that brought packets.</summary>
    public ulong Batches { get; internal set; }

    /// <summary>Packets accepted.</summary>
    public ulong Accepted { get; internal set; }

    /// <summary>Packets dropped by verdict.</summary>
    public ulong Dropped { get; internal set; }

    /// <summary>Packets that the kernel could not hand over because the receive buffer was full: dropped by it, or let pass where the queue
    /// fails open. (Counted by the gaps between packet ids; the kernel's queue_user_dropped.)</summary>
    public ulong Overruns { get; internal set; }

    /// <summary>Verdicts that the kernel refused, as it does when the packet is gone: its interface went down.</summary>
    public ulong RefusedVerdicts { get; internal set; }

    /// <summary>Messages that were no packets.</summary>
    public ulong Malformed { get; internal set; }
}
