using FwCluster.Referee;

namespace FwCluster.Node.Tests;

/// <summary>Floods of packets that begin connections without end.</summary>
[Collection(DaemonTests.Name)]
public sealed class FloodTests
{
    private const int TransferPort = 7003;
    private const int MaxEntries = 8192;

    /// <summary>What the process takes for itself (runtime, code, buffers of the queue), and 2 KiB an entry on top of it.</summary>
    private const long MaxBytes = (192L << 20) + MaxEntries * 2048L;

    [KernelTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void MemoryStaysBoundedAndAnEstablishedTransferGoesOn(bool everything)
    {
        using var lab = new GatewayLab();
        using var daemon = new Daemon(lab.Gateway, Rules, $"tracking: {{ sysctl: {{ nf_conntrack_max: {MaxEntries} }} }}");
        using var transfer = new Transfer(lab, TransferPort);
        Assert.True(SpinWait.SpinUntil(() => transfer.Received > 0, TimeSpan.FromSeconds(10)));
        var seed = Random.Shared.Next();
        var sent = 0L;
        var entries = 0L;

        for (var second = 0; second < DaemonTests.Seconds; second++)
        {
            var was = transfer.Received;
            sent += PacketFlood.Run(lab, seed + second, everything, TimeSpan.FromSeconds(1));
            Assert.True(SpinWait.SpinUntil(() => transfer.Received > was, TimeSpan.FromSeconds(10)), $"seed {seed}: the transfer stands still in second {second}");
            entries = Math.Max(entries, daemon.Statistic("entries"));
            Assert.InRange(daemon.ResidentBytes, 0, MaxBytes);
        }

        Assert.InRange(entries, MaxEntries / 2, MaxEntries);
        Assert.InRange(daemon.PeakResidentBytes, 0, MaxBytes);
        // Of those that nobody answered, older ones made room; not the transfer, which both ends use (early_drop_list spares ASSURED).
        Assert.InRange(daemon.Statistic("early_drop"), 1, sent);
        Assert.Contains(daemon.Get("connections").Split('\n'), line => line.Contains($"dport={TransferPort} ", StringComparison.Ordinal)
            && line.Contains("ESTABLISHED", StringComparison.Ordinal) && line.Contains("[ASSURED]", StringComparison.Ordinal));
        transfer.Finish();
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{sent} packets, seed {seed}: {entries} entries, early_drop {daemon.Statistic("early_drop")}, {daemon.PeakResidentBytes >> 20} MiB, "
            + $"{transfer.Received >> 20} MiB transferred");
    }

    private static string Rules => """
        *filter
        :INPUT ACCEPT [0:0]
        :FORWARD DROP [0:0]
        :OUTPUT ACCEPT [0:0]
        -A FORWARD -m state --state ESTABLISHED,RELATED -j ACCEPT
        -A FORWARD -m state --state NEW -j ACCEPT
        COMMIT

        """;
}
