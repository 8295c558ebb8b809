using System.Text.RegularExpressions;
using FwCluster.Packets;
using FwCluster.Referee;
using FwCluster.Referee.Lab;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Text;

namespace FwCluster.Cli.Tests;

/// <summary>Listings against the real tool: rules go into a kernel, and what <c>iptables -L -v -n -x</c> prints is the expectation.</summary>
public partial class ChainListingTests
{
    private const string Both = """
        *raw
        -A PREROUTING -p tcp --dport 21 -j CT --helper ftp
        -A PREROUTING -j CT --notrack
        -A PREROUTING -j NOTRACK
        -A PREROUTING -j CT --zone 5
        -A PREROUTING -j CT --zone-orig 6
        -A PREROUTING -j CT --zone-reply mark
        -A PREROUTING -p udp --dport 69 -j CT --zone 7 --helper tftp
        COMMIT
        *mangle
        -A PREROUTING -j MARK --set-xmark 0x1/0xff
        -A PREROUTING -j MARK --set-mark 5
        -A PREROUTING -j MARK --and-mark 5
        -A PREROUTING -j MARK --or-mark 5
        -A PREROUTING -j MARK --xor-mark 5
        -A PREROUTING -j CONNMARK --set-xmark 0x1/0xff
        -A PREROUTING -j CONNMARK --set-mark 5
        -A PREROUTING -j CONNMARK --and-mark 5
        -A PREROUTING -j CONNMARK --or-mark 5
        -A PREROUTING -j CONNMARK --xor-mark 5
        -A PREROUTING -j CONNMARK --save-mark
        -A PREROUTING -j CONNMARK --restore-mark
        -A PREROUTING -j CONNMARK --save-mark --nfmask 0xff --ctmask 0xff
        -A PREROUTING -j CONNMARK --save-mark --nfmask 0xff --ctmask 0xf0
        -A PREROUTING -j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xf0
        -A PREROUTING -j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xff
        -A PREROUTING -j CONNMARK --set-xmark 0x1/0xff --left-shift-mark 3
        -A PREROUTING -j CONNMARK --save-mark --right-shift-mark 4
        -A PREROUTING -j DSCP --set-dscp 0x0a
        -A PREROUTING -j TOS --set-tos 0x10/0x3f
        -A PREROUTING -j TOS --and-tos 0x10
        COMMIT
        *filter
        :FORWARD DROP [12345678901:99999999999999]
        -N user
        -N a-name-of-a-chain
        [1:2] -A INPUT
        [12345678901:2345678901234] -A INPUT -j ACCEPT
        -A INPUT -i eth0 -j DROP
        -A INPUT ! -i lo -j user
        -A INPUT -i eth+ -g user
        -A INPUT -i verylonginterf0 -p tcp -g user
        -A OUTPUT -o eth1 -p 47 -j a-name-of-a-chain
        -A OUTPUT ! -o eth+ ! -p tcp -j RETURN
        -A FORWARD -i a -o b -j user
        -A user -p tcp --sport 1 --dport 2:3 -j ACCEPT
        -A user -p tcp ! --sport 1:2 ! --dport 3 -j ACCEPT
        -A user -p tcp --syn -j ACCEPT
        -A user -p tcp ! --syn -j ACCEPT
        -A user -p tcp --tcp-flags ALL NONE -j ACCEPT
        -A user -p tcp --tcp-flags SYN,FIN SYN,FIN --tcp-option 5
        -A user -p tcp ! --tcp-option 5
        -A user -p tcp -m tcp
        -A user -p udp --sport 1:65535 --dport 53
        -A user -p udp ! --dport 53:54
        -A user -p sctp --sport 1 ! --dport 2:3
        -A user -p dccp --dport 5
        -A user -p tcp -m multiport --dports 1,2:3,4
        -A user -p tcp -m multiport ! --dports 1,2:3,4
        -A user -p udp -m multiport --sports 5
        -A user -p udp -m multiport ! --ports 5
        -A user -m state --state NEW,ESTABLISHED
        -A user -m state ! --state INVALID
        -A user -m state --state RELATED,UNTRACKED
        -A user -m conntrack --ctstate NEW,RELATED,SNAT
        -A user -m conntrack ! --ctstate INVALID --ctproto 6
        -A user -m conntrack ! --ctproto 17 --ctdir REPLY
        -A user -m conntrack --ctorigsrcport 1 --ctorigdstport 2:3 --ctdir ORIGINAL
        -A user -m conntrack ! --ctreplsrcport 1 ! --ctrepldstport 2:3
        -A user -m conntrack --ctstatus SEEN_REPLY,ASSURED --ctexpire 5:10
        -A user -m conntrack ! --ctstatus NONE ! --ctexpire 7
        -A user -m conntrack --ctstatus EXPECTED,CONFIRMED
        -A user -m comment --comment plain
        -A user -m comment --comment "a \"longer\" one, with 'quotes'"
        -A user -m mark --mark 5
        -A user -m mark ! --mark 0x5/0xf
        -A user -m connmark --mark 5
        -A user -m connmark ! --mark 0x5/0xf
        -A user -m helper --helper ftp
        -A user -m helper ! --helper ftp-2121
        -A user -m length --length 5
        -A user -m length ! --length 5:10
        -A user -m dscp --dscp 5
        -A user -m dscp ! --dscp-class EF
        -A user -m tos --tos 0x10/0x3f
        -A user -m tos ! --tos 0x08
        -A user -m mac --mac-source 02:AB:cd:00:01:02
        -A user -m mac ! --mac-source 02:ab:cd:00:01:02
        -A user -m pkttype --pkt-type multicast
        -A user -m pkttype ! --pkt-type unicast
        -A user -p tcp -m tcpmss --mss 1:2
        -A user -p tcp -m tcpmss ! --mss 5
        -A user -m limit --limit 5/second
        -A user -m limit --limit 90/minute --limit-burst 7
        -A user -m limit --limit 3/day --limit-burst 1
        -A user -m hashlimit --hashlimit-upto 5/sec --hashlimit-name a
        -A user -m hashlimit --hashlimit-above 5/min --hashlimit-burst 9 --hashlimit-mode srcip,dstport --hashlimit-name b
        -A user -m hashlimit --hashlimit-upto 5/hour --hashlimit-mode srcip --hashlimit-srcmask 24 --hashlimit-dstmask 8 --hashlimit-name c
        -A user -m hashlimit --hashlimit-upto 20kb/s --hashlimit-burst 1mb --hashlimit-name d
        -A user -m hashlimit --hashlimit-above 512b/s --hashlimit-mode dstip,srcport --hashlimit-name e
        -A user -m hashlimit --hashlimit-upto 5/sec --hashlimit-name f --hashlimit-htable-size 64 --hashlimit-htable-max 100 --hashlimit-htable-gcinterval 500 --hashlimit-htable-expire 5000
        -A user -m hashlimit --hashlimit-above 10/min --hashlimit-name g --hashlimit-rate-match --hashlimit-rate-interval 2
        -A user -p tcp --syn -m connlimit --connlimit-above 5
        -A user -p tcp -m connlimit --connlimit-upto 5 --connlimit-mask 16 --connlimit-daddr
        -A user -m recent --set
        -A user -m recent ! --rcheck --seconds 5 --hitcount 3 --name other --rdest
        -A user -m recent --update --seconds 5 --reap --rttl
        -A user -m recent --remove --name other
        -A user -m statistic --mode random --probability 0.25
        -A user -m statistic --mode random ! --probability 0.333
        -A user -m statistic --mode nth --every 3 --packet 0
        -A user -m statistic --mode nth ! --every 3 --packet 1
        -A user -m time --timestart 08:00 --timestop 17:30 --weekdays Mon,Tue
        -A user -m time --monthdays 1,2,3,4,11,12,13,22 --kerneltz
        -A user -m time --datestart 2026-01-02T03:04:05 --datestop 2027-01-01
        -A user -m time --timestart 22:00 --timestop 06:00 --contiguous
        -A user -m time
        -A user -j LOG
        -A user -j LOG --log-prefix "a b: " --log-level debug --log-tcp-sequence --log-uid
        -A user -j NFLOG
        -A user -j NFLOG --nflog-group 5 --nflog-prefix "x y" --nflog-threshold 3
        -A user -j NFLOG --nflog-size 64 --nflog-prefix xy
        -A user -p tcp -j REJECT --reject-with tcp-reset
        -A user -j REJECT
        COMMIT
        """;

