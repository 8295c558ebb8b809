using FwCluster.Packets;

namespace FwCluster.Conntrack;

/// <summary>The tuple a reply would have (<c>nf_ct_invert_tuple</c>).</summary>
public static class TupleInverse
{
    /// <summary>Ends swapped; for ICMP queries, the type that answers. A tuple whose ICMP type nothing answers keeps its type.</summary>
    public static FlowTuple Of(in FlowTuple tuple)
    {
        FlowTuple inverse;
        inverse.Source = tuple.Destination;
        inverse.Destination = tuple.Source;
        inverse.Protocol = tuple.Protocol;
        inverse.Family = tuple.Family;
        if (tuple.Protocol is IpProtocol.Icmp or IpProtocol.IcmpV6)
        {
            inverse.SourcePort = tuple.SourcePort;
            var answer = Icmp.IcmpTypes.Answer(tuple.Protocol, tuple.IcmpType);
            inverse.DestinationPort = (ushort)((answer < 0 ? tuple.IcmpType : answer) << 8 | tuple.IcmpCode);
        }
        else
        {
            inverse.SourcePort = tuple.DestinationPort;
            inverse.DestinationPort = tuple.SourcePort;
        }
        return inverse;
    }
}
