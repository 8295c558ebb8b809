using FwCluster.EndToEnd.Tests.Gateways;
using FwCluster.Referee;

namespace FwCluster.EndToEnd.Tests.Cluster;

/// <summary>A node that the others take for dead, and that is not.</summary>
[Collection(ClusterTests.Name)]
public class LostNodeTests
{
    private const int KiB = 1024;
    private const int SigCont = 18;
    private const int SigStop = 19;

    /// <summary>It ends with an error, so that whoever supervises it starts it again; it must not go on deciding packets by itself. The others go on.</summary>
    [KernelFact]
    public void ItEndsWhenItComesToItself()
    {
        using var field = new GatewaysField(3, KiB) { Client = "ftp" };
        var nodes = field.Lab.StartCluster();
        nodes[2].Signal(SigStop);
        Assert.True(SpinWait.SpinUntil(() => nodes.Take(2).Sum(ClusterSetup.Shards) == 64, TimeSpan.FromSeconds(30)), "its shards were not begun elsewhere");
        nodes[2].Signal(SigCont);
        Assert.Equal(2, nodes[2].WaitForEnd());
        Assert.Contains("the other nodes took this one for dead", nodes[2].Log, StringComparison.Ordinal);
        field.Lab.RouteSplit();
        Assert.Empty(field.FetchInEveryWay(KiB, times: 1, seconds: 30, parallel: 2));
    }
}
