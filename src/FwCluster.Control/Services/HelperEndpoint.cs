using FwCluster.Api.V1;
using FwCluster.Control.Access;
using FwCluster.Control.Nodes;
using Grpc.Core;

namespace FwCluster.Control.Services;

/// <summary>Answers <see cref="HelperService"/>.</summary>
internal sealed class HelperEndpoint(IControlledCluster cluster) : HelperService.HelperServiceBase
{
    /// <inheritdoc/>
    public override async Task<ListHelpersResponse> List(ListHelpersRequest request, ServerCallContext context)
    {
        var response = new ListHelpersResponse();
        var lists = await Task.WhenAll(cluster.Nodes.Select(node => node.HelpersAsync())).ConfigureAwait(false);
        foreach (var helper in lists[0])
        {
            helper.Loaded = lists.All(list => list.Any(h => h.Name == helper.Name && h.Loaded));
            response.Helpers.Add(helper);
        }
        return response;
    }

    /// <inheritdoc/>
    public override async Task<LoadHelperResponse> Load(LoadHelperRequest request, ServerCallContext context)
        => new() { Helper = await SetAsync(request.Name, true, context).ConfigureAwait(false) };

    /// <inheritdoc/>
    public override async Task<UnloadHelperResponse> Unload(UnloadHelperRequest request, ServerCallContext context)
        => new() { Helper = await SetAsync(request.Name, false, context).ConfigureAwait(false) };

    private async Task<Helper> SetAsync(string name, bool loaded, ServerCallContext context)
    {
        var what = $"{(loaded ? "load" : "unload")} helper {name}";
        context.Note(what);
        Helper? after = null;
        foreach (var node in cluster.Nodes)
        {
            if (await node.SetHelperAsync(name, loaded).ConfigureAwait(false) is not { } change)
                throw new RpcException(new Status(StatusCode.NotFound, $"there is no helper '{name}'"));
            context.Note(what, Describe(change.Before), Describe(change.After));
            after = change.After;
        }
        return after!;
    }

    private static string Describe(Helper helper) => helper.Loaded ? "loaded" : "not loaded";
}
