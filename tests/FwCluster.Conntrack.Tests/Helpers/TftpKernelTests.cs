using FwCluster.Conntrack.Helpers.Tftp;
using FwCluster.Referee;
using FwCluster.Referee.Packets;

namespace FwCluster.Conntrack.Tests.Helpers;

/// <summary>The tftp helper against the kernel's: every first word of a packet, both families, both directions.</summary>
[Collection(KernelCollection.Name)]
public sealed class TftpKernelTests
{
    private static readonly TftpHelper Helper = new() { Ports = [69] };

    [KernelFact]
    public void Decides_what_the_kernel_decides()
    {
        using var referee = new KernelReferee(new RefereeOptions { Helpers = [HelperRule.Tftp] });
        byte[][] payloads = [[0, 1, 65, 0], [0, 1], [0, 2, 65], [0, 3, 0, 1], [0, 4], [0, 5], [0, 6], [1, 1], [0, 0], [1], []];
        ushort port = 40000; // of its own for each connection
        foreach (var there in (PacketAddresses[])
            [PacketAddresses.Parse("10.1.0.1", "10.2.0.1"), PacketAddresses.Parse("2001:db8:1::1", "2001:db8:2::1")])
        {
            foreach (var first in payloads)
            {
                foreach (var second in payloads)
                {
                    port++;
                    var bench = new HelperBench(
                        Helper, there.Source.ToString(there.Family), there.Destination.ToString(there.Family), port, 69);
                    var request = referee.Send(PacketBuilder.Udp(there, port, 69, first));
                    Assert.Equal(
                        request != TrackedState.None, bench.Packet(Direction.Original, 0, first, state: ConntrackState.New));
                    Compare(bench, referee, port);
                    var reply = referee.Send(PacketBuilder.Udp(there.Reversed, 69, port, second));
                    Assert.Equal(reply != TrackedState.None, bench.Packet(Direction.Reply, 0, second));
                    Compare(bench, referee, port);
                }
            }
        }
    }

    private static void Compare(HelperBench bench, KernelReferee referee, ushort port)
    {
        var theirs = referee.Expectations().Where(e => e.Master.SourcePort == port);
        if (bench.Noted.Count == 0)
        {
            Assert.Empty(theirs);
            return;
        }
        var kernel = Assert.Single(theirs);
        Assert.Equal(kernel.Tuple, bench.Noted[^1].Tuple);
        Assert.Equal("tftp", kernel.Helper);
        Assert.Equal(0, kernel.Mask.SourcePort);
        Assert.NotEqual(default, kernel.Mask.Source);
        Assert.InRange(kernel.TimeoutSeconds, 290u, 300u);
    }
}