    private const string OnlyIPv4 = """
        *filter
        -A INPUT -s 10.0.0.1 -d 10.0.0.0/8
        -A INPUT ! -s 10.0.0.0/24 ! -d 1.2.3.4
        -A INPUT -s 1.2.3.4/255.0.255.0 -f
        -A INPUT ! -f -p 50
        -A INPUT -p icmp --icmp-type echo-request
        -A INPUT -p icmp ! --icmp-type 3/4
        -A INPUT -p icmp --icmp-type any
        -A INPUT -m ttl --ttl-eq 5
        -A INPUT -m ttl ! --ttl-eq 5
        -A INPUT -m ttl --ttl-lt 5
        -A INPUT -m ttl --ttl-gt 5
        -A INPUT -m iprange --src-range 10.0.0.1-10.0.0.9
        -A INPUT -m iprange ! --src-range 10.0.0.1-10.0.0.9 --dst-range 10.0.0.1
        -A INPUT -m addrtype --src-type LOCAL
        -A INPUT -m addrtype ! --src-type UNICAST,BROADCAST --dst-type MULTICAST --limit-iface-in
        -A INPUT -m conntrack --ctorigsrc 10.0.0.0/8 ! --ctorigdst 1.2.3.4
        -A INPUT -m conntrack ! --ctreplsrc 10.0.0.0/8 --ctrepldst 1.2.3.4
        -A INPUT -m recent --set --mask 255.255.255.0
        -A INPUT -j REJECT --reject-with icmp-host-prohibited
        COMMIT
        """;

