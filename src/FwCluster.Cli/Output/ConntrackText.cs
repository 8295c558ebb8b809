using System.Globalization;
using System.Text;
using FwCluster.Api.V1;

namespace FwCluster.Cli.Output;

/// <summary>Connections and expectations of the API as <c>conntrack -L</c>, <c>-E</c> and <c>-L expect</c> print them, with accounting on.</summary>
internal static class ConntrackText
{
    /// <summary>A connection, as <c>conntrack -L</c>.</summary>
    public static string Of(Connection connection)
    {
        var line = new StringBuilder();
        line.Append(CultureInfo.InvariantCulture, $"{connection.Protocol,-8} {connection.ProtocolNumber} {connection.Timeout} ");
        if (connection.State.Length > 0) line.Append(connection.State).Append(' ');
        AppendFlow(line, connection.Original);
        if (connection.ZoneDirection == "original") Append(line, "zone-orig", connection.Zone);
        AppendCounters(line, connection.Original);
        if (!connection.SeenReply) line.Append("[UNREPLIED] ");
        AppendFlow(line, connection.Reply);
        if (connection.ZoneDirection == "reply") Append(line, "zone-reply", connection.Zone);
        AppendCounters(line, connection.Reply);
        if (connection.Assured) line.Append("[ASSURED] ");
        Append(line, "mark", connection.Mark);
        if (connection is { ZoneDirection: "", Zone: not 0 }) Append(line, "zone", connection.Zone);
        if (connection.Helper.Length > 0) line.Append("helper=").Append(connection.Helper).Append(' ');
        return line.Append("use=1").ToString();
    }

    /// <summary>An event, as <c>conntrack -E</c>; null for what it would not print.</summary>
    public static string? Of(ConntrackEvent told) => told.Kind switch
    {
        ConntrackEvent.Types.Kind.New => $"    [NEW] {Of(told.Connection)}",
        ConntrackEvent.Types.Kind.Update => $" [UPDATE] {Of(told.Connection)}",
        ConntrackEvent.Types.Kind.Destroy => $"[DESTROY] {Of(told.Connection)}",
        ConntrackEvent.Types.Kind.Expectation => $"    [NEW] {Of(told.Expectation)}",
        _ => null,
    };

    /// <summary>An expectation, as <c>conntrack -L expect</c>.</summary>
    public static string Of(ConntrackExpectation expectation)
    {
        var isIPv6 = expectation.Family == Family.Ipv6;
        var (all, none) = isIPv6 ? ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::") : ("255.255.255.255", "0.0.0.0");
        var (tuple, master) = (expectation.Tuple, expectation.Master);
        var line = new StringBuilder();
        line.Append(CultureInfo.InvariantCulture, $"{expectation.Timeout} proto={expectation.ProtocolNumber} ");
        line.Append(CultureInfo.InvariantCulture, $"src={(tuple.Source.Length > 0 ? tuple.Source : none)} dst={tuple.Destination} sport={tuple.SourcePort} dport={tuple.DestinationPort} ");
        line.Append(CultureInfo.InvariantCulture, $"mask-src={(tuple.Source.Length > 0 ? all : none)} mask-dst={all} ");
        line.Append(CultureInfo.InvariantCulture, $"sport={(tuple.HasSourcePort ? ushort.MaxValue : 0)} dport={ushort.MaxValue} ");
        line.Append(CultureInfo.InvariantCulture, $"master-src={master.Source} master-dst={master.Destination} sport={master.SourcePort} dport={master.DestinationPort} ");
        if (expectation.Zone != 0) Append(line, "zone", expectation.Zone);
        if (expectation.Permanent) line.Append("PERMANENT ");
        line.Append(CultureInfo.InvariantCulture, $"class={expectation.Class}");
        if (expectation.Helper.Length > 0) line.Append(" helper=").Append(expectation.Helper);
        return line.ToString();
    }

    private static void AppendFlow(StringBuilder line, Flow flow)
    {
        line.Append(CultureInfo.InvariantCulture, $"src={flow.Source} dst={flow.Destination} ");
        if (flow.HasIcmpType) line.Append(CultureInfo.InvariantCulture, $"type={flow.IcmpType} code={flow.IcmpCode} id={flow.IcmpId} ");
        if (flow.HasSourceKey) line.Append(CultureInfo.InvariantCulture, $"srckey=0x{flow.SourceKey:x} dstkey=0x{flow.DestinationKey:x} ");
        if (flow.HasSourcePort) line.Append(CultureInfo.InvariantCulture, $"sport={flow.SourcePort} dport={flow.DestinationPort} ");
    }

    private static void AppendCounters(StringBuilder line, Flow flow) => line.Append(CultureInfo.InvariantCulture, $"packets={flow.Packets} bytes={flow.Bytes} ");

    private static void Append(StringBuilder line, string name, uint value) => line.Append(CultureInfo.InvariantCulture, $"{name}={value} ");
}
