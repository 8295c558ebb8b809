using FwCluster.Packets;

namespace FwCluster.Conntrack.Generic;

/// <summary>Tracks protocols by their addresses alone (<c>generic_packet</c>), and GRE, which once answered lives longer
/// (<c>nf_conntrack_gre_packet</c>).</summary>
internal sealed class GenericTracker(ConntrackSettings settings)
{
    private readonly long _generic = Duration.Nanoseconds(settings.GenericTimeout);
    private readonly long _gre = Duration.Nanoseconds(settings.GreTimeout);
    private readonly long _greStream = Duration.Nanoseconds(settings.GreStreamTimeout);

    /// <summary>How long a connection lives after a packet.</summary>
    public long TimeoutOf(in Connection connection) => connection.Original.Protocol != IpProtocol.Gre ? _generic
        : (connection.Status & ConnectionStatus.Assured) != 0 ? _greStream : _gre;

    public TrackerVerdict Track(ref Connection connection, in PacketHeaders headers, Direction direction, long now)
    {
        var timeout = _generic;
        if (headers.Protocol == IpProtocol.Gre)
        {
            var replied = (connection.Status & ConnectionStatus.SeenReply) != 0;
            timeout = replied ? _greStream : _gre;
            if (replied) connection.Status |= ConnectionStatus.Assured;
        }
        connection.Refresh(timeout, now, direction, headers.TotalLength);
        return TrackerVerdict.Accept;
    }
}
