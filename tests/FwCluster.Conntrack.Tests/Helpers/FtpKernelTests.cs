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

    private static (string? Difference, (int Segments, int Dropped, int Expected) Counts) Compare(KernelReferee referee, int seed)
    {
        var there = Addresses(seed);
        var original = new FlowTuple
        {
            Source = there.Source,
            Destination = there.Destination,
            SourcePort = ClientPort,
            DestinationPort = ServerPort,
            Protocol = IpProtocol.Tcp,
            Family = there.Family,
        };
        var script = new FtpScript(seed, original);
        var bench = new HelperBench(
            Helper, there.Source.ToString(there.Family), there.Destination.ToString(there.Family), ClientPort, ServerPort);

        // A few begin right before their sequence numbers go round.
        var random = new Random(seed ^ 0x5eed);
        uint[] first = [Begin(random), Begin(random)];
        uint[] end = [first[0] + 1, first[1] + 1];
        var opened = random.Next(16) != 0;
        if (opened)
        {
            referee.Send(PacketBuilder.Tcp(there, ClientPort, ServerPort, TcpFlags.Syn, first[0]));
            referee.Send(PacketBuilder.Tcp(there.Reversed, ServerPort, ClientPort, TcpFlags.Syn | TcpFlags.Ack, first[1], end[0]));
            referee.Send(PacketBuilder.Tcp(there, ClientPort, ServerPort, TcpFlags.Ack, end[0], end[1]));
        }

        var said = new StringBuilder();
        var dropped = 0;
        var shown = 0;
        foreach (var segment in script.Segments)
        {
            var (speaker, listener) = ((int)segment.Direction, (int)segment.Direction ^ 1);
            var sequence = first[speaker] + 1 + (uint)segment.Offset;
            var packet = segment.Direction == Direction.Original
                ? PacketBuilder.Tcp(there, ClientPort, ServerPort, TcpFlags.Ack | TcpFlags.Psh, sequence, end[listener], payload: segment.Payload)
                : PacketBuilder.Tcp(there.Reversed, ServerPort, ClientPort, TcpFlags.Ack | TcpFlags.Psh, sequence, end[listener],
                    payload: segment.Payload);
            var said1 = referee.Send(packet);
            var stop = sequence + (uint)segment.Payload.Length;
            if ((int)(stop - end[speaker]) > 0) end[speaker] = stop;

            // No rule drops anything: what did not come out was dropped by the helper, so it was established.
            var state = said1 switch
            {
                TrackedState.New => ConntrackState.New,
                TrackedState.Invalid => ConntrackState.Invalid,
                _ => ConntrackState.Established,
            };
            // A connection that was picked up in the middle may begin with the server's segment: then that is the original direction.
            if (said1 == TrackedState.New && segment.Direction == Direction.Reply) return (null, default);

            var noted = bench.Noted.Count;
            var accepted = bench.Packet(segment.Direction, sequence, segment.Payload, state: state);
            said.Append($"\n  {segment} kernel {said1}, here {(accepted ? "accepted" : "dropped")}");
            if (accepted != (said1 != TrackedState.None)) return ("another verdict" + said, default);
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

    private static uint Begin(Random random) => random.Next(4) == 0 ? uint.MaxValue - (uint)random.Next(60) : (uint)random.NextInt64(1L << 32);

    private static int Setting(string name, int otherwise)
        => int.TryParse(Environment.GetEnvironmentVariable(name), out var value) ? value : otherwise;
}
