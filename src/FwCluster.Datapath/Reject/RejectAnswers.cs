using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;

namespace FwCluster.Datapath.Reject;

/// <summary>
/// Writes the answers of one worker to the packets that it rejects, for the port to send, within the kernel's limits. Belongs to the
/// worker's thread; does not allocate once made.
/// </summary>
/// <param name="routes">Which address answers come from.</param>
/// <param name="limit">The limit of ICMP errors; null for the kernel's defaults. Resets have none.</param>
public sealed class RejectAnswers(IAnswerRoutes routes, IcmpRateLimit? limit = null)
{
    private static readonly InterfaceName Loopback = InterfaceName.From("lo");

    private readonly byte[] _answer = new byte[RejectAnswer.MaxBytes];
    private readonly IcmpRateLimit _limit = limit ?? new IcmpRateLimit();
    private int _length;
    private long _written;
    private long _limited;

    /// <summary>The answer to the packet that was rejected last, from its IP header on; empty where it gets none. Stands until the next.</summary>
    public ReadOnlySpan<byte> Answer => _answer.AsSpan(0, _length);

    /// <summary>Answers written. Any thread may ask.</summary>
    public long Written => Volatile.Read(ref _written);

    /// <summary>ICMP errors that were not written because of the limit. Any thread may ask.</summary>
    public long Limited => Volatile.Read(ref _limited);

    /// <summary>Writes the answer to a packet, and closes the connection that it resets (<c>nf_send_reset</c>).</summary>
    /// <param name="type">How to tell the sender.</param>
    /// <param name="packet">The packet at the hook that rejected it.</param>
    /// <param name="checksumIsTrusted">Its checksum need not be verified.</param>
    internal void Write(RejectType type, in PacketContext packet, bool checksumIsTrusted)
    {
        var route = new RejectRoute { ChecksumIsTrusted = checksumIsTrusted, Source = SourceFor(type, in packet) };
        _length = RejectAnswer.Write(type, in packet, in route, _answer);
        if (_length == 0) return;
        if (type == RejectType.TcpReset)
        {
            if (packet.Track.Connection >= 0) packet.Connections.SetClosing(packet.Track.Connection, packet.Now);
        }
        else if (packet.In != Loopback && packet.Out != Loopback
            && !_limit.Allow(packet.Headers.Family, packet.Headers.Source, packet.Now))
        {
            _length = 0;
            Volatile.Write(ref _limited, _limited + 1);
            return;
        }
        Volatile.Write(ref _written, _written + 1);
    }

    /// <summary>Only an error about a packet on its way through needs an address of this host's.</summary>
    private IpAddress SourceFor(RejectType type, in PacketContext packet)
        => type == RejectType.TcpReset || packet.Hook is Hook.Input or Hook.Output
            ? default
            : routes.SourceTo(packet.Headers.Family, packet.Headers.Source);
}
