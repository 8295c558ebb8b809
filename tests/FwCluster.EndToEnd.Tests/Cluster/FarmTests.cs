using System.Text.Json;
using FwCluster.EndToEnd.Tests.Firewalls;
using FwCluster.Referee;
using FwCluster.Referee.Lab;

namespace FwCluster.EndToEnd.Tests.Cluster;

/// <summary>Eight servers behind three gateways with equal-cost routes, 200 clients at once.</summary>
[Collection(ClusterTests.Name)]
public class FarmTests
{
    /// <summary>For how long the clients transfer.</summary>
    private static readonly int Seconds = ClusterSetup.Number("FWCLUSTER_TEST_FARM_SECONDS", 60);

    /// <summary>
    /// Each direction of each flow crosses the gateway that its hash says. All files arrive as they were, and when all is closed no entry is left
    /// on any node.
    /// </summary>
    [KernelFact]
    public void AllFilesArriveAndNoEntryIsLeft()
    {
        var script = Path.Combine(Repository.Root, "bench", "split", "farm.sh");
        var result = Command.TryRun("env", [$"FWCLUSTERD={FwClusterFirewall.Program}", script, "--seconds", $"{Seconds}", "--clients", "200", "fwcluster"],
            timeout: TimeSpan.FromSeconds(Seconds + 180));
        Assert.True(result.ExitCode == 0, result.Output + result.Error);
        using var counted = JsonDocument.Parse(result.Output);
        var root = counted.RootElement;
        Assert.Equal(0, root.GetProperty("failed").GetInt32());
        Assert.Equal(0, root.GetProperty("entries_left").GetInt32());
        Assert.All((string[])["passive", "active", "fetched", "stored"], kind => Assert.NotEqual(0, root.GetProperty(kind).GetInt32()));
        Assert.InRange(root.GetProperty("transfers").GetInt32(), 400, int.MaxValue);
    }
}
