using System.Collections;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using FwCluster.Cluster.Calls;
using FwCluster.Control.Rulesets;
using FwCluster.Node.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace FwCluster.Node.Metrics;

/// <summary>Who gets to see metrics and traces: Prometheus, who asks for metrics, and OpenTelemetry's collector, which both are sent to.</summary>
internal static class Telemetry
{
    /// <summary>Where metrics are asked for.</summary>
    public const string Path = "/metrics";

    private const int MostShards = 4096;
    private const string RuntimeMeter = "System.Runtime"; // the runtime's own: processor, memory, collections, threads
    private const string CollectorVariables = "OTEL_"; // OpenTelemetry's, for what is no setting of the daemon: headers, resource attributes, time limits

    /// <summary>Adds what tells.</summary>
    public static void Add(WebApplicationBuilder builder, NodeSettings settings)
    {
        var telemetry = settings.Telemetry;
        builder.Configuration.AddInMemoryCollection(Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Where(v => ((string)v.Key).StartsWith(CollectorVariables, StringComparison.Ordinal)).Select(v => KeyValuePair.Create((string)v.Key, (string?)v.Value)));
        builder.Services.AddSingleton<NodeMetrics>().AddSingleton<Sampler>().AddHostedService(services => services.GetRequiredService<Sampler>());
        var open = builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("fwclusterd", serviceNamespace: "fwcluster", serviceVersion: Version,
                serviceInstanceId: settings.Control?.Name ?? Environment.MachineName))
            .WithMetrics(metrics =>
            {
                metrics.AddMeter(NodeMetrics.MeterName, NodeMetrics.RuleMeterName, RuntimeMeter)
                    .AddView(instrument => instrument.Meter.Name == NodeMetrics.RuleMeterName
                        ? new MetricStreamConfiguration { CardinalityLimit = NodeMetrics.RoomForRules(telemetry) + telemetry.MostRules + 1024 }
                        : instrument.Name == "fwcluster.shard.entries" ? new MetricStreamConfiguration { CardinalityLimit = MostShards + 1 } : null)
                    // An answer is not given twice: it would be older than the look that was taken for it.
                    .AddPrometheusExporter(prometheus => (prometheus.ScopeInfoEnabled, prometheus.ScrapeResponseCacheDurationMilliseconds) = (false, 0));
                if (telemetry.Collector is not null)
                {
                    metrics.AddOtlpExporter((exporter, reader) =>
                    {
                        SetUp(exporter, telemetry, "v1/metrics");
                        reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = (int)telemetry.CollectorEvery.TotalMilliseconds;
                    });
                }
            });
        if (telemetry.Collector is not null)
            open.WithTracing(traces => traces.AddSource(RulesetTraces.SourceName, ClusterCalls.TraceSource).AddOtlpExporter(exporter => SetUp(exporter, telemetry, "v1/traces")));
    }

    /// <summary>Adds where Prometheus asks. On the network nothing else is answered.</summary>
    public static void Map(WebApplication app)
    {
        app.Use((context, next) =>
        {
            var isFromNetwork = context.Connection.LocalIpAddress is not null;
            if (context.Request.Path != Path)
            {
                if (!isFromNetwork) return next(context);
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return Task.CompletedTask;
            }
            return AfterALook();

            async Task AfterALook()
            {
                await context.RequestServices.GetRequiredService<Sampler>().RefreshAsync().ConfigureAwait(false);
                await next(context).ConfigureAwait(false);
            }
        });
        app.MapPrometheusScrapingEndpoint(Path);
    }

    /// <summary>Sees whether Prometheus' address can be listened on: once the server tries, packets are being decided.</summary>
    /// <exception cref="SettingsException">It cannot be.</exception>
    public static void TryListen(IPEndPoint address)
    {
        try
        {
            using var trial = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            trial.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true); // as the server does: what is left of connections is no hindrance
            trial.Bind(address);
            trial.Listen();
        }
        catch (SocketException e)
        {
            throw new SettingsException($"metrics.listen is '{address}', which cannot be listened on: {e.Message}");
        }
    }

    private static string Version => typeof(Telemetry).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "";

    private static void SetUp(OtlpExporterOptions exporter, TelemetrySettings telemetry, string path)
    {
        exporter.Protocol = telemetry.CollectorTakesHttp ? OtlpExportProtocol.HttpProtobuf : OtlpExportProtocol.Grpc;
        // By HTTP each kind has a path of its own, which is only added to an address that the exporter found by itself.
        exporter.Endpoint = telemetry.CollectorTakesHttp ? new Uri($"{telemetry.Collector!.AbsoluteUri.TrimEnd('/')}/{path}") : telemetry.Collector!;
    }
}
