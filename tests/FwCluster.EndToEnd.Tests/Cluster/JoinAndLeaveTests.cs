using System.Collections.Concurrent;
using FwCluster.EndToEnd.Tests.Firewalls;
using FwCluster.EndToEnd.Tests.Gateways;
using FwCluster.Referee;

namespace FwCluster.EndToEnd.Tests.Cluster;

/// <summary>Nodes come and go while others work.</summary>
[Collection(ClusterTests.Name)]
public class JoinAndLeaveTests
{
    private const int KiB = 1024;
    private const int SideBySide = 3;

    /// <summary>How often a node leaves and joins again.</summary>
    private static readonly int Changes = ClusterSetup.Number("FWCLUSTER_TEST_CHANGES", 2);

    /// <summary>
    /// One node after another is taken out of the routes, told to stop, started again and taken back: what an operator does to change its
    /// host. Sessions go on meanwhile, over the other two, and what the node knew of them is known to those.
    /// </summary>
    [KernelFact]
    public void NoTransferFailsWhileNodesLeaveAndJoin()
    {
        using var field = new GatewaysField(3, 64 * KiB) { Client = "ftp" };
        var nodes = field.Lab.StartCluster().ToArray();
        var restarted = new List<FwClusterFirewall>();
        using var stop = new CancellationTokenSource();
        try
        {
            field.Lab.RouteSplit();
            var failed = new ConcurrentBag<FailedTransfer>();
            var rounds = 0;
            var load = Task.Factory.StartNew(() =>
            {
                for (; !stop.IsCancellationRequested; rounds++)
                    foreach (var failure in field.FetchInEveryWay(64 * KiB, times: 8, seconds: 60, parallel: SideBySide, perLogin: 8)) failed.Add(failure);
            }, stop.Token, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            for (var change = 0; change < Changes; change++)
            {
                var leaving = change % 3;
                var (control, everythingElse) = ((leaving + 1) % 3, (leaving + 2) % 3);
                field.Lab.RouteSplit(control, everythingElse);
                AwaitLogins(field, load);
                nodes[leaving].Stop();
                AwaitLogins(field, load);
                restarted.Add(nodes[leaving] = field.Lab.StartNode(leaving));
                AwaitLogins(field, load);
            }
            stop.Cancel();
            load.Wait(TestContext.Current.CancellationToken);
            Assert.True(failed.IsEmpty, $"{failed.Count} of {rounds} rounds of {8 * GatewaysField.Ways.Count} failed:\n{string.Join('\n', failed)}");
            Assert.True(rounds >= Changes, $"only {rounds} rounds of transfers");
            // Who came last gets his share at the coordinator's next look.
            Assert.All(nodes, node => Assert.True(
                SpinWait.SpinUntil(() => !node.ReadStatistics().Contains("cluster shards=0", StringComparison.Ordinal), TimeSpan.FromSeconds(20)), node.ReadStatistics()));
        }
        finally
        {
            stop.Cancel();
            foreach (var node in restarted) node.Dispose();
        }
    }

    /// <summary>Waits until as many sessions have begun since as there are side by side: some go on from before, some know nothing else.</summary>
    private static void AwaitLogins(GatewaysField field, Task load)
    {
        var before = field.Logins;
        Assert.True(SpinWait.SpinUntil(() => field.Logins >= before + SideBySide || load.IsFaulted, TimeSpan.FromSeconds(90)) && !load.IsFaulted,
            $"{field.Logins - before} sessions began. {load.Exception}");
    }
}
