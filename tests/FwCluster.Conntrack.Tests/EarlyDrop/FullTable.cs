using System.Globalization;
using FwCluster.Packets;
using FwCluster.Referee;

namespace FwCluster.Conntrack.Tests.EarlyDrop;

/// <summary>A connection table that is to be filled, whoever's. Nothing in it times out during a test, but a TCP connection in CLOSE where
/// the test wants that.</summary>
internal abstract class FullTable : IDisposable
{
    /// <summary>Seconds: longer than any test.</summary>
    public const int Long = 900;

    /// <summary>How many entries there can be (<c>nf_conntrack_max</c>).</summary>
    public abstract int Max { get; }

    /// <summary>How many there are, those included whose time is over (<c>nf_conntrack_count</c>).</summary>
    public abstract int Count { get; }

    /// <summary>The time after which it is worth to look whether it has collected something.</summary>
    public abstract TimeSpan CollectsWithin { get; }

    /// <summary>Sends a packet; false where the table had no room for it.</summary>
    public abstract bool Send(byte[] packet);

    /// <summary>Lets time pass.</summary>
    public abstract void Wait(TimeSpan time);

    /// <summary>Looks through the table for what may go, where it does not do so by itself.</summary>
    public abstract void Collect();

    /// <summary>The original tuples of all entries.</summary>
    public abstract IEnumerable<FlowTuple> Entries();

    /// <inheritdoc/>
    public abstract void Dispose();

    private static IEnumerable<(string Name, int Seconds)> Timeouts(int close) =>
    [
        .. ((string[])["syn_sent", "syn_recv", "established", "fin_wait", "close_wait", "last_ack", "time_wait", "unacknowledged"])
            .Select(state => ($"nf_conntrack_tcp_timeout_{state}", Long)),
        ("nf_conntrack_tcp_timeout_close", close),
        ("nf_conntrack_udp_timeout", Long),
        ("nf_conntrack_udp_timeout_stream", Long),
        ("nf_conntrack_icmp_timeout", Long),
    ];

    /// <summary>The running kernel's, in a namespace: the limit holds for each of them by itself, but only the host can set it.</summary>
    internal sealed class Kernels(int close = Long) : FullTable
    {
        private readonly KernelReferee _referee = new(new RefereeOptions
        {
            Sysctls = Timeouts(close)
                .Concat(((string[])["closed", "established", "shutdown_sent"]).Select(state => ($"nf_conntrack_sctp_timeout_{state}", Long)))
                .ToDictionary(timeout => "net.netfilter." + timeout.Item1, timeout => timeout.Item2.ToString(CultureInfo.InvariantCulture)),
        });

        public override int Max => Read("nf_conntrack_max");

        public override int Count => Read("nf_conntrack_count");

        public override TimeSpan CollectsWithin => TimeSpan.FromSeconds(5);

        public override bool Send(byte[] packet) => _referee.Send(packet) != TrackedState.None;

        public override void Wait(TimeSpan time) => Thread.Sleep(time);

        public override void Collect()
        {
            // gc_worker does.
        }

        public override IEnumerable<FlowTuple> Entries() => _referee.Connections().Select(connection => connection.Original);

        public override void Dispose() => _referee.Dispose();

        private int Read(string name) => int.Parse(_referee.Router.GetSysctl("net.netfilter." + name), CultureInfo.InvariantCulture);
    }

    /// <summary>A <see cref="ConnectionTable"/>.</summary>
    internal sealed class Ours(int max, int close = Long) : FullTable
    {
        private readonly Harness _harness = new(Settings(close) with { MaxEntries = max });

        public override int Max => max;

        public override int Count => _harness.Table.Count;

        public override TimeSpan CollectsWithin => TimeSpan.FromMilliseconds(100);

        public override bool Send(byte[] packet)
        {
            _harness.Send(packet);
            return !_harness.Last.Drop;
        }

        public override void Wait(TimeSpan time) => _harness.Wait(time.TotalSeconds);

        public override void Collect() => _harness.Table.Sweep(_harness.Now, Max);

        public override IEnumerable<FlowTuple> Entries() => _harness.Table.Connections(_harness.Now).Select(index => _harness.Table[index].Original);

        public override void Dispose()
        {
            // Only memory.
        }

        private static ConntrackSettings Settings(int close)
        {
            var time = TimeSpan.FromSeconds(Long);
            var settings = ConntrackSettings.Default with { Sctp = new SctpTimeouts { Closed = time, Established = time, ShutdownSent = time } };
            foreach (var (name, seconds) in Timeouts(close)) Assert.Null(ConntrackSysctl.Apply($"{name}={seconds}", ref settings));
            return settings;
        }
    }
}