    private const string OnlyIPv6 = """
        *filter
        -A INPUT -s 2001:db8::1 -d fe80::/10
        -A INPUT ! -s ::/1 ! -d ::1
        -A INPUT -p ipv6-icmp --icmpv6-type echo-request
        -A INPUT -p ipv6-icmp ! --icmpv6-type 1/4
        -A INPUT -m hl --hl-eq 5
        -A INPUT -m hl ! --hl-eq 5
        -A INPUT -m hl --hl-lt 5
        -A INPUT -m hl --hl-gt 5
        -A INPUT -m iprange ! --src-range 2001:db8::1-2001:db8::9 --dst-range ::1
        -A INPUT -m conntrack --ctorigsrc 2001:db8::/32 ! --ctorigdst ::1
        -A INPUT -m addrtype --dst-type LOCAL
        -A INPUT -j REJECT --reject-with icmp6-adm-prohibited
        COMMIT
        """;

    [KernelTheory]
    [InlineData(false, Both)]
    [InlineData(true, Both)]
    [InlineData(false, OnlyIPv4)]
    [InlineData(true, OnlyIPv6)]
    public void ListsAsIptablesDoes(bool ipv6, string text)
    {
        // ip6tables-restore 1.8.9 loses counters of rules.
        if (ipv6) text = RuleCounters().Replace(text, "");
        var read = RulesetReader.Read(text, "rules", ipv6 ? IpFamily.IPv6 : IpFamily.IPv4);
        Assert.True(read.Succeeded, string.Join('\n', read.Errors.Select(e => e.Format())));
        var rules = CompiledRuleset.Compile(read.Of(ipv6 ? IpFamily.IPv6 : IpFamily.IPv4)!, seed: 1);
        var counters = rules.CreateCounters(fromText: true);

        using var lab = new NetworkLab();
        var host = lab.AddNamespace("h");
        var program = ipv6 ? "ip6tables" : "iptables";
        host.Execute($"{program}-restore", ["-c"], text + "\n");
        foreach (var table in Enum.GetValues<TableId>())
        {
            if (read.Of(rules.Family)!.Table(table.Name()) is null) continue;
            using var listing = new StringWriter();
            ChainListing.Write(listing, rules, counters, table);
            AssertSame(host.Execute($"{program} -t {table.Name()} -L -v -n -x"), listing.ToString());
        }
    }

    [GeneratedRegex(@"^\[\d+:\d+\] ", RegexOptions.Multiline)]
    private static partial Regex RuleCounters();

    // All differences at once, each with both lines.
    private static void AssertSame(string expected, string actual)
    {
        var (left, right) = (expected.Split('\n'), actual.Split('\n'));
        var different = Enumerable.Range(0, Math.Max(left.Length, right.Length))
            .Where(i => left.ElementAtOrDefault(i) != right.ElementAtOrDefault(i))
            .Select(i => $"iptables: {left.ElementAtOrDefault(i)}|\nhere:     {right.ElementAtOrDefault(i)}|");
        Assert.Equal("", string.Join("\n\n", different));
    }
}
