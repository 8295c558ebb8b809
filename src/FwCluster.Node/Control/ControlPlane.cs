using System.Net.Sockets;
using FwCluster.Api.V1;
using FwCluster.Control;
using FwCluster.Control.Access;
using FwCluster.Control.Nodes;
using FwCluster.Control.Rulesets;
using FwCluster.Datapath;
using FwCluster.Node.Configuration;
using FwCluster.Node.Live;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FwCluster.Node.Control;

/// <summary>
/// The control plane of this node. What is to be in force is found before the gateway is opened (<see cref="Recover"/>), so that no packet is
/// decided by anything else; the server listens when packets are being decided, and ends before that does.
/// </summary>
internal sealed partial class ControlPlane : IHostedService, IAsyncDisposable
{
    private readonly RulesetAgreement _agreement;
    private readonly LocalNode _node;
    private readonly ControlServer _server;
    private readonly ControlPlaneSettings _settings;
    private readonly InForce _recovered;
    private readonly ILogger _log;

    /// <summary>Makes the server ready.</summary>
    /// <param name="settings">The daemon's settings, with what was recovered.</param>
    /// <param name="store">Where it was recovered from.</param>
    /// <param name="gateway">What runs it.</param>
    /// <param name="state">How the node is.</param>
    /// <param name="logs">Where to log.</param>
    /// <exception cref="SettingsException">A file that access rests on cannot be used.</exception>
    public ControlPlane(NodeSettings settings, RulesetStore store, Gateway gateway, NodeState state, ILoggerFactory logs)
    {
        _settings = settings.Control!;
        _recovered = settings.Applied!;
        _log = logs.CreateLogger<ControlPlane>();
        _node = new LocalNode(
            new LocalNodeOptions
            {
                Name = _settings.Name,
                Problem = () => state.NotReady,
                Ports = () => [.. gateway.Lanes.Select(lane => PortOf(_settings.Name, lane.Loop))],
                Tracking = settings.Tracking,
                LimitsOfTable = gateway.LimitsOfTable,
                Switching = gateway.Switching,
            },
            [.. gateway.Lanes.Select(lane => lane.Loop)], new GatewayTables(gateway, settings.Helpers).Now, _recovered);
        _agreement = new RulesetAgreement(store, _recovered, [new TracedTarget(_node)], TimeProvider.System, logs.CreateLogger<RulesetAgreement>());
        state.RuledBy(_agreement);
        try
        {
            _server = ControlServer.Create(_settings.Server, new SingleNode(_node, _agreement), logs, TimeProvider.System);
        }
        catch (Exception e) when (e is AccessFileException or ArgumentException)
        {
            throw new SettingsException($"control: {e.Message}");
        }
    }

    /// <summary>Finds the rules that are to be in force. Where none were ever applied, the rule files are the first generation.</summary>
    /// <exception cref="SettingsException">They cannot be read, or there are mistakes in the rule files.</exception>
    public static (RulesetStore Store, InForce Rules) Recover(NodeSettings settings)
    {
        try
        {
            var store = RulesetStore.Open(settings.Control!.Folder, settings.Control.History);
            if (store.Latest.Number > 0) return (store, RulesetAgreement.Recover(store, TimeProvider.System));
            RuleFiles.Load(settings); // tells mistakes by the files' names
            var (rules, errors) = CheckedRuleset.Read(RuleFiles.ReadTexts(settings));
            if (rules is null) throw new SettingsException(string.Join('\n', errors.Select(e => e.Format())));
            if (rules.Texts == RulesetTexts.Empty) return (store, new InForce(RulesetGeneration.None, CheckedRuleset.Empty));
            var first = new RulesetGeneration
            {
                Number = 1,
                Applied = DateTimeOffset.UtcNow,
                Author = "fwclusterd",
                Comment = $"from {string.Join(", ", new[] { settings.RulesIPv4, settings.RulesIPv6, settings.Sets }.OfType<string>())}",
                Digest = rules.Texts.Digest(),
            };
            store.Add(first, rules.Texts);
            return (store, new InForce(first, rules));
        }
        catch (RulesetStoreException e)
        {
            throw new SettingsException($"control.directory: {e.Message}");
        }
    }

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
        LogListening(_log, _settings.Name, string.Join(", ", _server.Addresses), _recovered.Generation.Number);
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => _server.StopAsync(new CancellationToken(canceled: true)); // watches end with the daemon

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync().ConfigureAwait(false);
        _agreement.Dispose();
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
