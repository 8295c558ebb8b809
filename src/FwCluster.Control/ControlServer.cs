using System.Net;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using FwCluster.Control.Access;
using FwCluster.Control.Nodes;
using FwCluster.Control.OpenApi;
using FwCluster.Control.Services;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace FwCluster.Control;

/// <summary>
/// The control plane's server: the API by gRPC, and by JSON over HTTP. Each call goes through <see cref="AccessInterceptor"/>. Plain text is spoken
/// on a loopback address and on a Unix socket only.
/// </summary>
public sealed class ControlServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private ControlServer(WebApplication app) => _app = app;

    /// <summary>Where it listens, once it is started: <c>https://127.0.0.1:4054</c>, <c>http://unix:/run/...</c>.</summary>
    public IReadOnlyCollection<string> Addresses
        => [.. _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses ?? []];

    /// <summary>Makes a server.</summary>
    /// <param name="settings">Where it listens, and who gets in.</param>
    /// <param name="cluster">What it rules over.</param>
    /// <param name="logs">Where it logs.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="AccessFileException">A file that access rests on cannot be used.</exception>
    /// <exception cref="ArgumentException">The settings contradict each other.</exception>
    public static ControlServer Create(ControlSettings settings, IControlledCluster cluster, ILoggerFactory logs, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(settings);
        Check(settings);
        var authorities = settings.Authority is { } file ? new RereadFiles<X509Certificate2Collection>(() => AccessFiles.ReadAuthorities(file), file) : null;
        var builder = BareServer.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.Services.Replace(ServiceDescriptor.Singleton(logs));
        builder.Services.AddSingleton(cluster).AddSingleton(time)
            .AddSingleton(new CallerIdentification(
                authorities is null ? null : new ClientCertificates(authorities, time), settings.Tokens is null ? null : new TokenFile(settings.Tokens)))
            .AddSingleton(_ => new CallLimits(settings.CallsPerSecond, settings.StreamsPerCaller))
            .AddSingleton(new AuditLog(settings.Audit, logs))
            .AddSingleton<AccessInterceptor>();
        builder.Services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = settings.MaxRequestBytes;
            grpc.Interceptors.Add<AccessInterceptor>();
        }).AddJsonTranscoding(json => json.JsonSettings.WriteInt64sAsStrings = true); // as everybody writes protobuf's JSON
        builder.Services.AddGrpcReflection();
        builder.Services.AddGrpcHealthChecks(health => health.Services.Map("", _ => true)).AddCheck("packets", new OwnHealth(cluster));
        builder.WebHost.ConfigureKestrel(kestrel => Listen(kestrel, settings));
        var app = builder.Build();
        app.Use((context, next) => new CallTimeout(settings.CallTimeout).RunAsync(context, next));
        app.MapGrpcService<RulesetEndpoint>();
        app.MapGrpcService<ConntrackEndpoint>();
        app.MapGrpcService<CountersEndpoint>();
        app.MapGrpcService<ClusterEndpoint>();
        app.MapGrpcService<HelperEndpoint>();
        app.MapGrpcService<CaptureEndpoint>();
        app.MapGrpcService<SettingsEndpoint>();
        app.MapGrpcReflectionService();
        app.MapGrpcHealthChecksService();
        app.MapGet("/v1/openapi.json", OpenApi);
        return new ControlServer(app);
    }

    /// <summary>Begins to listen.</summary>
    /// <exception cref="IOException">An address cannot be listened on.</exception>
    public Task StartAsync(CancellationToken cancellation = default) => _app.StartAsync(cancellation);

    /// <summary>Ends; streams are ended, calls are waited for, a while.</summary>
    public Task StopAsync(CancellationToken cancellation = default) => _app.StopAsync(cancellation);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _app.DisposeAsync();

    /// <summary>The one answer that is no call: whoever gets in may read it.</summary>
    private static IResult OpenApi(HttpContext context, CallerIdentification identification, CallLimits limits)
    {
        var caller = identification.Identify(context, out var why);
        if (!limits.TryCall(caller?.Name ?? context.Connection.RemoteIpAddress?.ToString() ?? "socket")) return Results.StatusCode(StatusCodes.Status429TooManyRequests);
        return caller is null
            ? Results.Text(why + "\n", statusCode: StatusCodes.Status401Unauthorized)
            : Results.Text(OpenApiDocument.Json, "application/json");
    }

    private static void Check(ControlSettings settings)
    {
        if (settings.Listen is not null && (settings.Certificate is null || settings.Key is null))
            throw new ArgumentException("to listen with TLS takes a certificate and its key; fwctl pki node makes them", nameof(settings));
        if (settings.PlainListen is { } plain && !IPAddress.IsLoopback(plain.Address))
            throw new ArgumentException($"{plain} is no loopback address; plain text is for 127.0.0.1 and ::1 only", nameof(settings));
        if (settings.Listen is not null && settings.Authority is null && settings.Tokens is null)
            throw new ArgumentException("nobody could get in: there is neither an authority for client certificates nor a file of tokens", nameof(settings));
    }

    private static void Listen(KestrelServerOptions kestrel, ControlSettings settings)
    {
        kestrel.AddServerHeader = false;
        // A client that is gone without a word does not keep its watches for ever.
        (kestrel.Limits.Http2.KeepAlivePingDelay, kestrel.Limits.Http2.KeepAlivePingTimeout) = (TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(20));
        kestrel.Limits.MaxRequestBodySize = settings.MaxRequestBytes + 64 * 1024L;
        if (settings.Socket is { } socket) kestrel.ListenUnixSocket(socket, listen => listen.Protocols = HttpProtocols.Http2);
        if (settings.PlainListen is { } plain) kestrel.Listen(plain, listen => listen.Protocols = HttpProtocols.Http2);
        if (settings.Listen is not { } address) return;
        var certificate = new RereadFiles<X509Certificate2>(() => AccessFiles.ReadCertificate(settings.Certificate!, settings.Key!), settings.Certificate!, settings.Key!);
        kestrel.Listen(address, listen =>
        {
            listen.Protocols = HttpProtocols.Http1AndHttp2;
            listen.UseHttps(new HttpsConnectionAdapterOptions
            {
                ServerCertificateSelector = (_, _) => certificate.Current,
                SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                // Asked for, and judged with each call, where the answer can say what is wrong with it.
                ClientCertificateMode = ClientCertificateMode.AllowCertificate,
                ClientCertificateValidation = (_, _, _) => true,
                HandshakeTimeout = TimeSpan.FromSeconds(10),
            });
        });
    }

    /// <summary>Healthy where the node that is asked is: who asks wants to know whether to go there.</summary>
    private sealed class OwnHealth(IControlledCluster cluster) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            var node = await cluster.Own.DescribeAsync().ConfigureAwait(false);
            return node.Problem.Length == 0 ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy($"{node.Name}: {node.Problem}");
        }
    }
}
