using System.Globalization;
using System.Net.Sockets;
using FwCluster.Api.V1;
using FwCluster.EndToEnd.Tests.Firewalls;
using FwCluster.Referee.Lab;
using Grpc.Core;
using Grpc.Net.Client;

namespace FwCluster.EndToEnd.Tests.Cluster;

/// <summary>Gateways whose nodes agree on rules, each with a disk of its own, which outlives its node. Disposing ends and removes all.</summary>
internal sealed class RuledGateways : IDisposable
{
    private const string Nobody = "65534:65534";

    private readonly string _folder;
    private readonly FwClusterFirewall?[] _nodes;
    private readonly GrpcChannel[] _channels;

    /// <summary>Makes the network, without a node.</summary>
    /// <param name="gateways">How many gateways.</param>
    /// <param name="isInMemory">Disks that are memory: who waits for one to be written has not long before a node that was stopped is given up.</param>
    public RuledGateways(int gateways, bool isInMemory = false)
    {
        _folder = Path.Combine(isInMemory && Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), "fwt-rules-" + Guid.NewGuid().ToString("n")[..8]);
        Directory.CreateDirectory(_folder);
        Command.Run("chmod", ["755", _folder]);
        _nodes = new FwClusterFirewall?[gateways];
        _channels = [.. Enumerable.Range(0, gateways).Select(Open)];
        for (var index = 0; index < gateways; index++)
        {
            Directory.CreateDirectory(Path.Combine(_folder, NameOf(index)));
            Command.Run("chown", [Nobody, Path.Combine(_folder, NameOf(index))]);
        }
        Lab = new GatewaysLab(gateways);
    }

    /// <summary>The network.</summary>
    public GatewaysLab Lab { get; }

    /// <summary>Rules that accept everything but what the lines say.</summary>
    public static string Rules(params IEnumerable<string> lines)
        => $"*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n{string.Concat(lines.Select(line => line + "\n"))}COMMIT\n";

    /// <summary>A node's name.</summary>
    public static string NameOf(int index) => string.Create(CultureInfo.InvariantCulture, $"gateway{index}");

    /// <summary>A node's disk: where its generations are.</summary>
    public string DiskOf(int index) => Path.Combine(_folder, NameOf(index), "rulesets");

    /// <summary>A node.</summary>
    public FwClusterFirewall this[int index] => _nodes[index]!;

    /// <summary>Starts nodes at once, with rule files that accept everything; returns when all decide packets.</summary>
    public void Start(params int[] indices) => Start(indices, NameOf);

    /// <summary>Starts a node with settings besides the usual ones.</summary>
    public void Start(int index, params string[] settings) => Start([index], NameOf, settings);

    /// <summary>Starts a node with another name than its own.</summary>
    public void StartAs(int index, string name) => Start([index], _ => name);

    private void Start(int[] indices, Func<int, string> names, params string[] settings)
    {
        var starts = indices.Select(index => Task.Factory.StartNew(() =>
        {
            _nodes[index]?.Dispose();
            _nodes[index] = null;
            _nodes[index] = new FwClusterFirewall(Lab.Gateways[index], new FirewallSetup(Rules(), Rules())
            {
                DaemonSettings =
                [
                    .. ClusterSetup.Place(index, _nodes.Length), "cluster.allow-clear-text=yes", $"control.directory={DiskOf(index)}", $"control.name={names(index)}",
                    $"control.socket={SocketOf(index)}", "control.calls-per-second=10000", .. settings,
                ],
            });
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)).ToArray();
        Task.WaitAll(starts);
        // Its last word before it is ready is not that its control plane listens.
        foreach (var index in indices)
            if (!SpinWait.SpinUntil(() => TryGeneration(index) is not null, TimeSpan.FromSeconds(20))) throw new CommandFailedException($"nobody answers: {this[index].Log}");
    }

    /// <summary>A node's rules.</summary>
    public RulesetService.RulesetServiceClient RulesOf(int index) => new(_channels[index]);

    /// <summary>What a node has in force; null where it does not say.</summary>
    public Generation? TryGeneration(int index)
    {
        try
        {
            return RulesOf(index).History(new RulesetHistoryRequest { Limit = 1 }, deadline: DateTime.UtcNow.AddSeconds(2)).Generations is [var latest] ? latest : null;
        }
        catch (RpcException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var channel in _channels) channel.Dispose();
        Parallel.ForEach(_nodes, node => node?.Dispose());
        Lab?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private string SocketOf(int index) => Path.Combine(_folder, NameOf(index), "control.sock");

    private GrpcChannel Open(int index) => GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
    {
        MaxReceiveMessageSize = null,
        HttpHandler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, stop) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(SocketOf(index)), stop);
                return new NetworkStream(socket, ownsSocket: true);
            },
        },
    });
}
