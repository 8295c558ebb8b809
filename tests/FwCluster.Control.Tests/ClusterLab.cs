using System.Net;
using FwCluster.Conntrack;
using FwCluster.Control.Nodes;
using FwCluster.Control.Rulesets;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging.Abstractions;

namespace FwCluster.Control.Tests;

/// <summary>Control planes of several nodes in this process that ask each other as nodes do. Which there are, is given; each has rules of its own.</summary>
internal sealed class ClusterLab : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fwt-nodes-").FullName;
    private readonly List<Member> _members = [];
    private readonly List<IDisposable> _opened = [];
    private readonly LabCertificates _certificates;

    private ClusterLab(int nodes)
    {
        _certificates = new LabCertificates(_folder);
        for (var number = 1; number <= nodes; number++)
        {
            _certificates.MakeNode($"gate{number}", $"gate{number}", "127.0.0.1");
            _members.Add(new Member(this, $"gate{number}"));
        }
    }

    public IReadOnlyList<Member> Members => _members;

    public static async Task<ClusterLab> StartAsync(int nodes = 3)
    {
        var lab = new ClusterLab(nodes);
        foreach (var member in lab._members) await member.StartAsync(0);
        return lab;
    }

    public string PathOf(string name) => Path.Combine(_folder, name);

    /// <summary>A channel to a node by which somebody with a role calls.</summary>
    public GrpcChannel Channel(int node, string role)
    {
        var channel = GrpcChannel.ForAddress(_members[node].Address, new GrpcChannelOptions { HttpHandler = _certificates.Handler(role), DisposeHttpClient = true });
        _opened.Add(channel);
        return channel;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var opened in _opened) opened.Dispose();
        foreach (var member in _members) await member.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>One node.</summary>
    public sealed class Member : IAsyncDisposable
    {
        private readonly ClusterLab _lab;
        private readonly LocalNode _node;
        private readonly RulesetAgreement _agreement;
        private readonly PeerChannels _channels;
        private readonly ControlSettings _settings;
        private ControlServer? _server;

        public Member(ClusterLab lab, string name)
        {
            (_lab, Name) = (lab, name);
            var store = RulesetStore.Open(lab.PathOf(name));
            var recovered = RulesetAgreement.Recover(store, TimeProvider.System);
            Worker = WorkerThread.Of(recovered, ConntrackSettings.Default);
            ITableAccess[] tables = [new WorkerTable(Worker, (uint)lab._members.Count)];
            _node = new LocalNode(new LocalNodeOptions { Name = name, Drain = (_, _) => Task.FromResult<int?>(7) }, [Worker], () => tables, recovered);
            _agreement = new RulesetAgreement(store, recovered, [_node], TimeProvider.System, NullLogger<RulesetAgreement>.Instance);
            _settings = new ControlSettings
            {
                Certificate = lab.PathOf(name + ".crt"), Key = lab.PathOf(name + ".key"), Authority = lab.PathOf("ca.crt"), Audit = lab.PathOf(name + ".audit"),
            };
            _channels = new PeerChannels(_settings);
        }

        public string Name { get; }

        public WorkerThread Worker { get; }

        public IRulesetAgreement Agreement => _agreement;

        public Uri Address { get; private set; } = null!;

        /// <summary>The name that the others know it by.</summary>
        public string? KnownAs { get; set; }

        public string[] Audit => File.ReadAllLines(_lab.PathOf(Name + ".audit"));

        public async Task StartAsync(int port)
        {
            var cluster = new ClusterOfNodes(_node, _agreement, () => [.. _lab._members.Where(m => m != this).Select(m => new Peer
            {
                Name = m.KnownAs ?? m.Name, Address = $"10.0.0.1:{m.Address.Port}", Control = m.Address,
            })], _channels);
            _server = ControlServer.Create(_settings with { Listen = new IPEndPoint(IPAddress.Loopback, port) }, cluster, NullLoggerFactory.Instance, TimeProvider.System);
            await _server.StartAsync();
            Address = new Uri(_server.Addresses.Single());
        }

        public async Task StopAsync()
        {
            await _server!.StopAsync(new CancellationToken(canceled: true));
            await _server.DisposeAsync();
            _server = null;
        }

        public Task SendAsync(params byte[][] packets) => Worker.SendAsync(packets);

        public async ValueTask DisposeAsync()
        {
            if (_server is not null) await StopAsync();
            _channels.Dispose();
            _agreement.Dispose();
            _node.Dispose();
            Worker.Dispose();
        }
    }
}
