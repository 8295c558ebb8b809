using System.Diagnostics;
using FwCluster.Conntrack;
using FwCluster.Conntrack.Helpers;
using FwCluster.Conntrack.Helpers.Ftp;
using FwCluster.Conntrack.Helpers.Tftp;
using FwCluster.Packets;
using FwCluster.Packets.Fragments;
using FwCluster.Referee;

namespace FwCluster.Differential.Engines;

/// <summary>The product's connection tracking, with every packet accepted and helpers on the ports that the referee gives them.</summary>
public sealed class ConntrackEngine : ITrackingEngine
{
    private static readonly long Start = (DateTime.UtcNow - DateTime.UnixEpoch).Ticks * 100;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private ConnectionTable _table = null!;
    private Reassembler _reassembler = null!;

    /// <summary>The helpers that the referee's rules name.</summary>
    internal static IReadOnlyList<ConnectionHelper> Helpers { get; } =
        [new FtpHelper { Ports = [FtpHelper.DefaultPort] }, new TftpHelper { Ports = [TftpHelper.DefaultPort] }];

    public ConntrackEngine() => Restart(new TrackingOptions());

    public string Name => "engine";

    private long Now => Start + _clock.Elapsed.Ticks * 100;

    public void Reset(TrackingOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _table = new ConnectionTable(Settings(options), Helpers);
    }

    public void Restart(TrackingOptions options)
    {
        var second = TimeSpan.FromSeconds(1); // as the kernel engine sets it
        _reassembler = new Reassembler(new ReassemblyOptions { IPv4Timeout = second, IPv6Timeout = second });
        Reset(options);
    }

    public TrackedState Send(ReadOnlySpan<byte> packet)
    {
        if (PacketDecoder.Decode(packet, packet.Length, out var headers) != DecodeResult.Ok) return TrackedState.None;
        var now = Now;
        switch (_reassembler.Add(headers, packet, now, default, out var whole))
        {
            case FragmentResult.Held or FragmentResult.Dropped:
                return TrackedState.None;
            case FragmentResult.Whole:
                using (whole)
                {
                    return PacketDecoder.Decode(whole.Span, whole.WireLength, out headers) == DecodeResult.Ok
                        ? Track(headers, whole.Span, now)
                        : TrackedState.None;
                }
            default:
                return Track(headers, packet, now);
        }
    }

    private TrackedState Track(in PacketHeaders headers, ReadOnlySpan<byte> packet, long now)
    {
        var template = default(ConnectionTemplate);
        template.Helper = (headers.Protocol, headers.DestinationPort) switch
        {
            (IpProtocol.Tcp, FtpHelper.DefaultPort) => 1,
            (IpProtocol.Udp, TftpHelper.DefaultPort) => 2,
            _ => 0,
        };
        template.IsSet = template.Helper != 0;
        var result = _table.Track(headers, packet, template, now);
        if (!result.Drop) return _table.Confirm(ref result, headers, packet, now) ? (TrackedState)result.State : TrackedState.None;
        _table.Discard(ref result);
        return TrackedState.None;
    }

    public TrackingSnapshot Snapshot()
    {
        var now = Now;
        return new TrackingSnapshot(
            [.. _table.Connections(now).Select(index => Summary(_table, ref _table[index], now))],
            [.. _table.Expectations(now).Select(expectation => Summary(_table, expectation, now))]);
    }

    public void Dispose()
    {
        // Nothing but memory.
    }

    internal static ConntrackSettings Settings(TrackingOptions options)
    {
        TimeSpan Timeout(string name, TimeSpan usual)
            => options.Timeouts.TryGetValue(name, out var seconds) ? TimeSpan.FromSeconds(seconds) : usual;
        var usual = ConntrackSettings.Default;
        return usual with
        {
            TcpLoose = options.TcpLoose,
            TcpBeLiberal = options.TcpBeLiberal,
            TcpIgnoreInvalidRst = options.TcpIgnoreInvalidRst,
            TcpMaxRetransmissions = options.TcpMaxRetransmissions,
            VerifyChecksums = options.VerifyChecksums,
            AutomaticHelpers = false, // the referee attaches helpers by rule, and so does Track

            UdpTimeout = Timeout("udp_timeout", usual.UdpTimeout),
            UdpStreamTimeout = Timeout("udp_timeout_stream", usual.UdpStreamTimeout),
            IcmpTimeout = Timeout("icmp_timeout", usual.IcmpTimeout),
            IcmpV6Timeout = Timeout("icmpv6_timeout", usual.IcmpV6Timeout),
            GenericTimeout = Timeout("generic_timeout", usual.GenericTimeout),
            Tcp = usual.Tcp with
            {
                SynSent = Timeout("tcp_timeout_syn_sent", usual.Tcp.SynSent),
                SynRecv = Timeout("tcp_timeout_syn_recv", usual.Tcp.SynRecv),
                Established = Timeout("tcp_timeout_established", usual.Tcp.Established),
                FinWait = Timeout("tcp_timeout_fin_wait", usual.Tcp.FinWait),
                CloseWait = Timeout("tcp_timeout_close_wait", usual.Tcp.CloseWait),
                LastAck = Timeout("tcp_timeout_last_ack", usual.Tcp.LastAck),
                TimeWait = Timeout("tcp_timeout_time_wait", usual.Tcp.TimeWait),
                Close = Timeout("tcp_timeout_close", usual.Tcp.Close),
                Retransmission = Timeout("tcp_timeout_max_retrans", usual.Tcp.Retransmission),
                Unacknowledged = Timeout("tcp_timeout_unacknowledged", usual.Tcp.Unacknowledged),
            },
        };
    }

    internal static ConnectionSummary Summary(ConnectionTable table, ref Connection connection, long now) => new(connection.Original, connection.Reply)
    {
        TcpState = connection.Original.Protocol == IpProtocol.Tcp ? (int)connection.Tcp.State : -1,
        SeenReply = (connection.Status & ConnectionStatus.SeenReply) != 0,
        Assured = (connection.Status & ConnectionStatus.Assured) != 0,
        Expected = (connection.Status & ConnectionStatus.Expected) != 0,
        OriginalPackets = connection.OriginalCounters.Packets,
        OriginalBytes = connection.OriginalCounters.Bytes,
        ReplyPackets = connection.ReplyCounters.Packets,
        ReplyBytes = connection.ReplyCounters.Bytes,
        Helper = connection.Helper == 0 ? "" : table.Helpers[connection.Helper - 1].Name,
        SecondsLeft = (connection.Expires - now) / 1e9,
    };

    internal static ExpectationSummary Summary(ConnectionTable table, Expectation expectation, long now) => new(table[expectation.Master].Original, expectation.Tuple)
    {
        MatchSourceAddress = expectation.MatchSourceAddress,
        MatchSourcePort = expectation.MatchSourcePort,
        SecondsLeft = (expectation.Expires - now) / 1e9,
    };
}
