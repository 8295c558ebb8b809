using FwCluster.Api.V1;
using Grpc.Core;

namespace FwCluster.Cli.Top;

/// <summary>What <c>fwctl top</c> has read of all nodes at one time.</summary>
/// <param name="Time">When.</param>
/// <param name="Nodes">The nodes.</param>
/// <param name="Ports">Their ports.</param>
/// <param name="Shards">What their shards have counted.</param>
/// <param name="Counters">What rules have counted, on all nodes or on one.</param>
internal sealed record TopReading(DateTimeOffset Time, ClusterStatusResponse Nodes, ListPortsResponse Ports, ConntrackStatisticsResponse Shards, ReadCountersResponse Counters)
{
    /// <summary>Nodes that are missing in it.</summary>
    public IEnumerable<NodeFailure> Failures => Ports.Failures.Concat(Shards.Failures).Concat(Counters.Failures).DistinctBy(failure => failure.Node);

    /// <summary>Reads.</summary>
    /// <param name="invoker">Where from.</param>
    /// <param name="node">The node whose rules are meant; empty for the sum over all.</param>
    /// <param name="stop">Ends it.</param>
    public static async Task<TopReading> ReadAsync(CallInvoker invoker, string node, CancellationToken stop)
    {
        // All at once: the numbers are of the same moment, as nearly as they can be.
        using var nodes = new ClusterService.ClusterServiceClient(invoker).StatusAsync(new(), cancellationToken: stop);
        using var ports = new CaptureService.CaptureServiceClient(invoker).ListPortsAsync(new(), cancellationToken: stop);
        using var shards = new ConntrackService.ConntrackServiceClient(invoker).StatisticsAsync(new(), cancellationToken: stop);
        using var counters = new CountersService.CountersServiceClient(invoker).ReadAsync(new() { Selection = new() { Node = node } }, cancellationToken: stop);
        return new TopReading(DateTimeOffset.UtcNow, await nodes.ConfigureAwait(false), await ports.ConfigureAwait(false), await shards.ConfigureAwait(false),
            await counters.ConfigureAwait(false));
    }
}
