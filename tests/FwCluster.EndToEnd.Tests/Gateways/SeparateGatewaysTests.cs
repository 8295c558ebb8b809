using System.Text.RegularExpressions;
using FwCluster.EndToEnd.Tests.Firewalls;
using FwCluster.EndToEnd.Tests.Ftp;
using FwCluster.EndToEnd.Tests.Networks;
using FwCluster.Referee;
using FwCluster.Referee.Lab;

namespace FwCluster.EndToEnd.Tests.Gateways;

/// <summary>
/// What the laboratory with several gateways is for, shown with firewalls on them that know nothing of each other: where control and
/// data connections cross different gateways nothing gets through that does where they cross one.
/// </summary>
public partial class SeparateGatewaysTests
{
    private const int KiB = 1024;

    [KernelFact]
    public void OneGatewayFailsNoTransfer()
    {
        using var field = new GatewaysField(3, KiB);
        field.Lab.StartOnEach((_, gateway) => FirewallKind.Kernel.Start(gateway, FtpRules.StrictForEachGateway()));
        field.Lab.RouteThroughOne();
        Assert.Empty(field.FetchInEveryWay(KiB, times: 5, seconds: 30, parallel: 6));
        Assert.Equal([true, false, false], field.Lab.Gateways.Select(HasSeen(Control())));
        Assert.Equal([true, false, false], field.Lab.Gateways.Select(HasSeen(Data())));
    }

    /// <summary>Daemons that know nothing of each other do what kernels do that know nothing of each other.</summary>
    [KernelFact]
    public void SeparateDaemonsFailWhatTheKernelFails()
    {
        using var field = new GatewaysField(3, KiB);
        field.Lab.StartOnEach((_, gateway) => FirewallKind.FwCluster.Start(gateway, FtpRules.StrictForEachGateway()));
        field.Lab.RouteThroughOne(2);
        Assert.Empty(field.FetchInEveryWay(KiB, times: 2, seconds: 30, parallel: 6));
        field.Lab.RouteSplit();
        var failed = field.FetchInEveryWay(KiB, times: 1, seconds: 6, parallel: 6);
        Assert.Equal(GatewaysField.Ways.Count, failed.Count);
        Assert.All(failed, transfer => Assert.True(transfer.LoggedIn, transfer.ToString()));
    }

    [KernelFact]
    public void SplitGatewaysFailEveryTransfer()
    {
        using var field = new GatewaysField(3, KiB);
        field.Lab.StartOnEach((_, gateway) => FirewallKind.Kernel.Start(gateway, FtpRules.StrictForEachGateway()));
        field.Lab.RouteSplit();
        var failed = field.FetchInEveryWay(KiB, times: 1, seconds: 6, parallel: 6);
        Assert.Equal(GatewaysField.Ways.Count, failed.Count);
        Assert.All(failed, transfer => Assert.True(transfer.LoggedIn, transfer.ToString()));
        Assert.Equal([true, false, false], field.Lab.Gateways.Select(HasSeen(Control())));
        // What met gateway 1 was refused, which leaves no entry; the policy counted it.
        Assert.Equal([false, false, false], field.Lab.Gateways.Select(HasSeen(Data())));
        Assert.Equal([false, true, false], field.Lab.Gateways.Select(HasRefused));

        // The same routes again without a firewall on them: it is not the routes that stop anything.
        foreach (var gateway in field.Lab.Gateways)
        {
            gateway.Execute("iptables -P FORWARD ACCEPT");
            gateway.Execute("ip6tables -P FORWARD ACCEPT");
        }
        Assert.Empty(field.FetchInEveryWay(KiB, times: 2, seconds: 30, parallel: 6));
        Assert.Equal([true, false, false], field.Lab.Gateways.Select(HasSeen(Control())));
        Assert.Equal([false, true, false], field.Lab.Gateways.Select(HasSeen(Data())));
    }

    private static Func<NetworkNamespace, bool> HasSeen(Regex entry)
        => gateway => IpFamilies.Both.Any(family => entry.IsMatch(gateway.Execute($"conntrack -L -p tcp -f {family.ToString().ToLowerInvariant()}")));

    private static bool HasRefused(NetworkNamespace gateway)
        => ((string[])["iptables", "ip6tables"]).All(program => !Regex.IsMatch(gateway.Execute(program + " -L FORWARD -v -n -x"), @"policy DROP 0 packets"));

    [GeneratedRegex(@"\bdport=21\b")]
    private static partial Regex Control();

    [GeneratedRegex(@"(?m)^tcp(?!.*port=21\b)")]
    private static partial Regex Data();
}
