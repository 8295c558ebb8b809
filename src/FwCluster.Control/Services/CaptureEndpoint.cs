using FwCluster.Api.V1;
using FwCluster.Control.Nodes;
using Grpc.Core;

namespace FwCluster.Control.Services;

/// <summary>Answers <see cref="CaptureService"/>.</summary>
internal sealed class CaptureEndpoint(IControlledCluster cluster) : CaptureService.CaptureServiceBase
{
    /// <inheritdoc/>
    public override async Task<ListPortsResponse> ListPorts(ListPortsRequest request, ServerCallContext context)
    {
        var response = new ListPortsResponse();
        foreach (var (_, ports) in await cluster.Named(request.Node, context).AskAsync(node => node.PortsAsync(), response.Failures).ConfigureAwait(false)) response.Ports.Add(ports);
        return response;
    }
}
