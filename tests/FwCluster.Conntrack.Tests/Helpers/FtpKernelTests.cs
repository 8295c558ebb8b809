using System.Text;
using FwCluster.Conntrack.Helpers.Ftp;
using FwCluster.Packets;
using FwCluster.Referee;
using FwCluster.Referee.Packets;

namespace FwCluster.Conntrack.Tests.Helpers;

/// <summary>
/// The ftp helper against the kernel's: random dialogues through a router whose raw table attaches it, and after each segment the
/// same verdict and the same expectation. <c>FWCLUSTER_FTP_DIALOGUES</c> sets how many, <c>FWCLUSTER_SEED</c> with which seed.
/// </summary>
[Collection(KernelCollection.Name)]
public sealed class FtpKernelTests(ITestOutputHelper output)
{
    private const int DefaultDialogues = 3000;
    private const int DialoguesPerFlush = 50;
    private const ushort ClientPort = 40000;
    private const ushort ServerPort = 21;

    private static readonly FtpHelper Helper = new() { Ports = [ServerPort] };

    [KernelFact]
    public void Decides_what_the_kernel_decides()
    {
        var dialogues = Setting("FWCLUSTER_FTP_DIALOGUES", DefaultDialogues);
        var seed = Setting("FWCLUSTER_SEED", Environment.TickCount & 0xffffff);
        output.WriteLine($"seed {seed}");
        using var referee = new KernelReferee();
        int segments = 0, dropped = 0, expected = 0;
        for (var i = 0; i < dialogues; i++)
        {
            if (i % DialoguesPerFlush == 0) referee.Flush();
            var (difference, counts) = Compare(referee, seed + i);
            segments += counts.Segments;
            dropped += counts.Dropped;
            expected += counts.Expected;
            Assert.True(difference is null, $"seed {seed + i}: {difference}");
        }
        output.WriteLine($"{dialogues} dialogues, {segments} segments, {dropped} dropped, {expected} expectations");
        // The comparison means something only where both happen often.
        Assert.True(dropped > dialogues / 4);
        Assert.True(expected > dialogues / 4);
    }

    /// <summary>The tables of <see cref="FtpLineTests"/> are the kernel's.</summary>
    [KernelFact]
    public void Tables_of_lines_are_the_kernels()
    {
        using var referee = new KernelReferee();
        var ipv4 = PacketAddresses.Parse(FtpLineTests.Client4, FtpLineTests.Server4);
        var ipv6 = PacketAddresses.Parse(FtpLineTests.Client6, FtpLineTests.Server6);
        Check(FtpLineTests.ClientLines4, ipv4, Direction.Original);
        Check(FtpLineTests.ServerLines4, ipv4, Direction.Reply);
        Check(FtpLineTests.ClientLines6, ipv6, Direction.Original);
        Check(FtpLineTests.ServerLines6, ipv6, Direction.Reply);

        void Check(TheoryData<string, int> table, PacketAddresses there, Direction direction)
        {
            foreach (var row in table)
            {
                var (line, outcome) = row.Data;
                referee.Flush();
                Open(referee, there, 99, 199);
                uint[] end = [100, 200];
                var (speaker, listener) = ((int)direction, (int)direction ^ 1);
                referee.Send(Packet(there, direction, end[speaker], end[listener], "first\r\n"u8.ToArray()));
                var answer = referee.Send(
                    Packet(there, direction, end[speaker] + 7, end[listener], Encoding.Latin1.GetBytes(line)));
                var expected = referee.Expectations().Select(e => (int)e.Tuple.DestinationPort).ToArray();
                Assert.True(answer == TrackedState.None == (outcome == FtpLineTests.Dropped), $"{line}: {answer}");
                Assert.True(expected.SequenceEqual(outcome >= 0 ? [outcome] : []), $"{line}: {string.Join(',', expected)}");
            }
        }
    }

