using FwCluster.Conntrack;

namespace FwCluster.Datapath.Shards;

/// <summary>Takes down what a shard leaves to the one that goes on elsewhere.</summary>
public interface IShardEstate
{
    /// <summary>A connection.</summary>
    /// <param name="entry">The connection; where it is held exclusively, as it was last reported.</param>
    /// <param name="sharers">The workers that share it.</param>
    /// <param name="helper">What its helper remembers.</param>
    void Add(in Connection entry, IReadOnlyList<int> sharers, byte[] helper);

    /// <summary>An expectation. Its master has been added before.</summary>
    /// <param name="number">Its number.</param>
    /// <param name="expectation">What is expected.</param>
    /// <param name="master">Its master.</param>
    void Add(ulong number, Expectation expectation, in Connection master);
}
