using FwCluster.Referee;
using FwCluster.Referee.Lab;

namespace FwCluster.EndToEnd.Tests.Cluster;

/// <summary>Two nodes of one name.</summary>
[Collection(ClusterTests.Name)]
public class NamesakeTests
{
    /// <summary>The second one ends, and says why; the first goes on. (Who is let in is in the cluster's own tests; this is the daemons' word of it, and takes a while.)</summary>
    [KernelFact(Explicit = true)]
    public void TheSecondNodeOfANameIsRefused()
    {
        using var gateways = new RuledGateways(2);
        gateways.Start(0, "control.wait-seconds=1"); // nobody else comes for now
        var failure = Assert.Throws<AggregateException>(() => gateways.StartAs(1, RuledGateways.NameOf(0)));
        var ended = Assert.IsType<CommandFailedException>(failure.GetBaseException());
        Assert.Contains("ended with 1:", ended.Message, StringComparison.Ordinal);
        Assert.Contains("control.name: 'gateway0' is the name of the node 10.73.0.1:4053, too; each node of a cluster needs a name of its own", ended.Message, StringComparison.Ordinal);
        Assert.NotNull(gateways.TryGeneration(0));

        // With a name of its own it is let in.
        gateways.Start(1);
        Assert.Equal(gateways.TryGeneration(0), gateways.TryGeneration(1));
    }
}
