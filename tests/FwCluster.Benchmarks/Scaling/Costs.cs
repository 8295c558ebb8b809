namespace FwCluster.Benchmarks.Scaling;

/// <summary>What nodes have said to each other, and what it took.</summary>
public sealed class Costs
{
    /// <summary>Messages between nodes: batches.</summary>
    public long Messages { get; set; }

    /// <summary>Requests and replies between nodes, of which many go in one message.</summary>
    public long Items { get; set; }

    /// <summary>Bytes of those messages, as protobuf; without what the transport adds to a message.</summary>
    public long Bytes { get; set; }

    /// <summary>Messages about expectations: announced, withdrawn, acknowledged, claimed.</summary>
    public long ExpectationMessages { get; set; }

    /// <summary>Bytes of those.</summary>
    public long ExpectationBytes { get; set; }

    /// <summary>Time in shards, workers and the codec of both, in <see cref="System.Diagnostics.Stopwatch"/> ticks.</summary>
    public long Shards { get; set; }

    /// <inheritdoc cref="Shards"/>
    public long Workers { get; set; }

    /// <inheritdoc cref="Shards"/>
    public long Codec { get; set; }
}
