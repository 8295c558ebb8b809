using FwCluster.EndToEnd.Tests.Firewalls;
using FwCluster.EndToEnd.Tests.Networks;
using FwCluster.Referee;

namespace FwCluster.EndToEnd.Tests.Ftp;

/// <summary>
/// Real servers and real clients, each with each, in every mode, IPv4 and IPv6, with the firewall on the server and between: files
/// go up and down and arrive as they were. The rules accept logins, what was announced, and nothing else.
/// </summary>
public class FtpMatrixTests
{
    private const int KiB = 1024;
    private const int MiB = 1024 * KiB;

    /// <summary>Set to 1 to send 100 MiB in every cell too.</summary>
    private const string AllSizesVariable = "FWCLUSTER_E2E_ALL_SIZES";

    [KernelTheory]
    [InlineData(FirewallKind.Kernel, FirewallPlace.Host)]
    [InlineData(FirewallKind.Kernel, FirewallPlace.Gateway)]
    [InlineData(FirewallKind.FwCluster, FirewallPlace.Host)]
    [InlineData(FirewallKind.FwCluster, FirewallPlace.Gateway)]
    public void EveryClientWithEveryServer(FirewallKind firewall, FirewallPlace place)
    {
        Assert.SkipWhen(UnpackedServers.WhyNot is not null, UnpackedServers.WhyNot ?? "");
        var allSizes = Environment.GetEnvironmentVariable(AllSizesVariable) == "1";
        int[] sizes = allSizes ? [0, KiB, 100 * MiB] : [0, KiB];
        var sessions = FtpSession.All.Where(session => session.LeftOut is null).ToList();
        Assert.Equal(FtpServer.All.Count * (FtpClient.All.Count * 6 - 1), sessions.Count);

        using var field = new FtpField(firewall, place, sizes, FtpServer.All);
        Assert.Empty(field.Run(sessions, sizes, seconds: allSizes ? 120 : 30, parallel: allSizes ? 2 : 8));
    }
}
