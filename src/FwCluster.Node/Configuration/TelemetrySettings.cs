using System.Net;

namespace FwCluster.Node.Configuration;

/// <summary>Who is told what the daemon counts.</summary>
/// <param name="Listen">The address that Prometheus asks, or null.</param>
/// <param name="MostRules">Rules that have series of their own, at most.</param>
/// <param name="Collector">OpenTelemetry's collector, which metrics and traces are sent to, or null.</param>
/// <param name="CollectorTakesHttp">It takes OTLP by HTTP; else by gRPC.</param>
/// <param name="CollectorEvery">How often metrics are sent.</param>
public sealed record TelemetrySettings(IPEndPoint? Listen, int MostRules, Uri? Collector, bool CollectorTakesHttp, TimeSpan CollectorEvery);
