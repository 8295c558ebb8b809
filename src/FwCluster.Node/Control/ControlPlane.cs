using System.Net.Sockets;
using FwCluster.Api.V1;
using FwCluster.Control;
using FwCluster.Control.Access;
using FwCluster.Control.Nodes;
using FwCluster.Datapath;
using FwCluster.Node.Configuration;
using FwCluster.Node.Live;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FwCluster.Node.Control;

/// <summary>
/// The control plane of this node. What is to be in force is found before the gateway is opened (<see cref="AppliedRules"/>), so that no packet is
/// decided by anything else; the server listens when packets are being decided, and ends before that does.
/// </summary>
internal sealed partial class ControlPlane : IHostedLifecycleService, IAsyncDisposable
{
    private readonly AppliedRules _rules;
    private readonly LocalNode _node;
    private readonly ControlServer _server;
    private readonly ControlPlaneSettings _settings;
    private readonly ILogger _log;

    /// <summary>Makes the server ready.</summary>
    /// <param name="settings">The daemon's settings.</param>
    /// <param name="rules">The rules that are in force at the start.</param>
    /// <param name="gateway">What runs them.</param>
    /// <param name="state">How the node is.</param>
    /// <param name="logs">Where to log.</param>
    /// <exception cref="SettingsException">A file that access rests on cannot be used.</exception>
    public ControlPlane(NodeSettings settings, AppliedRules rules, Gateway gateway, NodeState state, ILoggerFactory logs)
    {
        _settings = settings.Control!;
        _rules = rules;
        _log = logs.CreateLogger<ControlPlane>();
        _node = new LocalNode(
            new LocalNodeOptions
            {
                Name = _settings.Name,
                Problem = () => state.NotReady ?? rules.Problem,
                Ports = () => [.. gateway.Lanes.Select(lane => PortOf(_settings.Name, lane.Loop))],
                Tracking = settings.Tracking,
                LimitsOfTable = gateway.LimitsOfTable,
                Switching = gateway.Switching,
            },
            [.. gateway.Lanes.Select(lane => lane.Loop)], new GatewayTables(gateway).Now, rules.InForce);
        try
        {
            _server = ControlServer.Create(_settings.Server, new SingleNode(_node, rules.AgreementFor(_node, logs)), logs, TimeProvider.System);
        }
        catch (Exception e) when (e is AccessFileException or ArgumentException)
        {
            throw new SettingsException($"control: {e.Message}");
        }
    }

    /// <summary>Before any packet is decided: what is in force by now is what decides it.</summary>
    public Task StartingAsync(CancellationToken cancellationToken) => _rules.AttachAsync(_node);

    /// <inheritdoc/>
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _server.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException or UnauthorizedAccessException)
        {
            throw new SettingsException($"control: cannot listen: {e.Message}");
        }
        LogListening(_log, _settings.Name, string.Join(", ", _server.Addresses), _rules.InForce.Generation.Number);
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => _server.StopAsync(new CancellationToken(canceled: true)); // watches end with the daemon

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync().ConfigureAwait(false);
        await _rules.DisposeAsync().ConfigureAwait(false);
        _node.Dispose();
    }

    private static CapturePort PortOf(string node, PortLoop loop)
    {
        var counts = loop.Counts;
        var seen = loop.Worker.Statistics;
        var port = new CapturePort
        {
            Node = node,
            Name = counts.Name,
            Kind = counts.Kind,
            Packets = seen.Frames,
            Ipv4Packets = seen.IPv4,
            Ipv6Packets = seen.IPv6,
            Lost = counts.Lost,
        };
        if (counts.Waiting is { } waiting) port.Waiting = waiting;
        foreach (var fate in Enum.GetValues<PacketFate>())
            if (seen[fate] > 0)
                port.Fates[$"{char.ToLowerInvariant(fate.ToString()[0])}{fate.ToString()[1..]}"] = seen[fate];
        return port;
    }

    [LoggerMessage(LogLevel.Information, "Control plane of node {Node} on {Addresses}; generation {Generation} is in force")]
    private static partial void LogListening(ILogger log, string node, string addresses, ulong generation);
}
