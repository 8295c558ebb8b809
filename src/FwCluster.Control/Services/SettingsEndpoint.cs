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
        foreach (var node in cluster.Nodes)
            if (await node.ChangeSettingsAsync(request.Settings).ConfigureAwait(false) is { } wrong)
                throw new FilterException(wrong);
        var after = await SettingsAsync().ConfigureAwait(false);
        context.Note("change settings", Describe(before), Describe(after));
        var response = new SetSettingsResponse();
        response.Settings.Add(after);
        return response;
    }

    private async Task<IDictionary<string, long>> SettingsAsync()
        => new Dictionary<string, long>(await cluster.Nodes[0].SettingsAsync().ConfigureAwait(false));
}
