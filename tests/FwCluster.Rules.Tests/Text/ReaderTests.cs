using FwCluster.Packets;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Tests.TextTests;

public class ReaderTests
{
    [Fact]
    public void The_exercise_prints_as_iptables_save_prints_it()
    {
        var result = RulesetReader.Read(
            """
            # FTP through a stateful firewall
            iptables -P FORWARD DROP
            sudo /sbin/iptables -A FORWARD -d 10.211.55.20 -p tcp --dport 21 \
                -m state --state NEW -j ACCEPT   # the control connection
            iptables -A FORWARD -m state --state 'ESTABLISHED,RELATED' -j ACCEPT
            """, "rules", IpFamily.IPv4);

        Assert.Empty(result.Errors);
        Assert.Equal(
            """
            *filter
            :INPUT ACCEPT [0:0]
            :FORWARD DROP [0:0]
            :OUTPUT ACCEPT [0:0]
            -A FORWARD -d 10.211.55.20/32 -p tcp -m tcp --dport 21 -m state --state NEW -j ACCEPT
            -A FORWARD -m state --state RELATED,ESTABLISHED -j ACCEPT
            COMMIT

            """, RulesetWriter.Write(result.IPv4!));
        Assert.Null(result.IPv6);
    }
}
