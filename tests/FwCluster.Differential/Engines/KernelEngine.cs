using FwCluster.Referee;
using FwCluster.Referee.Netlink;

namespace FwCluster.Differential.Engines;

/// <summary>The running kernel.</summary>
public sealed class KernelEngine : ITrackingEngine
{
    private static readonly RefereeOptions Options = new()
    {
        Helpers = [HelperRule.Ftp, HelperRule.Tftp],
        // Datagrams that stay incomplete would pile up: while the kernel's table of them grows, it loses fragments.
        Sysctls = new Dictionary<string, string>
        {
            ["net.ipv4.ipfrag_time"] = "1",
            ["net.netfilter.nf_conntrack_frag6_timeout"] = "1",
        },
    };

    private KernelReferee _referee = new(Options);

    public string Name => "kernel";

    public void Reset(TrackingOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        const string prefix = "net.netfilter.nf_conntrack_";
        _referee.Router.SetSysctl(prefix + "tcp_loose", options.TcpLoose ? "1" : "0");
        _referee.Router.SetSysctl(prefix + "tcp_be_liberal", options.TcpBeLiberal ? "1" : "0");
        _referee.Router.SetSysctl(prefix + "tcp_ignore_invalid_rst", options.TcpIgnoreInvalidRst ? "1" : "0");
        _referee.Router.SetSysctl(prefix + "tcp_max_retrans", options.TcpMaxRetransmissions.ToString(System.Globalization.CultureInfo.InvariantCulture));
        _referee.Router.SetSysctl(prefix + "checksum", options.VerifyChecksums ? "1" : "0");
        foreach (var (name, seconds) in options.Timeouts)
            _referee.Router.SetSysctl(prefix + name, seconds.ToString(System.Globalization.CultureInfo.InvariantCulture));
        _referee.Flush();
    }

    public void Restart(TrackingOptions options)
    {
        _referee.Dispose();
        _referee = new KernelReferee(Options);
        Reset(options);
    }

    public TrackedState Send(ReadOnlySpan<byte> packet) => _referee.Send(packet);

    public TrackingSnapshot Snapshot()
        => new([.. _referee.Connections().Select(Summary)], [.. _referee.Expectations().Select(Summary)]);

    public void Dispose() => _referee.Dispose();

    private static ConnectionSummary Summary(KernelConnection connection) => new(connection.Original, connection.Reply)
    {
        TcpState = connection.TcpState,
        SeenReply = connection.SeenReply,
        Assured = connection.Assured,
        Expected = (connection.Status & 1) != 0,
        OriginalPackets = connection.OriginalCounters.Packets,
        OriginalBytes = connection.OriginalCounters.Bytes,
        ReplyPackets = connection.ReplyCounters.Packets,
        ReplyBytes = connection.ReplyCounters.Bytes,
        Helper = connection.Helper ?? "",
        SecondsLeft = connection.TimeoutSeconds,
    };

    private static ExpectationSummary Summary(KernelExpectation expectation)
    {
        var tuple = expectation.Tuple;
        tuple.Source = tuple.Source.And(expectation.Mask.Source);
        if (expectation.Mask.SourcePort == 0) tuple.SourcePort = 0;
        return new ExpectationSummary(expectation.Master, tuple)
        {
            MatchSourceAddress = expectation.Mask.Source != default,
            MatchSourcePort = expectation.Mask.SourcePort != 0,
            SecondsLeft = expectation.TimeoutSeconds,
        };
    }
}
