using System.Text.RegularExpressions;
using FwCluster.Referee;

namespace FwCluster.Node.Tests;

/// <summary>The daemon as nobody, with CAP_NET_ADMIN and CAP_NET_RAW alone.</summary>
[Collection(DaemonTests.Name)]
public sealed class UnprivilegedTests
{
    private const int TransferPort = 7003;

    private const string Rules = """
        *filter
        :INPUT ACCEPT [0:0]
        :FORWARD DROP [0:0]
        :OUTPUT ACCEPT [0:0]
        -A FORWARD -p tcp -m tcp --dport 7003 -m state --state NEW -j ACCEPT
        -A FORWARD -m state --state ESTABLISHED -j ACCEPT
        COMMIT

        """;

    [KernelTheory]
    [InlineData("nft", false)]
    [InlineData("nft", true)]
    [InlineData("legacy", false)]
    [InlineData("legacy", true)]
    public void ItEnforcesAndItsRulesComeAndGoExactly(string variant, bool hostHasRules)
    {
        using var lab = new GatewayLab();
        using var iptables = IptablesFolder.Of(variant);
        if (hostHasRules)
        {
            foreach (var family in (string[])["iptables", "ip6tables"])
            {
                lab.Gateway.Execute($"{family}-{variant} -t security -A FORWARD -p udp --dport 9 -j DROP");
                lab.Gateway.Execute($"{family}-{variant} -A INPUT -p udp --dport 9 -j DROP");
            }
        }
        var (mine, other) = (Saved(lab, variant), Saved(lab, variant == "nft" ? "legacy" : "nft"));

        using var daemon = new Daemon(lab.Gateway, Rules, "", [.. Daemon.Unprivileged, .. iptables.Wrapper]);
        Assert.Equal($"{Daemon.Nobody} 0000000000003000 0000000000003000", daemon.Identity);
        var running = Saved(lab, variant);
        Assert.Equal(2, Regex.Count(running, "-A FWCLUSTER-FORWARD -j NFQUEUE"));
        Assert.Equal(other, Saved(lab, variant == "nft" ? "legacy" : "nft"));

        using (var transfer = new Transfer(lab, TransferPort))
        {
            Assert.True(SpinWait.SpinUntil(() => transfer.Received > 1 << 20, TimeSpan.FromSeconds(30)), $"{transfer.Received} bytes: {daemon.Log}");
            transfer.Finish();
        }
        Assert.False(lab.CanConnect(GatewayLab.RightIPv4, 7004, TimeSpan.FromSeconds(1)));
        Assert.Contains("state ESTABLISHED", daemon.Get("rules"));

        // What a killed process left is taken over, and what somebody else removed is put back.
        daemon.Kill();
        Assert.Equal(running, Saved(lab, variant));
        daemon.Start();
        Assert.Equal(running, Saved(lab, variant));
        lab.Gateway.Execute($"iptables-{variant} -t security -F FWCLUSTER-FORWARD");
        Assert.True(SpinWait.SpinUntil(() => Saved(lab, variant) == running, TimeSpan.FromSeconds(20)), daemon.Log);

        Assert.Equal(0, daemon.Stop());
        var after = Saved(lab, variant);
        // iptables-legacy cannot remove a table: an empty one stays.
        if (variant == "legacy" && !hostHasRules) after = Empty(after, "security");
        Assert.Equal(mine, after);
        Assert.Equal(other, Saved(lab, variant == "nft" ? "legacy" : "nft"));
    }

    private static string Empty(string saved, string table)
        => saved.Replace($"*{table}\n:INPUT ACCEPT\n:FORWARD ACCEPT\n:OUTPUT ACCEPT\nCOMMIT\n", "", StringComparison.Ordinal);

    private static string Saved(GatewayLab lab, string variant)
        => Regex.Replace(lab.Gateway.Execute($"iptables-{variant}-save") + lab.Gateway.Execute($"ip6tables-{variant}-save"), @"(?m)^#.*\n| \[\d+:\d+\]$", "");
}
