using System.Globalization;
using System.Net.Http.Json;
using FwCluster.Control.Rulesets.Followed;
using FwCluster.Node.Configuration;
using Microsoft.Extensions.Logging;

namespace FwCluster.Node.Kubernetes;

/// <summary>Tells what became of changed rules as an Event (core/v1) about the ConfigMap that they come from.</summary>
/// <param name="settings">Which ConfigMap, and where the API server is.</param>
/// <param name="node">The name of this node of the cluster.</param>
/// <param name="log">Where is told that nobody could be told.</param>
internal sealed partial class RulesEvents(KubernetesSettings settings, string node, ILogger log)
{
    /// <summary>The API takes no more of a message.</summary>
    private const int MostMessage = 1024;

    private const string Component = "fwclusterd";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan[] Pauses = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5), TimeSpan.Zero];

    private readonly PodAccount _account = new(settings);

    /// <summary>Tells; tries again where it fails, and says in the log where it fails in the end.</summary>
    public async Task TellAsync(FollowedChange change, CancellationToken cancellation)
    {
        foreach (var pause in Pauses)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            patience.CancelAfter(Patience);
            try
            {
                var where = _account.Namespace;
                using var content = JsonContent.Create(EventOf(change, where), RulesEventJson.Default.RulesEvent);
                await _account.PostAsync($"/api/v1/namespaces/{Uri.EscapeDataString(where)}/events", content, patience.Token).ConfigureAwait(false);
                return;
            }
            catch (Exception e) when (e is HttpRequestException or IOException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
            {
                LogUntold(log, settings.ConfigMap, e.InnerException is { } inner ? $"{e.Message} {inner.Message}" : e.Message);
            }
            await Task.Delay(pause, cancellation).ConfigureAwait(false);
        }
    }

    private RulesEvent EventOf(FollowedChange change, string where)
    {
        var now = DateTimeOffset.UtcNow.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
        var message = change.Generation is null ? $"Nothing was changed: {change.Message}" : $"Applied: {change.Message}";
        return new RulesEvent
        {
            // Each is an event of its own: the API makes the name.
            Metadata = new RulesEventMetadata(settings.ConfigMap + ".", where),
            InvolvedObject = new RulesEventObject("v1", "ConfigMap", settings.ConfigMap, where),
            Type = change.Generation is null ? "Warning" : "Normal",
            Reason = change.Generation is null ? "RulesRefused" : "RulesApplied",
            Message = message.Length > MostMessage ? message[..(MostMessage - 3)] + "..." : message,
            Source = new RulesEventSource(Component, node),
            FirstTimestamp = now,
            LastTimestamp = now,
            Count = 1,
        };
    }

    [LoggerMessage(LogLevel.Warning, "No Event could be made about the ConfigMap {ConfigMap}: {Message}")]
    private static partial void LogUntold(ILogger log, string configMap, string message);
}