    private static (string? Difference, (int Segments, int Dropped, int Expected) Counts) Compare(KernelReferee referee, int seed)
    {
        var there = Addresses(seed);
        var original = Original(there);
        var script = new FtpScript(seed, original);
        var bench = new HelperBench(
            Helper, there.Source.ToString(there.Family), there.Destination.ToString(there.Family), ClientPort, ServerPort);

        // A few begin right before their sequence numbers go round.
        var random = new Random(seed ^ 0x5eed);
        uint[] first = [Begin(random), Begin(random)];
        uint[] end = [first[0] + 1, first[1] + 1];
        var opened = random.Next(16) != 0;
        if (opened) Open(referee, there, first[0], first[1]);

        var said = new StringBuilder();
        var dropped = 0;
        var shown = 0;
        foreach (var segment in script.Segments)
        {
            var (speaker, listener) = ((int)segment.Direction, (int)segment.Direction ^ 1);
            var sequence = first[speaker] + 1 + (uint)segment.Offset;
            var answer = referee.Send(Packet(there, segment.Direction, sequence, end[listener], segment.Payload));
            var stop = sequence + (uint)segment.Payload.Length;
            if ((int)(stop - end[speaker]) > 0) end[speaker] = stop;

            // No rule drops anything: what did not come out was dropped by the helper, so it was established.
            var state = answer switch
            {
                TrackedState.New => ConntrackState.New,
                TrackedState.Invalid => ConntrackState.Invalid,
                _ => ConntrackState.Established,
            };
            // A connection picked up in the middle with the server's segment has its directions the other way round.
            if (answer == TrackedState.New && segment.Direction == Direction.Reply) return (null, default);

            var noted = bench.Noted.Count;
            var accepted = bench.Packet(segment.Direction, sequence, segment.Payload, state: state);
            said.Append($"\n  {segment} kernel {answer}, here {(accepted ? "accepted" : "dropped")}");
            if (accepted != (answer != TrackedState.None)) return ("another verdict" + said, default);
            if (!accepted) dropped++;

            var theirs = referee.Expectations().Where(e => e.Master == original).ToList();
            if (theirs.Count > 1) return ($"more than one expectation: {string.Join("; ", theirs)}{said}", default);
            var ours = bench.Noted.Count == 0 ? null : bench.Noted[^1];
            if (bench.Noted.Count > noted) shown++;
            if (theirs.Count == 0 != ours is null) return ($"kernel {theirs.FirstOrDefault()}, here {ours}{said}", default);
            if (ours is null) continue;
            var kernel = theirs[0];
            if (kernel.Tuple != ours.Tuple || kernel.Class != ours.Class || kernel.Flags != 0
                || kernel.Mask.Source == default || kernel.Mask.SourcePort != 0 || kernel.TimeoutSeconds is < 290 or > 300)
            {
                return ($"kernel {kernel}, here {ours}{said}", default);
            }
        }
        return (null, (script.Segments.Count, dropped, shown));
    }

    /// <summary>Addresses of its own for each dialogue: expectations of two connections never clash.</summary>
    private static PacketAddresses Addresses(int seed) => (seed & 1) == 0
        ? PacketAddresses.Parse($"10.{seed >> 16 & 63}.{seed >> 8 & 255}.{seed & 255}", "10.200.0.1")
        : PacketAddresses.Parse($"2001:db8:{seed >> 16 & 255:x}::{seed & 0xffff:x}", $"2001:db8:ffff::{seed & 0xff:x}");

    private static FlowTuple Original(PacketAddresses there) => new()
    {
        Source = there.Source,
        Destination = there.Destination,
        SourcePort = ClientPort,
        DestinationPort = ServerPort,
        Protocol = IpProtocol.Tcp,
        Family = there.Family,
    };

    private static void Open(KernelReferee referee, PacketAddresses there, uint client, uint server)
    {
        referee.Send(PacketBuilder.Tcp(there, ClientPort, ServerPort, TcpFlags.Syn, client));
        referee.Send(PacketBuilder.Tcp(there.Reversed, ServerPort, ClientPort, TcpFlags.Syn | TcpFlags.Ack, server, client + 1));
        referee.Send(PacketBuilder.Tcp(there, ClientPort, ServerPort, TcpFlags.Ack, client + 1, server + 1));
    }

    private static byte[] Packet(PacketAddresses there, Direction direction, uint sequence, uint acknowledgment, byte[] payload)
    {
        const TcpFlags flags = TcpFlags.Ack | TcpFlags.Psh;
        return direction == Direction.Original
            ? PacketBuilder.Tcp(there, ClientPort, ServerPort, flags, sequence, acknowledgment, payload: payload)
            : PacketBuilder.Tcp(there.Reversed, ServerPort, ClientPort, flags, sequence, acknowledgment, payload: payload);
    }

    private static uint Begin(Random random)
        => random.Next(4) == 0 ? uint.MaxValue - (uint)random.Next(60) : (uint)random.NextInt64(1L << 32);

    private static int Setting(string name, int otherwise)
        => int.TryParse(Environment.GetEnvironmentVariable(name), out var value) ? value : otherwise;
}
