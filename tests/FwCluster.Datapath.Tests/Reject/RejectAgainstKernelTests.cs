using FwCluster.Packets;
using FwCluster.Referee;
using FwCluster.Referee.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;

namespace FwCluster.Datapath.Tests.Reject;

public class RejectAgainstKernelTests(ITestOutputHelper output)
{
    private const int Packets = 4000;

    [KernelTheory]
    [InlineData(IpFamily.IPv4)]
    [InlineData(IpFamily.IPv6)]
    public void AnswersAreTheKernelsByteForByte(IpFamily family)
    {
        var seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var packets = new RandomPackets(random);
        var types = family == IpFamily.IPv4 ? RejectKernel.IPv4Types : RejectKernel.IPv6Types;
        using var kernel = new RejectKernel();
        var answered = new Dictionary<(RejectType, Hook), int>();
        var silent = 0;
        for (var i = 0; i < Packets; i++)
        {
            var type = types[random.Next(types.Length)];
            var hook = random.Next(2) == 0 ? Hook.Input : Hook.Forward;
            var to = hook == Hook.Input ? RejectKernel.Local(family, type) : RejectKernel.Behind(family, type);
            var from = family == IpFamily.IPv4 ? $"198.51.100.{random.Next(1, 255)}" : $"2001:db8:2::{random.Next(1, 255):x}";
            var packet = packets.Next(PacketAddresses.Parse(from, to));
            Assert.Equal(DecodeResult.Ok, PacketDecoder.Decode(packet, packet.Length, out var headers));
            // Such a rule is for TCP alone.
            if (type == RejectType.TcpReset && headers.Protocol != IpProtocol.Tcp) continue;

            var expected = kernel.Ask(packet);
            var actual = kernel.Answer(type, hook, hook == Hook.Forward ? PacketAtHook.Forwarded(packet) : packet, expected);

            Assert.True(expected.AsSpan().SequenceEqual(actual),
                $"seed {seed}, packet {i}, {type} in {hook}\npacket {Convert.ToHexString(packet)}\nkernel {Convert.ToHexString(expected)}\nours   {Convert.ToHexString(actual)}");
            if (actual.Length == 0) silent++;
            else answered[(type, hook)] = answered.GetValueOrDefault((type, hook)) + 1;
        }

        foreach (var ((type, hook), count) in answered.OrderBy(pair => pair.Key)) output.WriteLine($"{type} in {hook}: {count}");
        output.WriteLine($"no answer: {silent}");
        Assert.Equal(2 * types.Length, answered.Count);
        Assert.True(silent > Packets / 20, "the packets that are not answered were not among them");
    }
}
