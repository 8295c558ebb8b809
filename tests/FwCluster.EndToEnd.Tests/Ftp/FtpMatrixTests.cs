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

    [KernelTheory]
    [MemberData(nameof(FirewallCases.All), MemberType = typeof(FirewallCases))]
    public void EveryClientWithEveryServer(FirewallKind firewall, FirewallPlace place)
        => AllArrive(firewall, place, [0, KiB], WholeMatrix(), seconds: 30, parallel: 8);

    /// <summary>One large file each way for every server, every client, every mode and both families, over the two places.</summary>
    [KernelTheory]
    [MemberData(nameof(FirewallCases.All), MemberType = typeof(FirewallCases))]
    public void LargeFiles(FirewallKind firewall, FirewallPlace place)
    {
        string[] chosen = place == FirewallPlace.Host
            ? ["vsftpd curl PASV IPv4", "pure-ftpd ftp EPRT IPv6"]
            : ["proftpd lftp EPSV IPv6", "pyftpdlib curl PORT IPv4"];
        AllArrive(firewall, place, [100 * MiB], [.. WholeMatrix().Where(session => chosen.Contains(session.ToString()))], seconds: 120, parallel: 1);
    }

    /// <summary>Every size in every cell: 7 GiB each way for each firewall and place.</summary>
    [KernelTheory(Explicit = true)]
    [MemberData(nameof(FirewallCases.All), MemberType = typeof(FirewallCases))]
    public void EverySizeWithEveryClientAndEveryServer(FirewallKind firewall, FirewallPlace place)
        => AllArrive(firewall, place, [0, KiB, 100 * MiB], WholeMatrix(), seconds: 240, parallel: 2);

    private static List<FtpSession> WholeMatrix()
    {
        var sessions = FtpSession.All.Where(session => session.LeftOut is null).ToList();
        // PASV, PORT, EPSV and EPRT on IPv4, EPSV and EPRT on IPv6; one client cannot do one of them.
        Assert.Equal(FtpServer.All.Count * (FtpClient.All.Count * 6 - 1), sessions.Count);
        return sessions;
    }

    private static void AllArrive(FirewallKind firewall, FirewallPlace place, int[] sizes, List<FtpSession> sessions, int seconds, int parallel)
    {
        Assert.SkipWhen(UnpackedServers.WhyNot is not null, UnpackedServers.WhyNot ?? "");
        Assert.NotEmpty(sessions);
        using var field = new FtpField(firewall, FtpRules.Strict(place), place, sizes, [.. sessions.Select(session => session.Server).Distinct()]);
        var wrong = field.Run(sessions, sizes, seconds, parallel);
        Assert.True(wrong.Count == 0, $"{wrong.Count} of {sessions.Count} sessions went wrong:\n{string.Join('\n', wrong)}");
    }
}
