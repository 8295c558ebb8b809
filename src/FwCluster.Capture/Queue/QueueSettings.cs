namespace FwCluster.Capture.Queue;

/// <summary>How a queue is opened.</summary>
public sealed record QueueSettings
{
    /// <summary>The queue's number, 0 to 65535: the one that a NFQUEUE rule names.</summary>
    public required int Number { get; init; }

    /// <summary>
    /// Packets that may wait for their verdict in the kernel, at least 1; those held by a worker count. When it is reached, the kernel
    /// drops what comes (or lets it pass, with <see cref="FailOpen"/>).
    /// </summary>
    public int MaxLength { get; init; } = 8192;

    /// <summary>True lets packets pass that find the queue full, or for which there is no memory (NFQA_CFG_F_FAIL_OPEN). What happens while
    /// nobody listens is the rule's business: <c>--queue-bypass</c>.</summary>
    public bool FailOpen { get; init; }

    /// <summary>Bytes of packets that may wait to be received. A packet counts with the memory it takes, 1 KiB and more for the smallest.</summary>
    public int ReceiveBufferBytes { get; init; } = 32 << 20;

    /// <summary>Packets received at a time, 1 to 256. Each has a buffer of 68 KiB.</summary>
    public int BatchSize { get; init; } = 64;

    internal void Check()
    {
        Check(Number is >= 0 and <= ushort.MaxValue, nameof(Number), Number, "0 to 65535");
        Check(MaxLength >= 1, nameof(MaxLength), MaxLength, "at least 1");
        Check(ReceiveBufferBytes >= 1 << 17, nameof(ReceiveBufferBytes), ReceiveBufferBytes, "at least 131072: room for one packet of 64 KiB");
        Check(BatchSize is >= 1 and <= 256, nameof(BatchSize), BatchSize, "1 to 256");
    }

    private static void Check(bool right, string name, int value, string range)
    {
        if (!right) throw new ArgumentOutOfRangeException(name, value, $"queue setting {name} is {value}; it must be {range}");
    }
}
