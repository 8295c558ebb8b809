using FwCluster.Packets;

namespace FwCluster.Conntrack.Icmp;

/// <summary>Tracks queries of ICMP and ICMPv6 (<c>nf_conntrack_icmp_packet</c>, <c>nf_conntrack_icmpv6_packet</c>). Errors never come here:
/// they belong to the connection that they quote.</summary>
internal sealed class IcmpTracker(ConntrackSettings settings)
{
    private readonly long _icmp = Duration.Nanoseconds(settings.IcmpTimeout);
    private readonly long _icmpV6 = Duration.Nanoseconds(settings.IcmpV6Timeout);

    /// <summary>How long a connection lives after a packet.</summary>
    public long TimeoutOf(in Connection connection) => connection.Original.Protocol == IpProtocol.Icmp ? _icmp : _icmpV6;

    public TrackerVerdict Track(ref Connection connection, in PacketHeaders headers, Direction direction, long now,
        out TrackFailure failure)
    {
        failure = TrackFailure.None;
        var belongsToFamily = headers.Protocol == (headers.Family == IpFamily.IPv4 ? IpProtocol.Icmp : IpProtocol.IcmpV6);
        if (!belongsToFamily || !IcmpTypes.IsQuery(headers.Protocol, connection.Original.IcmpType))
        {
            failure = TrackFailure.IcmpType;
            return TrackerVerdict.Invalid;
        }
        connection.Refresh(headers.Protocol == IpProtocol.Icmp ? _icmp : _icmpV6, now, direction, headers.TotalLength);
        return TrackerVerdict.Accept;
    }
}
