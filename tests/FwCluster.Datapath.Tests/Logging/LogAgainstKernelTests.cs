using FwCluster.Packets;
using FwCluster.Referee;
using FwCluster.Referee.Packets;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Datapath.Tests.Logging;

public class LogAgainstKernelTests(ITestOutputHelper output)
{
    // The kernel's log is a small ring that others write into, too.
    private const int Packets = 400;

    [KernelTheory]
    [InlineData(IpFamily.IPv4)]
    [InlineData(IpFamily.IPv6)]
    public void LinesAreTheKernels(IpFamily family)
    {
        var seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var packets = new RandomPackets(random, fragmentHeaders: true);
        using var kernel = new LogKernel();
        var compared = 0;
        for (var i = 0; i < Packets; i++)
        {
            var set = random.Next(LogKernel.FlagSets.Length);
            var hook = random.Next(3) == 0 ? Hook.Input : Hook.Forward;
            var to = hook == Hook.Input ? LogKernel.Local(family, set) : LogKernel.Behind(family, set);
            var from = family == IpFamily.IPv4 ? "198.51.100.7" : "2001:db8:2::7";
            var packet = packets.Next(PacketAddresses.Parse(from, to));
            // Fragments on their way through; what is for the router itself is put together first.
            if (hook == Hook.Forward && random.Next(6) == 0) packet = Fragment(packet, random);
            var isMarked = packet[family == IpFamily.IPv4 ? 8 : 7] > 200;

            var expected = kernel.Ask(packet);

            if (expected is null) continue;
            compared++;
            var actual = kernel.Write(hook == Hook.Forward ? PacketAtHook.Forwarded(packet) : packet, hook, LogKernel.FlagSets[set], isMarked);
            Assert.True(expected == actual, $"seed {seed}, packet {i}: {Convert.ToHexString(packet)}\nkernel {expected}|\nours   {actual}|");
            if (i < 8) output.WriteLine(actual);
        }
        Assert.True(compared > Packets * 3 / 4, $"the kernel logged only {compared} of {Packets} packets");
    }

    private static byte[] Fragment(byte[] packet, Random random)
    {
        var fragments = PacketBuilder.Fragment(packet, (uint)random.Next(), 8 * random.Next(1, 5), 8);
        return fragments.Length == 0 ? packet : fragments[random.Next(fragments.Length)];
    }
}
