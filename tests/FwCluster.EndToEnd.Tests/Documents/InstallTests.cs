using FwCluster.EndToEnd.Tests.Cluster;
using FwCluster.EndToEnd.Tests.Ftp;
using FwCluster.Referee;
using FwCluster.Referee.Lab;

namespace FwCluster.EndToEnd.Tests.Documents;

/// <summary>The pages for operators, as they are pasted: on one host, and on two gateways between a client and an FTP server.</summary>
[Collection(ClusterTests.Name)]
public sealed class InstallTests
{
    [KernelFact]
    public void OneHost()
    {
        using var account = new FtpAccount();
        using var lab = new NetworkLab();
        var (server, client) = (lab.AddNamespace("s"), lab.AddNamespace("c"));
        Join(server, "eth0", "192.0.2.1/24", client, "eth0", "192.0.2.9/24");
        FtpServer.StartVsftpd(server, account, "192.0.2.1");
        Follow([("server", server), ("client", client)], "docs/install-host.md", "docs/why-dropped.md", "docs/operations.md");
    }

    /// <summary>The client sends by gateway1, the server by gateway2.</summary>
    [KernelFact]
    public void TwoGateways()
    {
        using var account = new FtpAccount();
        using var lab = new NetworkLab();
        var (client, server) = (lab.AddNamespace("c"), lab.AddNamespace("s"));
        var gateways = new[] { lab.AddNamespace("g1"), lab.AddNamespace("g2") };
        foreach (var (host, address) in ((NetworkNamespace, string)[])[(client, "203.0.113.9/24"), (server, "10.0.0.20/24")])
        {
            // The network that it is in is a bridge of its own.
            host.Ip("link add lan type bridge");
            host.Ip($"address add {address} dev lan");
            host.Ip("link set lan up");
        }
        for (var i = 0; i < gateways.Length; i++)
        {
            Plug(gateways[i], "eth0", $"203.0.113.{i + 1}/24", client, $"port{i}");
            Plug(gateways[i], "eth1", $"10.0.0.{i + 1}/24", server, $"port{i}");
        }
        FtpServer.StartVsftpd(server, account, "10.0.0.20");
        Follow([("gateway1", gateways[0]), ("gateway2", gateways[1]), ("client", client), ("server", server)], "docs/install-gateways.md");
    }

    private static void Join(NetworkNamespace one, string name, string address, NetworkNamespace other, string otherName, string otherAddress)
    {
        NetworkLab.AddVeth(one, name, other, otherName);
        foreach (var (host, end, own) in ((NetworkNamespace, string, string)[])[(one, name, address), (other, otherName, otherAddress)])
        {
            host.Ip($"address add {own} dev {end}");
            host.Ip($"link set {end} up");
        }
    }

    private static void Plug(NetworkNamespace gateway, string name, string address, NetworkNamespace host, string port)
    {
        NetworkLab.AddVeth(gateway, name, host, port);
        gateway.Ip($"address add {address} dev {name}");
        gateway.Ip($"link set {name} up");
        host.Ip($"link set {port} master lan up");
    }

    private static void Follow(IEnumerable<(string Name, NetworkNamespace Where)> hosts, params IReadOnlyList<string> pages)
    {
        var folder = Directory.CreateTempSubdirectory("fwt-machines-").FullName;
        Command.Run("chmod", ["755", folder]);
        var machines = new List<Machine>();
        try
        {
            foreach (var (name, where) in hosts) machines.Add(new Machine(where, name, folder));
            Assert.True(Machine.Follow(machines, pages) > 5);
        }
        finally
        {
            foreach (var machine in machines) machine.Dispose();
            Directory.Delete(folder, recursive: true);
        }
    }
}
