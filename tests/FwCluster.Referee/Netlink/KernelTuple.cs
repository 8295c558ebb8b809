using FwCluster.Packets;

namespace FwCluster.Referee.Netlink;

/// <summary>One tuple of a kernel table as people read it.</summary>
internal static class KernelTuple
{
    public static string Describe(in FlowTuple tuple)
        => tuple.Protocol is IpProtocol.Icmp or IpProtocol.IcmpV6
            ? $"src={tuple.Source.ToString(tuple.Family)} dst={tuple.Destination.ToString(tuple.Family)} "
                + $"type={tuple.IcmpType} code={tuple.IcmpCode} id={tuple.SourcePort}"
            : $"src={tuple.Source.ToString(tuple.Family)} dst={tuple.Destination.ToString(tuple.Family)} "
                + $"sport={tuple.SourcePort} dport={tuple.DestinationPort}";
}
