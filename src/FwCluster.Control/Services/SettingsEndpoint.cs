using FwCluster.Api.V1;
using FwCluster.Control.Access;
using FwCluster.Control.Nodes;
using Grpc.Core;

namespace FwCluster.Control.Services;

/// <summary>Answers <see cref="SettingsService"/>.</summary>
internal sealed class SettingsEndpoint(IControlledCluster cluster) : SettingsService.SettingsServiceBase
{
    /// <inheritdoc/>
    public override async Task<GetSettingsResponse> Get(GetSettingsRequest request, ServerCallContext context)
    {
        var response = new GetSettingsResponse();
        response.Settings.Add(await SettingsAsync().ConfigureAwait(false));
        return response;
    }

    /// <inheritdoc/>
    public override async Task<SetSettingsResponse> Set(SetSettingsRequest request, ServerCallContext context)
    {
        var before = await SettingsAsync().ConfigureAwait(false);
        string Describe(IDictionary<string, long> settings)
            => string.Join(' ', request.Settings.Keys.Order(StringComparer.Ordinal).Select(name => $"{name}={(settings.TryGetValue(name, out var value) ? value : "none")}"));
        context.Note("change settings", Describe(before));
        // What is wrong here is wrong everywhere, and nothing has been changed yet.
        if (await cluster.Own.ChangeSettingsAsync(request.Settings).ConfigureAwait(false) is { } mistake) throw new FilterException(mistake);
        var response = new SetSettingsResponse();
        IControlledNode[] others = [.. cluster.Named("", context).Where(node => node.Name != cluster.Own.Name)];
        if (others.Length > 0)
        {
            foreach (var (node, wrong) in await ((IReadOnlyList<IControlledNode>)[cluster.Own, .. others])
                .AskAsync(node => node == cluster.Own ? Task.FromResult<string?>(null) : node.ChangeSettingsAsync(request.Settings), response.Failures).ConfigureAwait(false))
            {
                if (wrong is not null) response.Failures.Add(new NodeFailure { Node = node.Name, Reason = wrong });
            }
        }
        var after = await SettingsAsync().ConfigureAwait(false);
        context.Note("change settings", Describe(before), Describe(after));
        response.Settings.Add(after);
        return response;
    }

    private async Task<IDictionary<string, long>> SettingsAsync()
        => new Dictionary<string, long>(await cluster.Own.SettingsAsync().ConfigureAwait(false));
}
