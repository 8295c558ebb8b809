using FwCluster.Conntrack;
using FwCluster.Packets;

namespace FwCluster.Datapath.Shards;

/// <summary>A connection's tuple, the same for both directions. Zones do not count: connections that differ in nothing else wait for each other at
/// most.</summary>
/// <param name="Tuple">The lesser of the two directions' tuples.</param>
public readonly record struct FlowKey(FlowTuple Tuple)
{
    /// <summary>The key of a tuple.</summary>
    public static FlowKey Of(in FlowTuple tuple)
    {
        var inverse = TupleInverse.Of(tuple);
        return new FlowKey(IsLess(tuple, inverse) ? tuple : inverse);
    }

    /// <inheritdoc/>
    public override int GetHashCode() => Tuple.GetHashCode();

    private static bool IsLess(in FlowTuple left, in FlowTuple right)
    {
        if (left.Source != right.Source) return left.Source < right.Source;
        if (left.Destination != right.Destination) return left.Destination < right.Destination;
        return left.SourcePort != right.SourcePort ? left.SourcePort < right.SourcePort : left.DestinationPort < right.DestinationPort;
    }
}
