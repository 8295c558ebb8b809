using System.Net.Sockets;
using FwCluster.Api.V1;
using FwCluster.Cluster;
using FwCluster.Control;
using FwCluster.Control.Access;
using FwCluster.Control.Nodes;
using FwCluster.Control.Rulesets;
using FwCluster.Control.Rulesets.Followed;
using FwCluster.Datapath;
using FwCluster.Node.Configuration;
using FwCluster.Node.Kubernetes;
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
    private readonly PeerChannels? _channels;
    private readonly ControlServer _server;
    private readonly ControlPlaneSettings _settings;
    private readonly Func<RulesetFollower?> _follow;
    private readonly ILogger _log;
    private RulesetFollower? _follower;

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
        var cluster = (gateway.Shards as ClusterShardHost)?.Node;
        _node = new LocalNode(
            new LocalNodeOptions
            {
                Name = _settings.Name,
                Roles = settings.Cluster?.Roles ?? ClusterRoles.All,
                Address = cluster?.AddressAsText ?? "",
                IsDraining = () => cluster is { IsDraining: true },
                Drain = (undo, cancellation) => DrainAsync(cluster, undo, cancellation),
                Problem = () => state.NotReady ?? rules.Problem,
                Ports = () => [.. gateway.Lanes.Select(lane => PortOf(_settings.Name, lane.Loop))],
                Tracking = settings.Tracking,
                LimitsOfTable = gateway.LimitsOfTable,
                Switching = gateway.Switching,
            },
            [.. gateway.Lanes.Select(lane => lane.Loop)], new GatewayTables(gateway, settings.Helpers).Now, rules.InForce);
        var agreement = rules.AgreementFor(_node, logs);
        state.RuledBy(agreement);
        _follow = () => settings.FollowsRules ? Follow(settings, agreement, logs) : null;
        try
        {
            _channels = cluster is null ? null : new PeerChannels(_settings.Server);
            IControlledCluster controlled = cluster is null ? new SingleNode(_node, agreement) : new ClusterOfNodes(_node, agreement, () => PeersOf(cluster), _channels!);
            _server = ControlServer.Create(_settings.Server, controlled, logs, TimeProvider.System);
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
        _follower = _follow();
        LogListening(_log, _settings.Name, string.Join(", ", _server.Addresses), _rules.InForce.Generation.Number);
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => _server.StopAsync(new CancellationToken(canceled: true)); // watches end with the daemon

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_follower is not null) await _follower.DisposeAsync().ConfigureAwait(false);
        await _server.DisposeAsync().ConfigureAwait(false);
        _channels?.Dispose();
        await _rules.DisposeAsync().ConfigureAwait(false);
        _node.Dispose();
    }

    private static RulesetFollower Follow(NodeSettings settings, IRulesetAgreement agreement, ILoggerFactory logs)
    {
        var events = settings.Kubernetes is { } kubernetes ? new RulesEvents(kubernetes, settings.Control!.Name, logs.CreateLogger<RulesEvents>()) : null;
        return new RulesetFollower(agreement, new RulesetFollowerOptions(settings.RulesIPv4, settings.RulesIPv6, settings.Sets),
            (change, cancellation) => events?.TellAsync(change, cancellation) ?? Task.CompletedTask, TimeProvider.System, logs.CreateLogger<RulesetFollower>());
    }

    private static async Task<int?> DrainAsync(ClusterNode? cluster, bool undo, CancellationToken cancellation)
    {
        if (cluster is null) return undo ? 0 : null;
        if (!undo) return await cluster.DrainAsync(cancellation).ConfigureAwait(false);
        cluster.Undrain();
        return 0;
    }

    private static List<Peer> PeersOf(ClusterNode cluster) => [.. cluster.Peers.Select(peer => new Peer
    {
        Name = peer.Name,
        Address = peer.Address,
        Control = peer.Control.Length > 0 && Uri.TryCreate(peer.Control, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttps ? uri : null,
        Problem = peer.HasGreeted ? null : "it is a member of the cluster, and has not said yet where its control plane is",
        Roles = peer.Roles,
    })];

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
