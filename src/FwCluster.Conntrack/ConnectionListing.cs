using System.Globalization;
using System.Text;
using FwCluster.Packets;

namespace FwCluster.Conntrack;

/// <summary>Connections and expectations as <c>conntrack -L</c> and <c>conntrack -L expect</c> print them, with accounting on.</summary>
public static class ConnectionListing
{
    private const long Second = 1_000_000_000;

    /// <summary>One connection, with the seconds it has left.</summary>
    /// <param name="table">The table.</param>
    /// <param name="index">The connection.</param>
    /// <param name="references">Connections that this one is the master of.</param>
    /// <param name="now">Nanoseconds since the Unix epoch.</param>
    public static string Connection(ConnectionTable table, int index, int references, long now)
    {
        ref var connection = ref table[index];
        var line = new StringBuilder();
        var tuple = connection.Original;
        line.Append(CultureInfo.InvariantCulture, $"{ProtocolName(tuple.Protocol),-8} {tuple.Protocol} {SecondsLeft(connection, now)} ");
        if (ProtocolState(in connection) is { } state) line.Append(state).Append(' ');
        AppendTuple(line, tuple);
        if (connection.ZoneDirections == ZoneDirections.Original) Append(line, "zone-orig", connection.Zone);
        AppendCounters(line, connection.OriginalCounters);
        if ((connection.Status & ConnectionStatus.SeenReply) == 0) line.Append("[UNREPLIED] ");
        AppendTuple(line, connection.Reply);
        if (connection.ZoneDirections == ZoneDirections.Reply) Append(line, "zone-reply", connection.Zone);
        AppendCounters(line, connection.ReplyCounters);
        if ((connection.Status & ConnectionStatus.Assured) != 0) line.Append("[ASSURED] ");
        Append(line, "mark", connection.Mark);
        if (connection.ZoneDirections == ZoneDirections.Both && connection.Zone != 0) Append(line, "zone", connection.Zone);
        if (connection.Helper != 0) line.Append("helper=").Append(table.Helpers[connection.Helper - 1].Name).Append(' ');
        return line.Append(CultureInfo.InvariantCulture, $"use={1 + references}").ToString();
    }

    /// <summary>One expectation, with the seconds it has left.</summary>
    public static string Expectation(ConnectionTable table, Expectation expectation, long now)
    {
        ref var master = ref table[expectation.Master];
        var tuple = expectation.Tuple;
        var line = new StringBuilder();
        line.Append(CultureInfo.InvariantCulture, $"{(expectation.Expires - now) / Second} proto={tuple.Protocol} ");
        AppendTuple(line, tuple);
        var bits = tuple.Family.AddressBits();
        var all = IpAddress.PrefixMask(tuple.Family, bits).ToString(tuple.Family);
        var none = default(IpAddress).ToString(tuple.Family);
        line.Append("mask-src=").Append(expectation.MatchSourceAddress ? all : none).Append(" mask-dst=").Append(all).Append(' ');
        Append(line, "sport", expectation.MatchSourcePort ? ushort.MaxValue : 0u);
        Append(line, "dport", ushort.MaxValue);
        line.Append("master-src=").Append(master.Original.Source.ToString(tuple.Family))
            .Append(" master-dst=").Append(master.Original.Destination.ToString(tuple.Family)).Append(' ');
        Append(line, "sport", master.Original.SourcePort);
        Append(line, "dport", master.Original.DestinationPort);
        if (expectation.Zone != 0) Append(line, "zone", expectation.Zone);
        if (expectation.Permanent) line.Append("PERMANENT ");
        line.Append(CultureInfo.InvariantCulture, $"class={expectation.Class}");
        if (HelperOf(table, expectation) is { } helper) line.Append(" helper=").Append(helper);
        return line.ToString();
    }

    /// <summary>The helper that noted an expectation: its master's.</summary>
    public static string? HelperOf(ConnectionTable table, Expectation expectation)
        => table[expectation.Master].Helper is var helper and not 0 ? table.Helpers[helper - 1].Name : null;

    /// <summary>The name of a protocol in <c>conntrack</c>'s listings.</summary>
    public static string ProtocolName(byte protocol) => protocol switch
    {
        IpProtocol.Tcp => "tcp",
        IpProtocol.Udp => "udp",
        IpProtocol.UdpLite => "udplite",
        IpProtocol.Icmp => "icmp",
        IpProtocol.IcmpV6 => "icmpv6",
        IpProtocol.Sctp => "sctp",
        IpProtocol.Gre => "gre",
        IpProtocol.Dccp => "dccp",
        _ => "unknown",
    };

    /// <summary>The name of the state of a connection whose protocol has states; else null.</summary>
    public static string? ProtocolState(in Connection connection) => connection.Original.Protocol switch
    {
        IpProtocol.Tcp => StateName(connection.Tcp.State),
        IpProtocol.Sctp => connection.SctpState.Name(),
        _ => null,
    };

    /// <summary>The name of a TCP state in <c>conntrack</c>'s listings.</summary>
    public static string StateName(TcpState state) => state switch
    {
        TcpState.SynSent => "SYN_SENT",
        TcpState.SynRecv => "SYN_RECV",
        TcpState.Established => "ESTABLISHED",
        TcpState.FinWait => "FIN_WAIT",
        TcpState.CloseWait => "CLOSE_WAIT",
        TcpState.LastAck => "LAST_ACK",
        TcpState.TimeWait => "TIME_WAIT",
        TcpState.Close => "CLOSE",
        TcpState.SynSent2 => "SYN_SENT2",
        _ => "NONE",
    };

    /// <summary>Whole seconds until a connection ends.</summary>
    public static long SecondsLeft(in Connection connection, long now) => (connection.Expires - now) / Second;

    private static void AppendTuple(StringBuilder line, FlowTuple tuple)
    {
        line.Append("src=").Append(tuple.Source.ToString(tuple.Family)).Append(" dst=").Append(tuple.Destination.ToString(tuple.Family)).Append(' ');
        switch (tuple.Protocol)
        {
            case IpProtocol.Icmp or IpProtocol.IcmpV6:
                Append(line, "type", tuple.IcmpType);
                Append(line, "code", tuple.IcmpCode);
                Append(line, "id", tuple.SourcePort);
                break;
            case IpProtocol.Gre:
                line.Append(CultureInfo.InvariantCulture, $"srckey=0x{tuple.SourcePort:x} dstkey=0x{tuple.DestinationPort:x} ");
                break;
            case IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.UdpLite or IpProtocol.Sctp or IpProtocol.Dccp:
                Append(line, "sport", tuple.SourcePort);
                Append(line, "dport", tuple.DestinationPort);
                break;
            default:
                break;
        }
    }

    private static void AppendCounters(StringBuilder line, FlowCounters counters)
        => line.Append(CultureInfo.InvariantCulture, $"packets={counters.Packets} bytes={counters.Bytes} ");

    private static void Append(StringBuilder line, string name, uint value)
        => line.Append(CultureInfo.InvariantCulture, $"{name}={value} ");
}
