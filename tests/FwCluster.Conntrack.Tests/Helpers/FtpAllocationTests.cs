using FwCluster.Conntrack.Helpers.Ftp;

namespace FwCluster.Conntrack.Tests.Helpers;

/// <summary>What reading costs the garbage collector.</summary>
public sealed class FtpAllocationTests
{
    [Fact]
    public void Lines_without_an_expectation_allocate_nothing()
    {
        var bench = new HelperBench(new FtpHelper { Ports = [21] }, "2001:db8::1", "2001:db8::2") { Refuses = true };
        byte[][] lines =
        [
            "USER x\r\n"u8.ToArray(),
            "PORT 10,0,0,1,4,5\r\n"u8.ToArray(),
            "PORT 10,0,0"u8.ToArray(),
            "EPRT |2|2001:db8::9|1029|\r\n"u8.ToArray(),
            "EPRT |2|2001:db8:::|1029|\r\n"u8.ToArray(),
            "AUTH GSSAPI\r\n"u8.ToArray(),
        ];
        uint sequence = 0;
        Run(100);
        // The runtime itself may allocate once on this thread; an allocation per packet shows in every round.
        var allocated = Enumerable.Range(0, 5).Min(_ =>
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            Run(1000);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        });
        Assert.Equal(0, allocated);

        void Run(int times)
        {
            for (var i = 0; i < times; i++)
            {
                foreach (var line in lines)
                {
                    if (bench.Packet(Direction.Original, sequence, line)) sequence += (uint)line.Length;
                }
            }
        }
    }
}
