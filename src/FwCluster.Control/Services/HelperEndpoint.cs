using FwCluster.Api.V1;
using FwCluster.Control.Access;
using FwCluster.Control.Nodes;
using Google.Protobuf.Collections;
using Grpc.Core;

namespace FwCluster.Control.Services;

/// <summary>Answers <see cref="HelperService"/>.</summary>
internal sealed class HelperEndpoint(IControlledCluster cluster) : HelperService.HelperServiceBase
{
    /// <inheritdoc/>
    public override async Task<ListHelpersResponse> List(ListHelpersRequest request, ServerCallContext context)
    {
        var response = new ListHelpersResponse();
        var lists = await cluster.Named("", context).AskAsync(node => node.HelpersAsync(), response.Failures).ConfigureAwait(false);
        foreach (var helper in lists[0].Answer)
        {
            helper.Loaded = lists.All(list => list.Answer.Any(h => h.Name == helper.Name && h.Loaded));
            response.Helpers.Add(helper);
        }
        return response;
    }

    /// <inheritdoc/>
    public override async Task<LoadHelperResponse> Load(LoadHelperRequest request, ServerCallContext context)
    {
        var response = new LoadHelperResponse();
        response.Helper = await SetAsync(request.Name, true, response.Failures, context).ConfigureAwait(false);
        return response;
    }

    /// <inheritdoc/>
    public override async Task<UnloadHelperResponse> Unload(UnloadHelperRequest request, ServerCallContext context)
    {
        var response = new UnloadHelperResponse();
        response.Helper = await SetAsync(request.Name, false, response.Failures, context).ConfigureAwait(false);
        return response;
    }

    private async Task<Helper> SetAsync(string name, bool loaded, RepeatedField<NodeFailure> failures, ServerCallContext context)
    {
        var what = $"{(loaded ? "load" : "unload")} helper {name}";
        context.Note(what);
        var changes = await cluster.Named("", context).AskAsync(node => node.SetHelperAsync(name, loaded), failures).ConfigureAwait(false);
        if (changes.All(change => change.Answer is null)) throw new RpcException(new Status(StatusCode.NotFound, $"there is no helper '{name}'"));
        failures.Add(changes.Where(change => change.Answer is null).Select(change => new NodeFailure { Node = change.Node.Name, Reason = $"it has no helper '{name}'" }));
        var made = changes.Select(change => change.Answer).OfType<(Helper Before, Helper After)>().ToList();
        context.Note(what, Describe(made.Select(m => m.Before)), Describe(made.Select(m => m.After)));
        var helper = made[0].After;
        helper.Loaded = made.All(m => m.After.Loaded);
        return helper;
    }

    private static string Describe(IEnumerable<Helper> helpers)
        => helpers.CountBy(helper => helper.Loaded).ToList() is [var (isLoaded, _)] ? isLoaded ? "loaded" : "not loaded" : "loaded on some nodes";
}
