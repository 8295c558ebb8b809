using FwCluster.Packets;

namespace FwCluster.Differential.Engines;

/// <summary>Tuples and states as people read them.</summary>
internal static class TupleText
{
    private static readonly string[] TcpStates =
        ["NONE", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE", "SYN_SENT2"];

    public static string TcpState(int state) => (uint)state < (uint)TcpStates.Length ? TcpStates[state] : "state " + state;

    public static string Protocol(byte protocol) => protocol switch
    {
        IpProtocol.Tcp => "tcp",
        IpProtocol.Udp => "udp",
        IpProtocol.Icmp => "icmp",
        IpProtocol.IcmpV6 => "icmpv6",
        IpProtocol.Gre => "gre",
        IpProtocol.Sctp => "sctp",
        IpProtocol.UdpLite => "udplite",
        _ => "protocol " + protocol,
    };

    public static string Of(in FlowTuple tuple)
    {
        string from = tuple.Source.ToString(tuple.Family), to = tuple.Destination.ToString(tuple.Family);
        return tuple.Protocol is IpProtocol.Icmp or IpProtocol.IcmpV6
            ? $"{Protocol(tuple.Protocol)} {from} > {to} type {tuple.IcmpType} code {tuple.IcmpCode} id {tuple.SourcePort}"
            : $"{Protocol(tuple.Protocol)} {from}.{tuple.SourcePort} > {to}.{tuple.DestinationPort}";
    }
}
