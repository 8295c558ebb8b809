using System.Globalization;
using System.Text;

namespace FwCluster.Benchmarks;

/// <summary>Rules that the benchmarks run.</summary>
public static class RuleTexts
{
    /// <summary>The exercise's seven rules, in the chains that a host (INPUT, OUTPUT) or a gateway (FORWARD) runs.</summary>
    public static string Exercise(bool gateway)
    {
        var (input, output) = gateway ? ("FORWARD", "FORWARD") : ("INPUT", "OUTPUT");
        return $"""
            *filter
            :INPUT ACCEPT [0:0]
            :FORWARD ACCEPT [0:0]
            :OUTPUT ACCEPT [0:0]
            -A {input} -d 10.211.55.20/32 -p tcp -m tcp --dport 21 -m state --state NEW -j ACCEPT
            -A {input} -p tcp -m state --state RELATED -j ACCEPT
            -A {input} -p tcp -m tcp --dport 21 -m state --state ESTABLISHED -j ACCEPT
            -A {input} -p tcp -m tcp ! --dport 22 -m state --state ESTABLISHED -j ACCEPT
            -A {output} -d 10.0.0.0/8 -p tcp -m state --state RELATED -j ACCEPT
            -A {output} -d 10.0.0.0/8 -p tcp -m state --state NEW -j ACCEPT
            -A {output} -d 10.0.0.0/8 -p tcp -m state --state ESTABLISHED -j ACCEPT
            COMMIT

            """;
    }

    /// <summary>Rules for hosts and services that the traffic never meets, then the ones that accept it: every packet has them all to
    /// pass.</summary>
    public static string Long(int count)
    {
        var text = new StringBuilder("*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT DROP [0:0]\n");
        foreach (var chain in (string[])["INPUT", "OUTPUT"])
        {
            for (var i = 0; i < count - 2; i++)
            {
                text.Append(CultureInfo.InvariantCulture,
                    $"-A {chain} -s 172.{16 + i / 65536 % 16}.{i / 256 % 256}.{i % 256}/32 -p tcp -m tcp --dport {1 + i % 1000} -j DROP\n");
            }
            text.Append(CultureInfo.InvariantCulture, $"-A {chain} -m state --state ESTABLISHED,RELATED -j ACCEPT\n");
            text.Append(CultureInfo.InvariantCulture, $"-A {chain} -p tcp -m state --state NEW -j ACCEPT\n");
        }
        return text.Append("COMMIT\n").ToString();
    }
}
