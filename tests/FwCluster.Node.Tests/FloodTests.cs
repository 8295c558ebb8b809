using FwCluster.Referee;

namespace FwCluster.Node.Tests;

/// <summary>Floods of packets that begin connections without end.</summary>
[Collection(DaemonTests.Name)]
public sealed class FloodTests(ITestOutputHelper output)
{
    private const int TransferPort = 7003;
    private const int LaterPort = 7004;
    private const int LaterConnections = 20;
    private const int MaxEntries = 8192;

    /// <summary>What a flood may add to what the process has before it: 2 KiB an entry (it has 192 bytes, and its share of the buckets), and as
    /// much as fragments may take (4 MiB a family); twice, for garbage and for code that is compiled now.</summary>
    private const long MaxGrowth = 2 * (MaxEntries * 2048L + (2 * 4L << 20));

    /// <summary>Else there is garbage up to the size of the processor's cache before the collector runs once, whatever the flood needs.</summary>
    private const string SmallYoungGeneration = "DOTNET_GCgen0size=0x400000";

    [KernelTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void MemoryStaysBoundedAndAnEstablishedTransferGoesOn(bool everything)
    {
        using var lab = new GatewayLab();
        using var daemon = new Daemon(lab.Gateway, Rules, $"tracking: {{ sysctl: {{ nf_conntrack_max: {MaxEntries} }} }}", ["env", SmallYoungGeneration]);
        using var transfer = new Transfer(lab, TransferPort);
        Assert.True(SpinWait.SpinUntil(() => transfer.Received > 1 << 20, TimeSpan.FromSeconds(10)));
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var before = daemon.ResidentBytes;
        var (sent, entries) = (0L, 0L);
        var memory = new List<long> { before >> 20 };

        for (var second = 0; second < DaemonTests.Seconds; second++)
        {
            var was = transfer.Received;
            sent += PacketFlood.Run(lab, random, everything ? RandomPacket.Anything : RandomPacket.Syn, TimeSpan.FromSeconds(1));
            Assert.True(SpinWait.SpinUntil(() => transfer.Received > was, TimeSpan.FromSeconds(10)), $"seed {seed}: the transfer stands still in second {second}");
            entries = Math.Max(entries, daemon.Statistic("entries"));
            memory.Add(daemon.ResidentBytes >> 20);
            Assert.InRange(memory[^1], 0, before + MaxGrowth >> 20);
        }
        output.WriteLine($"{sent} packets, seed {seed}: {entries} entries, early_drop {daemon.Statistic("early_drop")}, {transfer.Received >> 20} MiB transferred; "
            + $"MiB in use each second: {string.Join(' ', memory)}, {daemon.PeakResidentBytes >> 20} at most");

        Assert.InRange(entries, MaxEntries / 2, MaxEntries);
        Assert.InRange(daemon.PeakResidentBytes, before, before + MaxGrowth);
        // Of those that nobody answered, older ones made room; not the transfer, which both ends use (early_drop_list spares ASSURED).
        Assert.InRange(daemon.Statistic("early_drop"), 1, sent);
        Assert.Contains(daemon.Get("connections").Split('\n'), line => line.Contains($"dport={TransferPort} ", StringComparison.Ordinal)
            && line.Contains("ESTABLISHED", StringComparison.Ordinal) && line.Contains("[ASSURED]", StringComparison.Ordinal));
        transfer.Finish();

        // The table is as full as before, and who comes now gets in at once.
        using var later = new ConnectionStream(lab, LaterPort);
        Assert.True(SpinWait.SpinUntil(() => later.Made >= LaterConnections, TimeSpan.FromSeconds(20)), $"seed {seed}: {later.Made} connections behind the flood");
        later.Finish();
        var ping = lab.Left.TryExecute("ping", ["-c", "1", "-W", "5", $"{GatewayLab.RightIPv6}"]);
        Assert.True(ping.ExitCode == 0, ping.Output + ping.Error);
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
