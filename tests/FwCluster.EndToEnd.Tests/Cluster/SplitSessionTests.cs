using FwCluster.EndToEnd.Tests.Ftp;
using FwCluster.EndToEnd.Tests.Gateways;
using FwCluster.Referee;

namespace FwCluster.EndToEnd.Tests.Cluster;

/// <summary>
/// What separate gateways fail (<see cref="SeparateGatewaysTests"/>): control connections cross the first of three gateways, data
/// connections the second.
/// </summary>
[Collection(ClusterTests.Name)]
public class SplitSessionTests
{
    private const int KiB = 1024;

    /// <summary>Transfers of each kind (passive, active; IPv4, IPv6).</summary>
    private static readonly int Transfers = ClusterSetup.Number("FWCLUSTER_TEST_TRANSFERS", 50);

    /// <summary>
    /// No transfer fails, and none waits for a SYN that is sent again. vsftpd connects when it is told to transfer, pyftpdlib as soon as it
    /// has read PORT or EPRT.
    /// </summary>
    [KernelFact]
    public void EveryTransferSucceedsAtOnce()
    {
        var servers = FtpServer.All.Where(server => server is { Name: "vsftpd" or "pyftpdlib", WhyNot: null }).ToArray();
        using var field = new GatewaysField(3, servers, [KiB]) { Client = "ftp" };
        var nodes = field.Lab.StartCluster();
        field.Lab.RouteSplit();

        // Each has an equal share; of IPv4 there are two ways to be passive, and two to be active, so that there are twice as many.
        var failed = field.FetchInEveryWay(KiB, Transfers / servers.Length, seconds: 60, parallel: 2, perLogin: 5);
        var again = field.Lab.Servers.Append(field.Lab.Client).Select(host => host.SynRetransmissions()).ToArray();
        var counted = string.Join('\n', nodes.Select(node => node.ReadStatistics()));
        Assert.True(failed.Count == 0, $"{failed.Count} failed:\n{string.Join('\n', failed)}\n{counted}");
        Assert.True(again.All(count => count == 0), $"SYN sent again: {string.Join(", ", again)}\n{counted}");
        Assert.All(nodes, node => Assert.Contains("expectation_waits_over=0", node.ReadStatistics(), StringComparison.Ordinal));
    }
}
