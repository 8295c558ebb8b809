using FwCluster.Packets;

namespace FwCluster.Conntrack.Udp;

/// <summary>Tracks UDP and UDP-Lite (<c>nf_conntrack_udp_packet</c>): answered, and going on for more than two seconds, it is a stream.</summary>
internal sealed class UdpTracker(ConntrackSettings settings)
{
    private readonly long _unreplied = Duration.Nanoseconds(settings.UdpTimeout);
    private readonly long _stream = Duration.Nanoseconds(settings.UdpStreamTimeout);

    /// <summary>How long a connection lives after a packet.</summary>
    public long TimeoutOf(in Connection connection) => (connection.Status & ConnectionStatus.Assured) != 0 ? _stream : _unreplied;

    public TrackerVerdict Track(ref Connection connection, in PacketHeaders headers, Direction direction, long now,
        out TrackFailure failure)
    {
        failure = TrackFailure.None;
        if (headers.Transport != TransportHeader.Whole)
        {
            failure = TrackFailure.Malformed;
            return TrackerVerdict.Invalid;
        }
        if (!connection.IsConfirmed) connection.StreamAfter = now + Duration.Seconds(2);

        // UDP-Lite has no such grace: answered is a stream (nf_conntrack_udplite_packet).
        var isStream = (connection.Status & ConnectionStatus.SeenReply) != 0
            && (headers.Protocol == IpProtocol.UdpLite || now > connection.StreamAfter);
        connection.Refresh(isStream ? _stream : _unreplied, now, direction, headers.TotalLength);
        if (isStream) connection.Status |= ConnectionStatus.Assured;
        return TrackerVerdict.Accept;
    }
}
