using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using FwCluster.Node.Tests.Metrics.Otlp;
using FwCluster.Referee.Lab;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace FwCluster.Node.Tests.Metrics;

/// <summary>A collector that keeps what it is sent by OTLP, over gRPC and over HTTP, on loopback of a namespace.</summary>
internal sealed class OtlpReceiver : IDisposable
{
    public const int GrpcPort = 4317;
    public const int HttpPort = 4318;

    private readonly ConcurrentQueue<Span> _spans = new();
    private readonly ConcurrentDictionary<string, string> _metrics = new();
    private readonly ConcurrentDictionary<string, string> _resource = new();
    private readonly Socket[] _sockets; // the server has their handles
    private readonly WebApplication _app;

    public OtlpReceiver(NetworkNamespace where)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        _sockets = [Listen(where, GrpcPort), Listen(where, HttpPort)];
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ListenHandle((ulong)_sockets[0].SafeHandle.DangerousGetHandle(), listen => listen.Protocols = HttpProtocols.Http2);
            kestrel.ListenHandle((ulong)_sockets[1].SafeHandle.DangerousGetHandle());
        });
        _app = builder.Build();
        MapGrpc("/opentelemetry.proto.collector.trace.v1.TraceService/Export", Take);
        MapGrpc("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", TakeMetrics);
        _app.MapPost("/v1/traces", async (HttpRequest request) => Take(await ReadAsync(request)));
        _app.MapPost("/v1/metrics", async (HttpRequest request) => TakeMetrics(await ReadAsync(request)));
        _app.StartAsync().GetAwaiter().GetResult();
    }

    /// <summary>The spans that came.</summary>
    public IReadOnlyCollection<Span> Spans => _spans;

    /// <summary>The units of the metrics that came, by name.</summary>
    public IReadOnlyDictionary<string, string> Metrics => _metrics;

    /// <summary>What they all came from.</summary>
    public IReadOnlyDictionary<string, string> Resource => _resource;

    public void Dispose()
    {
        _app.DisposeAsync().AsTask().GetAwaiter().GetResult();
        foreach (var socket in _sockets) socket.Dispose();
    }

    private static Socket Listen(NetworkNamespace where, int port) => where.Run(() =>
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
        return socket;
    });

    private void Take(byte[] message)
    {
        foreach (var spans in ExportTraceServiceRequest.Parser.ParseFrom(message).ResourceSpans)
        {
            Note(spans.Resource);
            foreach (var span in spans.ScopeSpans.SelectMany(scope => scope.Spans)) _spans.Enqueue(span);
        }
    }

    private void TakeMetrics(byte[] message)
    {
        foreach (var metrics in ExportMetricsServiceRequest.Parser.ParseFrom(message).ResourceMetrics)
        {
            Note(metrics.Resource);
            foreach (var metric in metrics.ScopeMetrics.SelectMany(scope => scope.Metrics)) _metrics[metric.Name] = metric.Unit;
        }
    }

    private void Note(Resource resource)
    {
        foreach (var attribute in resource.Attributes) _resource[attribute.Key] = attribute.Value.StringValue;
    }

    private void MapGrpc(string method, Action<byte[]> take) => _app.MapPost(method, async context =>
    {
        var message = await ReadAsync(context.Request);
        var length = BinaryPrimitives.ReadInt32BigEndian(message.AsSpan(1)); // a byte that says whether it is compressed, the length, the message
        take(message[5..(5 + length)]);
        context.Response.ContentType = "application/grpc";
        await context.Response.Body.WriteAsync(new byte[5]);
        context.Response.AppendTrailer("grpc-status", "0");
    });

    private static async Task<byte[]> ReadAsync(HttpRequest request)
    {
        using var bytes = new MemoryStream();
        await request.Body.CopyToAsync(bytes);
        return bytes.ToArray();
    }
}
