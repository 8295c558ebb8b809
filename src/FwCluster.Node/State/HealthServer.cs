using System.Net;
using System.Net.Sockets;
using FwCluster.Control;
using FwCluster.Node.Configuration;
using FwCluster.Node.Live;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace FwCluster.Node.State;

/// <summary>
/// gRPC's health service (grpc.health.v1) in plain text, for probes, which bring no certificates. It says two words: <c>live</c>, the process answers,
/// and <c>ready</c>, it does its part; without a name the latter. It listens before anything else starts and until everything has ended.
/// </summary>
internal sealed class HealthServer : IAsyncDisposable
{
    /// <summary>Probes ask every second or so; an answer is not older than this.</summary>
    private static readonly TimeSpan Age = TimeSpan.FromSeconds(1);

    private readonly WebApplication _app;

    private HealthServer(IPEndPoint address, NodeState state)
    {
        var builder = BareServer.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.Services.Replace(ServiceDescriptor.Singleton<ILoggerFactory>(NullLoggerFactory.Instance)); // whoever asks is told; the log need not be, each second
        builder.Services.AddSingleton<IHostLifetime, NoSignals>(); // they are the daemon's
        builder.Services.AddGrpc();
        builder.Services.AddGrpcHealthChecks(health =>
            {
                health.Services.Map("", check => check.Name == "ready");
                health.Services.Map("live", check => check.Name == "live");
                health.Services.Map("ready", check => check.Name == "ready");
            })
            .AddCheck("live", () => HealthCheckResult.Healthy())
            .AddCheck("ready", () => state.NotReady is { } why ? HealthCheckResult.Unhealthy(why) : HealthCheckResult.Healthy());
        builder.Services.Configure<HealthCheckPublisherOptions>(publish => (publish.Delay, publish.Period) = (TimeSpan.Zero, Age));
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(address, listen => listen.Protocols = HttpProtocols.Http2);
        });
        _app = builder.Build();
        _app.MapGrpcHealthChecksService();
    }

    /// <summary>Begins to listen.</summary>
    /// <param name="address">Where; null for nowhere.</param>
    /// <param name="state">How the node is.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    /// <exception cref="SettingsException">The address cannot be listened on.</exception>
    public static async Task<HealthServer?> StartAsync(IPEndPoint? address, NodeState state, CancellationToken cancellation)
    {
        if (address is null) return null;
        var server = new HealthServer(address, state);
        try
        {
            await server._app.StartAsync(cancellation).ConfigureAwait(false);
            return server;
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw new SettingsException($"state.health-listen is '{address}', which cannot be listened on: {e.Message}");
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(new CancellationToken(canceled: true)).ConfigureAwait(false); // who watches need not agree
        await _app.DisposeAsync().ConfigureAwait(false);
    }

    private sealed class NoSignals : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
