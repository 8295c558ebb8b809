using FwCluster.Packets;
using FwCluster.Referee;
using FwCluster.Rules.Sets;
using FwCluster.Rules.Tests.Differential;
using FwCluster.Rules.Tests.Generation;

namespace FwCluster.Rules.Tests.Matches;

/// <summary>Sets: their text, and what is in them.</summary>
public class SetTests
{
    private const string Sets4 = """
        create a hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x24c8dfaa
        add a 10.0.0.1
        add a 192.168.7.0/29
        create masked hash:ip family inet netmask 24 timeout 300 counters comment
        add masked 10.0.1.9 timeout 250 packets 5 bytes 7 comment "two words"
        create n hash:net family inet
        add n 10.0.0.0/8
        add n 10.0.1.0/24 nomatch
        add n 198.51.100.16/28
        create ip hash:ip,port family inet
        add ip 10.0.0.1,80
        add ip 10.0.0.2,udp:53
        add ip 10.0.1.1,tcp:20-22
        add ip 10.0.0.1,icmp:echo-request
        add ip 203.0.113.5,gre:0
        create np hash:net,port family inet
        add np 10.0.0.0/16,tcp:443
        add np 10.0.1.0/24,tcp:443 nomatch
        add np 0.0.0.0/1,udp:53
        create ipi hash:ip,port,ip family inet
        add ipi 10.0.0.1,tcp:80,10.0.0.2
        add ipi 10.0.0.2,udp:443,10.0.1.1
        create ni hash:net,iface family inet
        add ni 10.0.0.0/8,eth0
        add ni 0.0.0.0/0,eth1
        add ni 192.168.0.0/16,et wildcard
        add ni 10.0.1.0/24,eth9
        create bi bitmap:ip range 10.0.0.0-10.0.1.255
        add bi 10.0.0.1-10.0.0.2
        create bp bitmap:port range 0-1024
        add bp 80
        add bp 20-53
        create l list:set size 8
        add l a
        add l n
        add l bp
        """;

    private const string Sets6 = """
        create a hash:ip family inet6
        add a 2001:db8::1
        create n hash:net family inet6
        add n 2001:db8::/32
        add n 2001:db8:0:1::/64 nomatch
        create ip hash:ip,port family inet6
        add ip 2001:db8::2,80
        add ip 2001:db8::1,ipv6-icmp:echo-request
        create ni hash:net,iface family inet6
        add ni 2001:db8::/32,eth1
        """;

    [KernelTheory]
    [InlineData(IpFamily.IPv4)]
    [InlineData(IpFamily.IPv6)]
    public void Members_are_the_kernels(IpFamily family)
    {
        using var comparison = new RuleComparison();
        var text = family == IpFamily.IPv4 ? Sets4 : Sets6;
        comparison.UseSets(text);
        string[] names = family == IpFamily.IPv4 ? ["a", "masked", "n", "ip", "np", "ipi", "ni", "bi", "bp", "l"] : ["a", "n", "ip", "ni"];
        string[] sides = ["src", "dst", "src,dst", "dst,src", "dst,dst", "src,dst,dst", "src,dst,src", "src,src,src"];
        var rules = string.Concat(
            from name in names
            from side in sides
            from rest in (string[])["", " --return-nomatch"]
            select $"-A FORWARD -m set --match-set {name} {side}{rest}\n-A FORWARD -m set ! --match-set {name} {side}{rest}\n");
        var packets = new PacketGenerator(new Draw(1, family)).Some(1500);
        Assert.Equal("", comparison.Difference(family, $"*raw\nCOMMIT\n*mangle\nCOMMIT\n*filter\n{rules}COMMIT\n", packets));
    }

    [KernelFact]
    public void What_ipset_saves_reads_as_what_it_was_made_from()
    {
        using var comparison = new RuleComparison();
        comparison.UseSets(Sets4);
        var (made, saved) = (Read(Sets4), Read(comparison.SaveSets()));
        foreach (var name in made.Names) Assert.Equal((name, made.Find(name)!.Count), (name, saved.Find(name)!.Count));
    }

    [Fact]
    public void Elements_live_as_long_as_their_timeout()
    {
        var run = new RuleRun(Read("create a hash:ip timeout 100\nadd a 192.0.2.1 timeout 10\nadd a 192.0.2.2\nadd a 192.0.2.3 timeout 0"),
            "-m set --match-set a src");
        foreach (var source in (string[])["192.0.2.1", "192.0.2.2", "192.0.2.3"]) Assert.True(run.Matches(0, source));
        Assert.False(run.Matches(11, "192.0.2.1"));
        Assert.True(run.Matches(99, "192.0.2.2"));
        Assert.False(run.Matches(101, "192.0.2.2"));
        Assert.True(run.Matches(1e6, "192.0.2.3"));
    }

    [Theory]
    [InlineData("create a hash:ip\nadd a 10.0.0.300", 2, 7, "10.0.0.300")]
    [InlineData("create a hash:mac", 1, 10, "not supported")]
    [InlineData("add b 10.0.0.1", 1, 5, "no set \"b\"")]
    [InlineData("create a hash:ip family inet7", 1, 25, "inet7")]
    [InlineData("create a hash:ip,port\nadd a 10.0.0.1", 2, 7, "2 parts")]
    [InlineData("create a hash:ip,port\nadd a 10.0.0.1,tcp:70000", 2, 20, "70000")]
    [InlineData("create a hash:ip\nadd a 10.0.0.1\nadd a 10.0.0.1", 3, 7, "already")]
    [InlineData("create a hash:ip\nadd a 10.0.0.1 timeout 5", 2, 16, "without timeout")]
    [InlineData("create a hash:ip\nadd a 10.0.0.1 nomatch", 2, 16, "nomatch")]
    [InlineData("create a hash:net\nadd a 0.0.0.0/0", 2, 7, "all addresses")]
    [InlineData("create a bitmap:port", 1, 10, "range")]
    [InlineData("create a bitmap:ip range 10.0.0.0/24\nadd a 10.0.1.0", 2, 7, "outside")]
    [InlineData("create l list:set\nadd l x", 2, 7, "no set \"x\"")]
    [InlineData("create a hash:ip maxelem 2\nadd a 10.0.0.0/24", 2, 7, "full")]
    [InlineData("create a hash:ip\nadd a ::/0-5", 2, 7, "")]
    [InlineData("create a hash:ip\nadd a 0.0.0.0/0", 2, 7, "elements")]
    [InlineData("flush a", 1, 1, "not supported")]
    public void Mistakes_are_told_with_their_place(string text, int line, int column, string part)
    {
        var result = SetReader.Read(text, "sets");
        Assert.Null(result.Sets);
        Assert.Equal((line, column), (result.Errors[0].Line, result.Errors[0].Column));
        Assert.Contains(part, result.Errors[0].ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Unknown_set_is_a_mistake_with_its_place()
    {
        var settings = Rules.Text.ReaderSettings.Default with { Sets = Read("create allowed hash:ip") };
        var read = Rules.Text.RulesetReader.Read("*filter\n-A INPUT -m set --match-set alowed src\nCOMMIT\n", "rules", IpFamily.IPv4, settings);
        var error = Assert.Single(read.Errors);
        Assert.Equal((2, 29), (error.Line, error.Column));
        Assert.Contains("allowed", error.Hint!, StringComparison.Ordinal);
    }

    private static SetCollection Read(string text)
    {
        var result = SetReader.Read(text, "sets");
        Assert.True(result.Succeeded, string.Join('\n', result.Errors.Select(e => e.Format())));
        return result.Sets!;
    }
}
