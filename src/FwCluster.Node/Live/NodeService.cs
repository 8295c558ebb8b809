using System.Runtime.InteropServices;
using FwCluster.Capture.Divert;
using FwCluster.Capture.Mirror;
using FwCluster.Node.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FwCluster.Node.Live;

/// <summary>
/// Runs the gateway from the daemon's start to its stop: the port before the divert rules, so that no packet meets a queue without a
/// listener; at a clean stop the divert rules go before the port. SIGHUP reads rules, helpers, and the settings of log and drops again.
/// </summary>
internal sealed partial class NodeService(
    NodeSettings settings, Func<NodeSettings> readSettings, Gateway gateway, NodeState state, IHostApplicationLifetime lifetime, LogSwitch logSwitch,
    ILogger<NodeService> log, ILoggerFactory logs)
    : BackgroundService
{
    private PosixSignalRegistration? _hangup;
    private DivertRules? _divert;

    /// <inheritdoc/>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        gateway.Start(logs.CreateLogger("packets"));
        if (gateway.Shards is ClusterShardHost cluster)
        {
            LogJoining(log, cluster.Node.Address.ToString());
            await cluster.JoinedAsync(settings.HasPorts, cancellationToken).ConfigureAwait(false);
        }
        if (settings.Mode == NodeMode.Inline && settings.HasPorts)
            _divert = DivertRules.Install(settings.Divert, message => LogDivert(log, message));
        _hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
        {
            context.Cancel = true;
            _ = ReloadAsync();
        });
        state.Ready(gateway, _divert);
        LogStarted(log, settings.Mode, settings.File ?? "defaults");
        if (settings is { File: null, Mode: NodeMode.Mirror, RulesIPv4: null, RulesIPv6: null, MirrorInterfaces: [MirrorPort.Any] }) LogHowToGoOn(log);
        await base.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        _hangup?.Dispose();
        state.Stopping();
        _divert?.Remove();
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        if (gateway.Shards is ClusterShardHost cluster) await cluster.LeaveAsync().ConfigureAwait(false);
        gateway.Stop(); // while there is a log to write to
        LogStopped(log);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _divert?.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await gateway.Ended.WaitAsync(stoppingToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
#pragma warning disable CA1031 // whatever ended the port ends the daemon, and is told
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogPortFailed(log, e);
            Environment.ExitCode = ExitCode.Failed;
            lifetime.StopApplication();
        }
    }

    private async Task ReloadAsync()
    {
        try
        {
            var read = await gateway.ReloadAsync(readSettings).ConfigureAwait(false);
            logSwitch.Level = read.LogLevel;
            LogReloaded(log);
            if (string.Join(", ", read.NeedingRestart(settings)) is { Length: > 0 } paths) LogRestartNeeded(log, paths);
        }
        catch (SettingsException e)
        {
            LogReloadRefused(log, e.Message);
        }
    }

    [LoggerMessage(LogLevel.Information, "Running in mode {Mode}, by {File}")]
    private static partial void LogStarted(ILogger log, NodeMode mode, string file);

    [LoggerMessage(LogLevel.Information, "There is no configuration: watching all interfaces, accepting everything, enforcing nothing. "
        + "To go on: fwclusterd --show-config > /etc/fwcluster/fwclusterd.yaml; set rules and mode: inline there; "
        + "fwclusterd --config /etc/fwcluster/fwclusterd.yaml")]
    private static partial void LogHowToGoOn(ILogger log);

    [LoggerMessage(LogLevel.Information, "Joining the cluster as {Address}")]
    private static partial void LogJoining(ILogger log, string address);

    [LoggerMessage(LogLevel.Information, "Stopped")]
    private static partial void LogStopped(ILogger log);

    [LoggerMessage(LogLevel.Warning, "Divert rules: {Message}")]
    private static partial void LogDivert(ILogger log, string message);

    [LoggerMessage(LogLevel.Critical, "The port failed")]
    private static partial void LogPortFailed(ILogger log, Exception exception);

    [LoggerMessage(LogLevel.Information, "Rules and helpers were read again")]
    private static partial void LogReloaded(ILogger log);

    [LoggerMessage(LogLevel.Warning, "Other than when the daemon started, and not changed while it runs: {Paths}. Restart it to have them so")]
    private static partial void LogRestartNeeded(ILogger log, string paths);

    [LoggerMessage(LogLevel.Error, "Nothing was changed: {Message}")]
    private static partial void LogReloadRefused(ILogger log, string message);
}
