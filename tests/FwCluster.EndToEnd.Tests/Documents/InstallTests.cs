using FwCluster.EndToEnd.Tests.Ftp;
using FwCluster.Referee;
using FwCluster.Referee.Lab;

namespace FwCluster.EndToEnd.Tests.Documents;

/// <summary>The pages for operators of one host, as they are pasted.</summary>
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
        Machine.Follow([("server", server), ("client", client)], "docs/install-host.md", "docs/why-dropped.md", "docs/operations.md");
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
}
