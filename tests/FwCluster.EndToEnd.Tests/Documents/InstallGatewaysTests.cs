using FwCluster.EndToEnd.Tests.Cluster;
using FwCluster.EndToEnd.Tests.Ftp;
using FwCluster.Referee;
using FwCluster.Referee.Lab;

namespace FwCluster.EndToEnd.Tests.Documents;

/// <summary>The page for operators of two gateways, as it is pasted.</summary>
[Collection(ClusterTests.Name)]
public sealed class InstallGatewaysTests
{
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
        Machine.Follow([("gateway1", gateways[0]), ("gateway2", gateways[1]), ("client", client), ("server", server)], "docs/install-gateways.md");
    }

    private static void Plug(NetworkNamespace gateway, string name, string address, NetworkNamespace host, string port)
    {
        NetworkLab.AddVeth(gateway, name, host, port);
        gateway.Ip($"address add {address} dev {name}");
        gateway.Ip($"link set {name} up");
        host.Ip($"link set {port} master lan up");
    }
}
