using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using FwCluster.Api.V1;
using FwCluster.Conntrack;
using FwCluster.Control.Nodes;
using FwCluster.Control.Rulesets;
using FwCluster.Referee.Packets;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging.Abstractions;

namespace FwCluster.Control.Tests;

/// <summary>A control plane over workers of this process, with an authority and certificates of its own. Disposing removes all.</summary>
internal sealed class ControlLab : IAsyncDisposable
{
    private readonly LabCertificates _certificates;
    private readonly WorkerThread[] _workers;
    private readonly LocalNode _node;
    private readonly RulesetAgreement _agreement;
    private readonly ControlServer _server;
    private readonly List<IDisposable> _opened = [];

    private ControlLab(string folder, TimeProvider time, int workers, ConntrackSettings tracking, Func<ControlSettings, ControlSettings> change)
    {
        Folder = folder;
        var store = RulesetStore.Open(Path.Combine(folder, "rulesets"));
        var recovered = RulesetAgreement.Recover(store, time);
        _workers = [.. Enumerable.Range(0, workers).Select(_ => WorkerThread.Of(recovered, tracking))];
        ITableAccess[] tables = [.. _workers.Select((worker, i) => new WorkerTable(worker, (uint)i))];
        _node = new LocalNode(new LocalNodeOptions { Name = "alone", Tracking = tracking }, _workers, () => tables, recovered);
        _agreement = new RulesetAgreement(store, recovered, [_node, .. MoreNodes], time, NullLogger<RulesetAgreement>.Instance);
        _certificates = MakeCertificates(folder);
        Settings = change(new ControlSettings
        {
            Listen = new IPEndPoint(IPAddress.Loopback, 0),
            Socket = Path.Combine(folder, "control.sock"),
            Certificate = PathOf("node.crt"),
            Key = PathOf("node.key"),
            Authority = PathOf("ca.crt"),
            Audit = PathOf("audit.log"),
        });
        _server = ControlServer.Create(Settings, new SingleNode(_node, _agreement), NullLoggerFactory.Instance, time);
    }

    /// <summary>Nodes besides the local one, which take part in the agreement on rules.</summary>
    public static AsyncLocal<IRulesetTarget[]> OtherNodes { get; } = new();

    public string Folder { get; }

    public ControlSettings Settings { get; }

    public IReadOnlyList<WorkerThread> Workers => _workers;

    public IRulesetAgreement Agreement => _agreement;

    /// <summary>Where it listens with TLS.</summary>
    public Uri Address => new(_server.Addresses.First(a => a.StartsWith("https:", StringComparison.Ordinal)));

    public string Audit => File.ReadAllText(PathOf("audit.log"));

    private static IRulesetTarget[] MoreNodes => OtherNodes.Value ?? [];

    public static async Task<ControlLab> StartAsync(
        TimeProvider? time = null, int workers = 1, ConntrackSettings? tracking = null, Func<ControlSettings, ControlSettings>? change = null, string? folder = null)
    {
        var lab = new ControlLab(folder ?? Directory.CreateTempSubdirectory("fwt-control-").FullName, time ?? TimeProvider.System, workers,
            tracking ?? ConntrackSettings.Default, change ?? (s => s));
        await lab._server.StartAsync();
        return lab;
    }

    public string PathOf(string name) => Path.Combine(Folder, name);

    /// <summary>A channel with a client's certificate (its files' name), or without one.</summary>
    public GrpcChannel Channel(string? client, string? token = null)
    {
        var handler = _certificates.Handler(client);
        var channel = GrpcChannel.ForAddress(Address, new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true, MaxReceiveMessageSize = null });
        _opened.Add(channel);
        if (token is not null)
        {
            channel.Dispose();
            channel = GrpcChannel.ForAddress(Address, new GrpcChannelOptions
            {
                HttpClient = new HttpClient(_certificates.Handler(client)) { DefaultRequestHeaders = { { "authorization", $"Bearer {token}" } } },
                DisposeHttpClient = true,
            });
            _opened.Add(channel);
        }
        return channel;
    }

    /// <summary>A channel over the Unix socket, as the user that the test runs as.</summary>
    public GrpcChannel SocketChannel()
    {
        var channel = GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler
            {
                ConnectCallback = async (_, stop) =>
                {
                    var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(Settings.Socket!), stop);
                    return new NetworkStream(socket, ownsSocket: true);
                },
            },
        });
        _opened.Add(channel);
        return channel;
    }

    /// <summary>The serial number of the certificate that a new connection is shown.</summary>
    public async Task<string> ServerSerialAsync()
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, Address.Port);
        var serial = "";
        await using var tls = new SslStream(client.GetStream(), false, (_, certificate, _, _) => (serial = certificate!.GetSerialNumberString()).Length > 0);
        await tls.AuthenticateAsClientAsync("localhost");
        return serial;
    }

    /// <summary>Makes the node another certificate, from the same authority.</summary>
    public void RenewNode() => MakeNode(_certificates);

    /// <summary>Has a worker process packets: the given ones, one after the other.</summary>
    public Task SendAsync(int worker, params byte[][] packets) => _workers[worker].SendAsync(packets);

    public static byte[] Udp(string from, string to, ushort sourcePort, ushort destinationPort)
        => PacketBuilder.Udp(PacketAddresses.Parse(from, to), sourcePort, destinationPort, "hello"u8);

    public static RulesetText Rules(params string[] rules) => new()
    {
        Ipv4 = $"*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n{string.Concat(rules.Select(r => r + "\n"))}COMMIT\n",
    };

    /// <summary>Ends, but leaves the folder: the next one started with it goes on from there.</summary>
    public async Task EndAsync()
    {
        foreach (var opened in _opened) opened.Dispose();
        _opened.Clear();
        await _server.StopAsync(new CancellationToken(canceled: true));
        await _server.DisposeAsync();
        _agreement.Dispose();
        _node.Dispose();
        foreach (var worker in _workers) worker.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        Directory.Delete(Folder, recursive: true);
    }

    private static LabCertificates MakeCertificates(string folder)
    {
        var isNew = !File.Exists(Path.Combine(folder, "ca.crt"));
        var made = new LabCertificates(folder);
        if (!isNew) return made;
        MakeNode(made);
        made.MakeClient("expired", "late", "admin", age: TimeSpan.FromHours(2));
        made.MakeClient("roleless", "nobody", "gardener");
        made.MakeClient("stranger", "admin-1", "admin", by: LabCertificates.NewAuthority());
        return made;
    }

    private static void MakeNode(LabCertificates certificates) => certificates.MakeNode("node", "alone", "127.0.0.1", "localhost");
}
