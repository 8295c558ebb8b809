using FwCluster.Capture.Divert;
using FwCluster.Packets;

namespace FwCluster.Capture.Tests.Divert;

/// <summary>Scripts, errors and settings: what needs no kernel.</summary>
public sealed class DivertTextTests
{
    private static readonly DivertSettings Settings = new() { FirstQueue = 4, QueueCount = 2 };

    [Theory]
    // What iptables 1.8.9 says, both variants, for an extension that the kernel lacks.
    [InlineData("Warning: Extension NFQUEUE revision 0 not supported, missing kernel module?\niptables-nft-restore v1.8.9 (nf_tables): \n"
        + "line 3: RULE_APPEND failed (No such file or directory): rule in chain FWCLUSTER-INPUT\n", "modprobe xt_NFQUEUE", "(the rule: -A b)")]
    [InlineData("Warning: Extension NFQUEUE revision 0 not supported, missing kernel module?\niptables-restore: line 4 failed\n",
        "modprobe xt_NFQUEUE", "line 4 failed; the kernel lacks")]
    [InlineData("Warning: Extension socket revision 0 not supported, missing kernel module?\niptables-restore: line 4 failed\n",
        "Reassemble: false", "modprobe xt_socket")]
    [InlineData("Warning: Extension CT revision 0 not supported, missing kernel module?\niptables-restore: line 4 failed\n",
        "NoTrack: false", "modprobe xt_CT")]
    [InlineData("iptables-restore v1.8.9 (legacy): iptables-restore: unable to initialize table 'security'\nError occurred at line: 1\n",
        "setting Table", "unable to initialize table 'security'")]
    [InlineData("Fatal: can't open lock file /run/xtables.lock: Permission denied\n", "XTABLES_LOCKFILE", "/run/xtables.lock")]
    [InlineData("iptables-nft-restore v1.8.9 (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root)\n",
        "CAP_NET_ADMIN", "AmbientCapabilities")]
    public void An_error_says_what_would_help(string error, string help, string detail)
    {
        var message = Iptables.Explain("iptables-restore", error, "*security\n-A a\n-A b\nCOMMIT\n");
        Assert.StartsWith("iptables-restore: ", message, StringComparison.Ordinal);
        Assert.Contains(help, message, StringComparison.Ordinal);
        Assert.Contains(detail, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void A_script_for_a_table_that_is_right_writes_the_chains_again_and_leaves_the_jumps()
    {
        var chains = DivertChain.For(Settings, IpFamily.IPv4);
        var saved = SavedTable.Read("""
            # a comment
            *security
            :INPUT ACCEPT [0:0]
            :FWCLUSTER-INPUT - [0:0]
            :FWCLUSTER-OLD - [0:0]
            -A INPUT -j FWCLUSTER-INPUT
            -A INPUT -s 192.0.2.1/32 -j DROP
            -A FORWARD -s 192.0.2.1/32 -j DROP
            -A FORWARD -j FWCLUSTER-FORWARD
            -A OUTPUT -j FWCLUSTER-OLD
            COMMIT
            """);
        Assert.Equal("""
            *security
            :FWCLUSTER-INPUT - [0:0]
            :FWCLUSTER-FORWARD - [0:0]
            :FWCLUSTER-OUTPUT - [0:0]
            :FWCLUSTER-OLD - [0:0]
            -A FWCLUSTER-INPUT -i lo -j RETURN
            -A FWCLUSTER-INPUT -p tcp -m tcp --dport 22 --tcp-flags SYN,ACK ACK -j RETURN
            -A FWCLUSTER-INPUT -j NFQUEUE --queue-balance 4:5
            -A FWCLUSTER-INPUT -m socket -j RETURN
            -A FWCLUSTER-FORWARD -j NFQUEUE --queue-balance 4:5
            -A FWCLUSTER-OUTPUT -p tcp -m tcp --sport 22 --tcp-flags SYN,ACK ACK -j RETURN
            -A FWCLUSTER-OUTPUT -j NFQUEUE --queue-balance 4:5
            -D FORWARD -j FWCLUSTER-FORWARD
            -D OUTPUT -j FWCLUSTER-OLD
            -I FORWARD 1 -j FWCLUSTER-FORWARD
            -I OUTPUT 1 -j FWCLUSTER-OUTPUT
            -X FWCLUSTER-OLD
            COMMIT

            """, DivertScript.Install(chains, saved, markNewTables: true));
        Assert.Equal("""
            *security
            -D INPUT -j FWCLUSTER-INPUT
            -D FORWARD -j FWCLUSTER-FORWARD
            -D OUTPUT -j FWCLUSTER-OLD
            -F FWCLUSTER-INPUT
            -F FWCLUSTER-OLD
            -X FWCLUSTER-INPUT
            -X FWCLUSTER-OLD
            COMMIT

            """, DivertScript.Remove(saved));
        Assert.Equal("", DivertScript.Remove(SavedTable.Read("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j DROP\nCOMMIT\n")));
    }

    [Fact]
    public void A_setting_out_of_its_range_is_refused_by_name()
    {
        foreach (var (settings, name) in ((DivertSettings, string)[])[
            (Settings with { FirstQueue = -1 }, "FirstQueue"),
            (Settings with { QueueCount = 0 }, "QueueCount"),
            (Settings with { FirstQueue = 65535 }, "QueueCount"),
            (Settings with { ExemptPorts = [ExemptPort.Tcp(0)] }, "ExemptPorts"),
            (Settings with { ExemptPorts = [new ExemptPort(1, 7)] }, "ExemptPorts"),
            (Settings with { ExemptEstablished = [65536] }, "ExemptEstablished"),
            (Settings with { Families = [] }, "Families"),
            (Settings with { CheckInterval = TimeSpan.Zero }, "CheckInterval")])
        {
            var error = Assert.Throws<ArgumentException>(() => DivertRules.Install(settings));
            Assert.Equal(name, error.ParamName);
            Assert.Contains("it must be", error.Message, StringComparison.Ordinal);
        }
    }
}
