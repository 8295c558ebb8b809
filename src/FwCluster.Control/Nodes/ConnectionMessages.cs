using FwCluster.Api.V1;
using FwCluster.Conntrack;
using FwCluster.Conntrack.Helpers;
using FwCluster.Packets;
using Google.Protobuf.WellKnownTypes;
using Connection = FwCluster.Api.V1.Connection;
using Entry = FwCluster.Conntrack.Connection;

namespace FwCluster.Control.Nodes;

/// <summary>Makes the API's messages of entries.</summary>
/// <param name="node">The node that has them.</param>
/// <param name="shard">The shard that has them; null where a worker holds them.</param>
/// <param name="helpers">The helpers of their table.</param>
internal sealed class ConnectionMessages(string node, uint? shard, IReadOnlyList<ConnectionHelper> helpers)
{
    private const long Second = 1_000_000_000;

    /// <summary>A connection.</summary>
    /// <param name="entry">A copy of the entry.</param>
    /// <param name="now">When it was copied, nanoseconds since the Unix epoch.</param>
    public Connection Connection(in Entry entry, long now)
    {
        var message = new Connection
        {
            Id = IdOf(in entry),
            Family = FamilyOf(entry.Original.Family),
            Protocol = ConnectionListing.ProtocolName(entry.Original.Protocol),
            ProtocolNumber = entry.Original.Protocol,
            Timeout = ConnectionListing.SecondsLeft(in entry, now),
            State = ConnectionListing.ProtocolState(in entry) ?? "",
            Original = Flow(entry.Original, entry.OriginalCounters),
            Reply = Flow(entry.Reply, entry.ReplyCounters),
            SeenReply = (entry.Status & Conntrack.ConnectionStatus.SeenReply) != 0,
            Assured = (entry.Status & Conntrack.ConnectionStatus.Assured) != 0,
            Expected = (entry.Status & Conntrack.ConnectionStatus.Expected) != 0,
            Mark = entry.Mark,
            Zone = entry.Zone,
            ZoneDirection = entry.ZoneDirections switch
            {
                ZoneDirections.Original => "original",
                ZoneDirections.Reply => "reply",
                _ => "",
            },
            Started = Time(entry.Started),
            Node = node,
        };
        if (shard is { } number) message.Shard = number;
        if (entry.Helper != 0) message.Helper = helpers[entry.Helper - 1].Name;
        return message;
    }

    /// <summary>An expectation.</summary>
    /// <param name="expectation">The expectation.</param>
    /// <param name="master">A copy of its master's entry.</param>
    /// <param name="now">Nanoseconds since the Unix epoch.</param>
    public ConntrackExpectation Expectation(Expectation expectation, in Entry master, long now)
    {
        var tuple = Flow(expectation.Tuple, null);
        if (!expectation.MatchSourceAddress) tuple.Source = "";
        if (!expectation.MatchSourcePort) tuple.ClearSourcePort();
        var message = new ConntrackExpectation
        {
            Family = FamilyOf(expectation.Tuple.Family),
            Protocol = ConnectionListing.ProtocolName(expectation.Tuple.Protocol),
            ProtocolNumber = expectation.Tuple.Protocol,
            Timeout = (expectation.Expires - now) / Second,
            Tuple = tuple,
            Master = Flow(master.Original, null),
            Zone = expectation.Zone,
            Permanent = expectation.Permanent,
            Class = expectation.Class,
            Helper = master.Helper == 0 ? "" : helpers[master.Helper - 1].Name,
            Node = node,
        };
        if (shard is { } number) message.Shard = number;
        return message;
    }

    /// <summary>A family.</summary>
    public static Family FamilyOf(IpFamily family) => family == IpFamily.IPv6 ? Family.Ipv6 : Family.Ipv4;

    /// <summary>A fingerprint (FNV-1a) of what a connection has from its beginning to its end, wherever its entry is.</summary>
    private static ulong IdOf(in Entry entry)
    {
        const ulong basis = 14695981039346656037, prime = 1099511628211;
        ref readonly var tuple = ref entry.Original;
        var ports = (ulong)tuple.SourcePort << 48 | (ulong)tuple.DestinationPort << 32 | (ulong)tuple.Protocol << 24 | (ulong)tuple.Family << 16 | entry.Zone;
        var hash = basis;
        foreach (var word in (ReadOnlySpan<ulong>)[tuple.Source.High, tuple.Source.Low, tuple.Destination.High, tuple.Destination.Low, ports, (ulong)entry.Started])
        {
            for (var shift = 0; shift < 64; shift += 8) hash = (hash ^ (byte)(word >> shift)) * prime;
        }
        return hash;
    }

    private static Timestamp Time(long nanoseconds) => new() { Seconds = nanoseconds / Second, Nanos = (int)(nanoseconds % Second) };

    private static Flow Flow(in FlowTuple tuple, FlowCounters? counters)
    {
        var flow = new Flow { Source = tuple.Source.ToString(tuple.Family), Destination = tuple.Destination.ToString(tuple.Family) };
        if (tuple.Protocol is IpProtocol.Icmp or IpProtocol.IcmpV6)
            (flow.IcmpType, flow.IcmpCode, flow.IcmpId) = (tuple.IcmpType, tuple.IcmpCode, tuple.SourcePort);
        else if (tuple.Protocol == IpProtocol.Gre)
            (flow.SourceKey, flow.DestinationKey) = (tuple.SourcePort, tuple.DestinationPort);
        else if (ConnectionMatcher.HasPorts(tuple.Protocol))
            (flow.SourcePort, flow.DestinationPort) = (tuple.SourcePort, tuple.DestinationPort);
        if (counters is { } counted) (flow.Packets, flow.Bytes) = (counted.Packets, counted.Bytes);
        return flow;
    }
}
