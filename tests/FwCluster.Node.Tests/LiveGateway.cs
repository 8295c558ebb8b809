using System.Net;
using System.Net.Sockets;
using FwCluster.Referee.Lab;

namespace FwCluster.Node.Tests;

/// <summary>
/// A client and a server with a gateway between, on which the daemon decides. It runs with the capabilities CAP_NET_ADMIN and CAP_NET_RAW
/// alone. Disposing ends it and removes all.
/// </summary>
internal sealed class LiveGateway : IDisposable
{
    private const int Terminate = 15;

    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);

    private readonly NetworkLab _lab = new();
    private readonly BackgroundProcess _daemon;

    /// <summary>Builds the network and starts the daemon.</summary>
    public LiveGateway(string rulesIPv4, string rulesIPv6)
    {
        Folder = Directory.CreateTempSubdirectory("fwt-node-").FullName;
        try
        {
            Client = _lab.AddNamespace("client");
            Gateway = _lab.AddNamespace("gw");
            Server = _lab.AddNamespace("server");
            Gateway.SetSysctl("net.ipv4.ip_forward", "1");
            Gateway.SetSysctl("net.ipv6.conf.all.forwarding", "1");
            Join(Client, "left", 1);
            Join(Server, "right", 2);
            File.WriteAllText(Path.Combine(Folder, "rules4"), rulesIPv4);
            File.WriteAllText(Path.Combine(Folder, "rules6"), rulesIPv6);
            const string Capabilities = "-all,+net_admin,+net_raw";
            _daemon = Gateway.Start("setpriv",
            [
                $"--bounding-set={Capabilities}", $"--inh-caps={Capabilities}",
                Path.Combine(AppContext.BaseDirectory, "fwclusterd"),
                "--set", "mode=inline",
                "--set", $"rules.ipv4={Folder}/rules4",
                "--set", $"rules.ipv6={Folder}/rules6",
                "--set", $"state.socket={Folder}/state",
                "--set", $"drops.directory={Folder}/drops",
            ]);
            _daemon.WaitUntil(() => _daemon.Output.Contains("Running in mode Inline"), StartTimeout);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public NetworkNamespace Client { get; }

    public NetworkNamespace Gateway { get; }

    public NetworkNamespace Server { get; }

    /// <summary>A folder for this run.</summary>
    public string Folder { get; }

    /// <summary>What the daemon has logged.</summary>
    public string Log => _daemon.Output + _daemon.Error;

    public static IPAddress ClientAddress(AddressFamily family) => Address(family, 1, 2);

    public static IPAddress ServerAddress(AddressFamily family) => Address(family, 2, 2);

    /// <summary>The gateway's address on the client's side.</summary>
    public static IPAddress GatewayAddress(AddressFamily family) => Address(family, 1, 1);

    /// <summary>Asks the daemon's state.</summary>
    public string Ask(string path) => Command.Run("curl", ["-sS", "--max-time", "10", "--unix-socket", $"{Folder}/state", $"http://localhost{path}"]);

    /// <summary>Stops the daemon cleanly.</summary>
    public int Stop()
    {
        _daemon.Signal(Terminate);
        Assert.True(_daemon.WaitForExit(TimeSpan.FromSeconds(30)), "the daemon did not stop");
        return _daemon.ExitCode;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _lab.Dispose(); // and the daemon with its namespace
        Directory.Delete(Folder, recursive: true);
    }

    private static IPAddress Address(AddressFamily family, int network, int host)
        => IPAddress.Parse(family == AddressFamily.InterNetwork ? $"10.9.{network}.{host}" : $"fd09:{network}::{host}");

    private void Join(NetworkNamespace host, string interfaceName, int network)
    {
        NetworkLab.AddVeth(Gateway, interfaceName, host, "eth0");
        foreach (var (place, name, number) in ((NetworkNamespace, string, int)[])[(Gateway, interfaceName, 1), (host, "eth0", 2)])
        {
            place.Ip($"address add 10.9.{network}.{number}/24 dev {name}");
            place.Ip($"address add fd09:{network}::{number}/64 dev {name} nodad");
            place.Ip($"link set {name} up");
        }
        host.Ip($"route add default via 10.9.{network}.1");
        host.Ip($"-6 route add default via fd09:{network}::1");
    }
}
