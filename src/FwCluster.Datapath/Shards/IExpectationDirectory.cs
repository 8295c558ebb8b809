using FwCluster.Packets;

namespace FwCluster.Datapath.Shards;

/// <summary>What all shards' connections expect, as one node knows it. Several workers ask at once.</summary>
public interface IExpectationDirectory
{
    /// <summary>The expectation that a first packet meets (<c>nf_ct_find_expectation</c>). It has to be claimed: another packet may be first.</summary>
    /// <param name="tuple">The packet's tuple.</param>
    /// <param name="zone">Its zone in the original direction.</param>
    /// <param name="now">Nanoseconds since the Unix epoch.</param>
    /// <returns>Which; not set where there is none.</returns>
    ExpectationId Find(in FlowTuple tuple, ushort zone, long now);
}
