using FwCluster.EndToEnd.Tests.Firewalls;
using FwCluster.EndToEnd.Tests.Ftp;
using FwCluster.EndToEnd.Tests.Networks;
using FwCluster.Packets;
using FwCluster.Referee;

namespace FwCluster.EndToEnd.Tests.Refusals;

/// <summary>Without a rule for RELATED, or without the helper, the login works and no data connection does: with a real server and a real client.</summary>
public class NoTransferTests
{
    [KernelTheory]
    [MemberData(nameof(FirewallCases.All), MemberType = typeof(FirewallCases))]
    public void NoRuleForRelated(FirewallKind kind, FirewallPlace place) => NoTransfer(kind, place, FtpRules.Strict(place, related: false));

    [KernelTheory]
    [MemberData(nameof(FirewallCases.All), MemberType = typeof(FirewallCases))]
    public void NoHelper(FirewallKind kind, FirewallPlace place) => NoTransfer(kind, place, FtpRules.Strict(place) with { FtpHelper = false });

    private static void NoTransfer(FirewallKind kind, FirewallPlace place, FirewallSetup setup)
    {
        var server = FtpServer.All[0];
        var client = FtpClient.All[0];
        using var field = new FtpField(kind, setup, place, [1024], [server]);
        var cells = new List<FtpSession>
        {
            new(server, client, FtpMode.Passive, IpFamily.IPv4),
            new(server, client, FtpMode.Active, IpFamily.IPv4),
            new(server, client, FtpMode.ExtendedPassive, IpFamily.IPv6),
            new(server, client, FtpMode.ExtendedActive, IpFamily.IPv6),
        };
        var wrong = field.Run(cells, [1024], seconds: 6, parallel: cells.Count);
        Assert.Equal(cells.Count, wrong.Count);
        Assert.All(wrong, text =>
        {
            Assert.Contains("< 230 ", text, StringComparison.Ordinal);
            Assert.Contains("up: ", text, StringComparison.Ordinal);
        });
    }
}
