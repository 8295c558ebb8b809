using FwCluster.Referee;

namespace FwCluster.Conntrack.Tests.EarlyDrop;

/// <summary>What a full table lets go, and in which order: the same test of the kernel's table and of ours. The kernel's limit can be set for
/// the host alone, so its table is filled as it is: some 100 MB for a minute or two.</summary>
[Collection(KernelCollection.Name)]
public sealed class EarlyDropTests(ITestOutputHelper output)
{
    private const int OurMax = 65536;
    private const int Close = 2;

    [Fact]
    public void UnassuredOnesGoFirstThenClosingOnesAndOthersNever()
    {
        using var table = new FullTable.Ours(OurMax);
        ShowOrder(table);
    }

    /// <summary>Not in the suite: the kernel looks at its table once a minute only.</summary>
    [KernelFact(Explicit = true)]
    public void InTheKernelUnassuredOnesGoFirstThenClosingOnesAndOthersNever()
    {
        using var table = new FullTable.Kernels();
        ShowOrder(table);
    }

    [Fact]
    public void WhoFindsOnlyExpiredOnesIsRefusedAndTheNextHasTheirRoom()
    {
        using var table = new FullTable.Ours(OurMax, Close);
        ShowExpired(table);
    }

    [KernelFact]
    public void InTheKernelWhoFindsOnlyExpiredOnesIsRefusedAndTheNextHasTheirRoom()
    {
        using var table = new FullTable.Kernels(Close);
        ShowExpired(table);
    }

    private void ShowOrder(FullTable table)
    {
        var siege = new Siege(table).Run();
        output.WriteLine($"{table.Max} entries; refused: {siege.RefusedSyns} SYNs of the flood, {siege.RefusedConnections} connections under pressure");
        output.WriteLine("what survives    SYNs  connections  pressure");
        foreach (var kind in ConnectionClass.All)
            output.WriteLine($"{kind,-20} {siege.AfterSyns[kind]:F2}  {siege.AfterCrowd[kind]:F2}  {siege.AfterPressure[kind]:F2}");

        // Of what is not ASSURED, as many make room as there are new ones, without a difference: 1/e survive. A SYN is refused that
        // finds none among sixteen entries, hardly one of a million; among eight it would be one of three thousand.
        Assert.InRange(siege.RefusedSyns, 0, 2);
        Assert.All(Of(Goes.First), kind => Assert.InRange(siege.AfterSyns[kind], 0.1, 0.65));
        Assert.All(Of(Goes.UnderPressure), kind => Assert.Equal(1, siege.AfterSyns[kind]));

        Assert.All(Of(Goes.First), kind => Assert.InRange(siege.AfterCrowd[kind], 0, 0.2));
        Assert.True(siege.RefusedConnections > 100, $"{siege.RefusedConnections} connections were refused");

        Assert.All(Of(Goes.First), kind => Assert.InRange(siege.AfterPressure[kind], 0, 0.2));
        Assert.All(Of(Goes.UnderPressure), kind => Assert.InRange(siege.AfterPressure[kind], 0, Siege.Pressed));
        Assert.All(Of(Goes.Never), kind => Assert.Equal((1, 1, 1), (siege.AfterSyns[kind], siege.AfterCrowd[kind], siege.AfterPressure[kind])));
    }

    /// <summary>Of a full table every twelfth entry is over, and all others are in use.</summary>
    private void ShowExpired(FullTable table)
    {
        const int probes = 200;
        var closed = ConnectionClass.All.Single(kind => kind.Name == "TCP CLOSE");
        for (var i = 0; i < table.Max / 12 * 11; i++)
            foreach (var packet in ConnectionClass.Tcp(i, 301, 3)) table.Send(packet);
        var number = 0;
        // Not where the kernel has just collected them by itself.
        for (var attempt = 0; attempt == 0 || table.Count < table.Max; attempt++)
        {
            Assert.True(attempt < 10, "the table does not get full");
            for (var missing = table.Max - table.Count; missing > 0; missing--)
                foreach (var packet in closed.Packets(number++)) table.Send(packet);
            table.Wait(TimeSpan.FromSeconds(Close + 0.1));
        }

        var (refused, roomForTheNext) = (0, 0);
        for (var i = 0; i < probes; i++)
        {
            if (table.Send(ConnectionClass.Tcp(i, 302, 1)[0])) continue;
            refused++;
            if (table.Count >= table.Max) continue;
            roomForTheNext++;
            Assert.True(table.Send(ConnectionClass.Tcp(i, 303, 1)[0]), "there was room, and it was refused");
        }
        output.WriteLine($"of {probes} SYNs {refused} were refused; {roomForTheNext} times there was room for the next");
        Assert.InRange(roomForTheNext, probes / 20, probes);
    }

    private static IEnumerable<ConnectionClass> Of(Goes goes) => ConnectionClass.All.Where(kind => kind.Goes == goes);
}
