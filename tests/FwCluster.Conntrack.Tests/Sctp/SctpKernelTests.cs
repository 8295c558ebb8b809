using System.Diagnostics;
using System.Text;
using FwCluster.Packets;
using FwCluster.Referee;
using FwCluster.Referee.Netlink;
using FwCluster.Referee.Packets;
using static FwCluster.Conntrack.Tests.Sctp.SctpPackets;

namespace FwCluster.Conntrack.Tests.Sctp;

/// <summary>
/// SCTP tracking against the kernel's: random associations, the same state for each packet, and at the end the same timeout,
/// status and counters. <c>FWCLUSTER_SCTP_ASSOCIATIONS</c> sets how many, <c>FWCLUSTER_SEED</c> with which seed.
/// </summary>
[Collection(KernelCollection.Name)]
public sealed class SctpKernelTests(ITestOutputHelper output)
{
    private const int DefaultAssociations = 2000;

    /// <summary>A dump walks the tables of all namespaces, and a flush waits for the kernel's grace periods: a few associations
    /// share one of each.</summary>
    private const int AssociationsPerDump = 20;

    /// <summary>The shortest timeout is 3 s. On a machine that is so busy that a batch takes long, entries are not
    /// compared.</summary>
    private static readonly TimeSpan InTime = TimeSpan.FromSeconds(1);

    [KernelFact]
    public void Decides_what_the_kernel_decides()
    {
        var associations = Setting("FWCLUSTER_SCTP_ASSOCIATIONS", DefaultAssociations);
        var seed = Setting("FWCLUSTER_SEED", Environment.TickCount & 0xffffff);
        output.WriteLine($"seed {seed}");
        using var referee = new KernelReferee();
        var packets = 0;
        var met = new int[9];
        for (var first = 0; first < associations; first += AssociationsPerDump)
        {
            referee.Flush();
            var watch = Stopwatch.StartNew();
            var batch = Enumerable.Range(0, AssociationsPerDump).Select(i => new Association(seed + first + i, i)).ToList();
            foreach (var association in batch)
            {
                packets += association.Run(referee);
                Assert.True(association.Difference is null, association.ToString());
            }
            var entries = referee.Connections();
            if (watch.Elapsed > InTime) continue;
            foreach (var association in batch)
            {
                met[(int)association.Compare(entries)]++;
                Assert.True(association.Difference is null, association.ToString());
            }
        }
        var states = met.Select((count, state) => $"{(SctpState)state}={count}");
        output.WriteLine($"{packets} packets; states at the end: {string.Join(' ', states)}");
        // The comparison means something only where every state is met.
        if (met.Sum() > DefaultAssociations / 2) Assert.All(met[1..], count => Assert.True(count > 0));
    }

    private static int Setting(string name, int otherwise)
        => int.TryParse(Environment.GetEnvironmentVariable(name), out var value) ? value : otherwise;

    /// <summary>One random association, through the kernel and through a table.</summary>
    private sealed class Association
    {
        private readonly int _seed;
        private readonly Random _random;
        private readonly PacketAddresses _there;
        private readonly Harness _harness = new();
        private readonly StringBuilder _said = new();

        public Association(int seed, int number)
        {
            _seed = seed;
            _random = new Random(seed);
            _there = _random.Next(2) == 0
                ? PacketAddresses.Parse($"10.1.0.{number}", "10.2.0.1")
                : PacketAddresses.Parse($"2001:db8:1::{number}", "2001:db8:2::1");
        }

        /// <summary>In what the two differ; null for nothing.</summary>
        public string? Difference { get; private set; }

        /// <summary>Sends its packets, until the two differ; returns how many.</summary>
        public int Run(KernelReferee referee)
        {
            var script = new Script(_random);
            var count = _random.Next(1, 20);
            for (var i = 0; i < count && Difference is null; i++)
            {
                var (fromClient, tag, chunks) = script.Next();
                var packet = Packet(_there, fromClient, tag, chunks);
                var kernel = referee.Send(packet);
                var ours = _harness.Send(packet);
                var what = string.Join(", ", chunks.AsEnumerable());
                _said.Append($"\n  {(fromClient ? "client" : "server")} tag {tag} {what}: kernel {kernel}, here {ours}");
                if (kernel.ToString() != ours.ToString()) Difference = "another state";
            }
            return count;
        }

        /// <summary>Compares the entry that is left; returns its state, or NONE where there is none.</summary>
        public SctpState Compare(IReadOnlyList<KernelConnection> entries)
        {
            var entry = entries.SingleOrDefault(
                c => c.Original.Protocol == IpProtocol.Sctp && (IsMine(c.Original) || IsMine(c.Reply)));
            if (_harness.Table.Connections(_harness.Now).Any() != entry is not null) Difference = $"kernel's entry: {entry}";
            if (entry is null || Difference is not null) return SctpState.None;

            var connection = _harness.Only();
            var seconds = (connection.Expires - _harness.Now) / 1_000_000_000;
            if (connection.Original != entry.Original
                || Math.Abs(seconds - entry.TimeoutSeconds) > 1
                || connection.Status.HasFlag(ConnectionStatus.Assured) != entry.Assured
                || connection.OriginalCounters.Packets != entry.OriginalCounters.Packets
                || connection.OriginalCounters.Bytes != entry.OriginalCounters.Bytes
                || connection.ReplyCounters.Packets != entry.ReplyCounters.Packets)
            {
                Difference = $"kernel {entry}, here {connection.SctpState} {seconds} {connection.Status}";
            }
            return connection.SctpState;
        }

        public override string ToString() => $"seed {_seed}: {Difference}{_said}";

        private bool IsMine(in FlowTuple tuple) => tuple.Source == _there.Source && tuple.Destination == _there.Destination;
    }

    /// <summary>An association that goes the usual way now and then, with tags that are right more often than not.</summary>
    private sealed class Script(Random random)
    {
        private static readonly byte[] Types =
        [
            Data, Init, InitAck, Sack, Heartbeat, HeartbeatAck, Abort, Shutdown, ShutdownAck, Error, CookieEcho, CookieAck,
            ShutdownComplete, 13, 64, 192,
        ];

        /// <summary>The usual ways, as (from the client, type).</summary>
        private static readonly (bool, byte)[][] Ways =
        [
            [(true, Init), (false, InitAck), (true, CookieEcho), (false, CookieAck)],
            [(true, Init), (false, Init), (true, InitAck), (false, InitAck), (true, CookieEcho), (false, CookieAck)],
            [(true, Heartbeat), (false, HeartbeatAck)],
            [(true, Shutdown), (false, ShutdownAck), (true, ShutdownComplete)],
            [(false, Shutdown), (true, ShutdownAck), (false, ShutdownComplete)],
            [(true, Heartbeat), (false, HeartbeatAck), (true, Heartbeat), (true, Data)],
        ];

        private readonly Queue<(bool FromClient, byte Type)> _way = new(Ways[random.Next(3)]);

        // The tag that each side asked for: [0] the client's, which packets to the client carry.
        private readonly uint[] _tags = [(uint)random.Next(1, 100), (uint)random.Next(100, 200)];

        public (bool FromClient, uint Tag, Chunk[] Chunks) Next()
        {
            bool fromClient;
            byte type;
            if (random.Next(6) != 0 && _way.TryDequeue(out var step))
            {
                (fromClient, type) = step;
            }
            else
            {
                if (_way.Count == 0 && random.Next(2) == 0)
                    foreach (var further in Ways[random.Next(Ways.Length)]) _way.Enqueue(further);
                (fromClient, type) = (random.Next(2) == 0, Types[random.Next(Types.Length)]);
            }

            Chunk[] chunks = random.Next(5) == 0
                ? [Chunk(type, fromClient), Chunk(Types[random.Next(Types.Length)], fromClient)]
                : [Chunk(type, fromClient)];
            var right = type == Init ? 0u : _tags[fromClient ? 1 : 0];
            var tag = random.Next(8) switch
            {
                0 => _tags[fromClient ? 0 : 1],
                1 when random.Next(2) == 0 => 0u,
                2 when random.Next(2) == 0 => (uint)random.Next(200, 204),
                _ => right,
            };
            return (fromClient, tag, chunks);
        }

        private Chunk Chunk(byte type, bool fromClient)
        {
            // Sometimes an INIT asks for another tag than before.
            ref var own = ref _tags[fromClient ? 0 : 1];
            if (type == Init && random.Next(4) == 0) own = (uint)random.Next(200, 204);
            return new Chunk(
                type,
                random.Next(8) == 0 ? (uint)random.Next(200, 204) : own,
                (byte)(random.Next(4) == 0 ? 1 : 0),
                random.Next(24) == 0 ? random.Next(20) : -1,
                random.Next(24) == 0 ? random.Next(40) : -1);
        }
    }
}
