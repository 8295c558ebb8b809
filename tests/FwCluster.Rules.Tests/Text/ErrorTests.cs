using FwCluster.Packets;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Tests.TextTests;

/// <summary>A mistake is told with its place, what it is, and what would be right. In the texts, « and » stand around the place.</summary>
public class ErrorTests
{
    [Theory]
    // Options.
    [InlineData("-A FORWARD -p tcp «--dprot» 21", "not an option here", "did you mean \"--dport\"?")]
    [InlineData("-A FORWARD «--dport» 21", "not an option here", "it belongs to -m dccp, -m sctp, -m tcp, -m udp: name that before")]
    [InlineData("-A FORWARD «--reject-with» tcp-reset -j REJECT", "not an option here", "it belongs to -j REJECT: name that before")]
    [InlineData("-A FORWARD «-dport» 21", null, null)]
    [InlineData("-A FORWARD «--s» 1.2.3.4", "could be any of --source, --src, --set-counters", "write more of it")]
    [InlineData("-A FORWARD -p tcp --dport«»", "--dport needs a value", null)]
    [InlineData("-A FORWARD -p tcp --tcp-flags SYN «-j» DROP", "--tcp-flags needs 2 values", null)]
    [InlineData("-A FORWARD -p«tcp»", "must be a word of its own", "put a space before \"tcp\"")]
    [InlineData("-A FORWARD --source=«10.0.0.1»", "must be a word of its own", "put a space before \"10.0.0.1\"")]
    [InlineData("-A FORWARD -s 10.0.0.1 «-s» 10.0.0.2", "-s stands twice", "once is possible")]
    [InlineData("-A FORWARD -j ACCEPT «-j» DROP", "one -j or -g", null)]
    [InlineData("-A FORWARD «-q»", "\"-q\" is not an option", null)]
    [InlineData("-A FORWARD «foo»", "\"foo\" is not expected here", "options begin with - or --")]
    [InlineData("-A FORWARD «-n»", "no meaning in a rule file", "leave it out")]
    [InlineData("-s 10.0.0.1 -j ACCEPT«»", "nothing to do", "write -A CHAIN to append a rule")]
    [InlineData("-A FORWARD «-N» x", "-A and -N cannot be in one command", "write a line for each")]
    // Inversion.
    [InlineData("-A FORWARD -s ! «10.0.0.1»", null, null)]
    [InlineData("-A FORWARD «!» ! -s 10.0.0.1", null, null)]
    [InlineData("-A FORWARD ! «!» -s 10.0.0.1", "\"!\" stands twice", "write it once, before the option")]
    [InlineData("-A FORWARD «!» -j DROP", "cannot be turned round", null)]
    [InlineData("-A FORWARD -s 10.0.0.1 «!»", "nothing follows this", "write it before the option that it turns round")]
    [InlineData("-A FORWARD «!-s» 10.0.0.1", "not expected here", "put a space behind \"!\", and the option behind that")]
    [InlineData("-A FORWARD ! -s «10.0.0.1,10.0.0.2»", "list of addresses", null)]
    [InlineData("-A FORWARD ! -p «all»", "no packet", null)]
    // Addresses, interfaces, protocols, ports.
    [InlineData("-A FORWARD -s «10.0.0.256»", "is not an IPv4 address", "write it like 192.0.2.1 or 192.0.2.0/24")]
    [InlineData("-A FORWARD -s «server.example»", "is not an IPv4 address", "names of hosts and networks are not looked up: write the address itself")]
    [InlineData("-A FORWARD -d «2001:db8::1»", "is an IPv6 address in an IPv4 rule", "use ip6tables for it")]
    [InlineData("-A FORWARD -d 10.0.0.1,«10.0.0»,10.0.0.3", "is not an IPv4 address", null)]
    [InlineData("-A FORWARD -d 10.0.0.0/«33»", "is not an IPv4 mask", "write a length from 0 to 32, or a mask like 255.255.255.0")]
    [InlineData("-A FORWARD -d «010.0.0.1»", "begins with 0", null)]
    [InlineData("-A FORWARD -i «an-interface-too-long»", "has 21 bytes, and 15 are possible", null)]
    [InlineData("-A INPUT «-o» eth0", "a packet in INPUT has no outgoing interface yet", "-o is for FORWARD, OUTPUT and POSTROUTING")]
    [InlineData("-A OUTPUT «--in-interface» eth0", "a packet in OUTPUT has no incoming interface any more", null)]
    [InlineData("-A FORWARD -p «tpc»", "\"tpc\" is not a protocol", "did you mean \"tcp\"?")]
    [InlineData("-A FORWARD -p tcp --dport «70000»", "neither a port (0 to 65535) nor the name of a service", null)]
    [InlineData("-A FORWARD -p tcp --dport «90:80»", "begins after its end", "write 80:90")]
    [InlineData("-A FORWARD -p tcp --dport 80:«9x»", "neither a port", null)]
    [InlineData("-A FORWARD -p tcp ! --dport «0:65535»", "no port is outside", "leave the option out")]
    // Extensions.
    [InlineData("-A FORWARD -m «stat» --state NEW", "there is no match \"stat\"", "did you mean \"state\"?")]
    [InlineData("-A FORWARD -m «bpf» --bytecode 1", "the match \"bpf\" is not supported", null)]
    [InlineData("-A FORWARD -m «icmp6» --icmpv6-type 1", "is for IPv6 only", null)]
    [InlineData("-A FORWARD -m «state»", "state: --state is missing", "write -m state --state ...")]
    [InlineData("-A FORWARD -m state --state NEW,«ESTABLSHED»", "\"ESTABLSHED\" is not a state", null)]
    [InlineData("-A FORWARD -m state --state NEW «--state» RELATED", "stands twice", null)]
    [InlineData("-A FORWARD -m «tcp» --dport 21", "tcp needs -p tcp", null)]
    [InlineData("-A FORWARD ! -p tcp -m «tcp» --dport 21", "tcp needs -p tcp", "without \"!\"")]
    [InlineData("-A FORWARD -p tcp --tcp-flags SYN,«FOO» SYN", "is not a TCP flag", "there are FIN, SYN, RST, PSH, ACK, URG, ALL and NONE")]
    [InlineData("-A FORWARD -p tcp «--syn» --tcp-flags SYN SYN", "exclude each other", "leave one of them out")]
    [InlineData("-A FORWARD -p tcp -m multiport --dports 1,2,«9:3»", "does not end after its begin", null)]
    [InlineData("-A FORWARD -p icmp --icmp-type «echo»", "could be any of echo-reply, echo-request", "write more of it")]
    [InlineData("-A FORWARD -p icmp --icmp-type «ehco-request»", "is not a type", "did you mean \"echo-request\"?")]
    [InlineData("-A FORWARD -m conntrack --ctorigsrc «10.0.0.1/255.0.255.0»", "is not a prefix", null)]
    [InlineData("-A FORWARD -m mark --mark «x»", "is not a number from 0 to 4294967295", null)]
    [InlineData("-A FORWARD -j «LGO»", "neither a target nor a chain LGO", "did you mean \"LOG\"?")]
    [InlineData("-A FORWARD -j «MASQUERADE»", "the target MASQUERADE is not supported", null)]
    [InlineData("-A FORWARD -g «ACCEPT»", "ACCEPT is a target", "write -j ACCEPT")]
    [InlineData("-A FORWARD -j «INPUT»", "it is a built-in chain", null)]
    [InlineData("-A FORWARD -j REJECT --reject-with «tcp-reset»", "a TCP reset can answer TCP only", "write -p tcp in this rule")]
    [InlineData("-A FORWARD -j «TOS» --set-tos 1", "TOS cannot be used in the table filter", "it is for mangle")]
    [InlineData("-A FORWARD -j LOG --log-prefix «123456789012345678901234567890»", "has 30 bytes, and 29 are possible", "shorten it")]
    [InlineData("-A FORWARD -j «MARK»", "no mark is given", null)]
    // Chains and commands.
    [InlineData("-A «FORWRD» -j ACCEPT", "there is no chain FORWRD in the table filter", "did you mean \"FORWARD\"?")]
    [InlineData("-N «FORWARD»", "FORWARD is a built-in chain of filter", null)]
    [InlineData("-N «REJECT»", "that is a target's name", null)]
    [InlineData("-N «a-name-that-is-too-long-for-it»", "is longer than 28 bytes", null)]
    [InlineData("-P FORWARD «REJECT»", "is not a policy", "a policy is ACCEPT or DROP")]
    [InlineData("-I FORWARD «0» -j ACCEPT", "is not a rule number", "rules are counted from 1")]
    [InlineData("«-I» FORWARD 3 -j ACCEPT", "it has 0 so far", null)]
    [InlineData("«-D» FORWARD 1", "no meaning in a rule file", null)]
    [InlineData("-X «FORWARD»", "cannot be removed", null)]
    public void A_rule_with_a_mistake(string marked, string? message, string? hint)
    {
        var column = marked.IndexOf('«', StringComparison.Ordinal) + 1;
        var length = Math.Max(1, marked.IndexOf('»', StringComparison.Ordinal) - column);
        var rule = marked.Replace("«", "", StringComparison.Ordinal).Replace("»", "", StringComparison.Ordinal);
        // Where the place is another than the marks say, the test says so with null.
        var result = RulesetReader.Read($"*filter\n{rule}\nCOMMIT\n", "f", IpFamily.IPv4);

        Assert.Null(result.IPv4);
        Assert.NotEmpty(result.Errors);
        var error = result.Errors[0];
        Assert.Equal("f", error.File);
        Assert.Equal(2, error.Line);
        Assert.Equal(rule, error.SourceLine);
        if (message is null) return;
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Equal((column, length), (error.Column, error.Length));
        if (hint is not null) Assert.Equal(hint, error.Hint);
    }

    [Theory]
    [InlineData("*raw\n-A PREROUTING -j «REJECT»\nCOMMIT", "REJECT cannot be used in the table raw", "it is for filter")]
    [InlineData("*mangle\n-A PREROUTING -j «CT» --notrack\nCOMMIT", "CT cannot be used in the table mangle", "it is for raw")]
    [InlineData("*raw\n-A PREROUTING -p tcp -j CT --helper «fpt»\nCOMMIT", "there is no helper \"fpt\"", "did you mean \"ftp\"?")]
    [InlineData("*raw\n-A PREROUTING -p udp -j CT --helper «ftp»\nCOMMIT", "the helper ftp reads tcp only", "write -p tcp in this rule")]
    [InlineData("*raw\n-A PREROUTING -j CT «--timeout» x\nCOMMIT", "CT: --timeout is not supported", null)]
    [InlineData("*raw\n-A «FORWARD» -j DROP\nCOMMIT", "there is no chain FORWARD in the table raw", null)]
    [InlineData("*«nat»\nCOMMIT", "the table nat is not supported", "there are raw, mangle and filter")]
    [InlineData("*«fliter»\nCOMMIT", "there is no table \"fliter\"", "did you mean \"filter\"?")]
    [InlineData("*filter\n-A FORWARD -j ACCEPT«»\n", "the table filter has no COMMIT", "put a line COMMIT at its end")]
    [InlineData("*filter\n«*raw»\nCOMMIT", "the table filter has no COMMIT", "put a line COMMIT before this one")]
    [InlineData("«-A FORWARD -j ACCEPT»\n*filter\nCOMMIT", "this stands outside a table", null)]
    [InlineData("*filter\n:«FORWARD»\nCOMMIT", "the chain FORWARD has no policy", null)]
    [InlineData("*filter\n:FORWARD «MAYBE»\nCOMMIT", "is not a policy", null)]
    [InlineData("*filter\n:FORWARD DROP «[0:x]»\nCOMMIT", "is not a pair of counters", "write [PACKETS:BYTES]")]
    [InlineData("*filter\n:mine «DROP»\nCOMMIT", "only built-in chains have a policy", "write -")]
    [InlineData("*filter\n:mine -\n:«mine» -\nCOMMIT", "the chain mine exists already", null)]
    [InlineData("*filter\n«[5:6» -A FORWARD\nCOMMIT", null, null)]
    [InlineData("*filter\n-A FORWARD -m comment --comment «\"»open\nCOMMIT", "this quote is not closed", "put a \" at the end of the text")]
    [InlineData("*filter\n-A FORWARD -j «later»\n:later -\nCOMMIT", "neither a target nor a chain later", "it is made further down: make it before its first use")]
    [InlineData("*filter\n:a -\n:b -\n-A a -j b\n-A b -j «a»\nCOMMIT", "closes a circle: a -> b -> a", null)]
    [InlineData("*filter\n:a -\n-A a -j «a»\nCOMMIT", "closes a circle: a -> a", null)]
    [InlineData("*filter\n:a -\n-A FORWARD -j a\n-X «a»\nCOMMIT", "rules lead to the chain a", null)]
    [InlineData("*filter\n:a -\n-A a -j DROP\n-X «a»\nCOMMIT", "the chain a is not empty", "flush it before: -F a")]
    [InlineData("*filter\n«-t» raw -A INPUT\nCOMMIT", "-t cannot be used in restore text", "the line *TABLE says it")]
    public void A_file_with_a_mistake(string marked, string? message, string? hint)
    {
        var before = marked[..marked.IndexOf('«', StringComparison.Ordinal)];
        var (line, column) = (before.Count(c => c == '\n') + 1, before.Length - before.LastIndexOf('\n'));
        var result = RulesetReader.Read(marked.Replace("«", "", StringComparison.Ordinal).Replace("»", "", StringComparison.Ordinal), "f", IpFamily.IPv4);

        Assert.Null(result.IPv4);
        var error = Assert.Single(result.Errors);
        Assert.Equal((line, column), (error.Line, error.Column));
        if (message is not null) Assert.Contains(message, error.Message, StringComparison.Ordinal);
        if (hint is not null) Assert.Equal(hint, error.Hint);
    }

    [Theory]
    [InlineData("«iptable» -A FORWARD", "\"iptable\" is not an iptables command", "did you mean \"iptables\"?")]
    [InlineData("«-A» FORWARD -j ACCEPT", "is not an iptables command", "write iptables -A ..., or put the rules between *filter and COMMIT")]
    [InlineData("«set» -e", "is not an iptables command", "a line is an iptables or ip6tables command, a comment, or empty")]
    [InlineData("iptables -A FORWARD -s «$»NET -j ACCEPT", "means something to a shell", "write the value instead of the variable")]
    [InlineData("iptables -P FORWARD DROP «;» iptables -F", "means something to a shell", null)]
    [InlineData("iptables -A FORWARD -m comment --comment «'»open", "this quote is not closed", null)]
    [InlineData("iptables -A FORWARD -m comment --comment \"a «`»b`\"", "means something to a shell", "put the text in single quotes")]
    [InlineData("iptables -t «nta» -A PREROUTING -j DROP", "there is no table \"nta\"", null)]
    [InlineData("iptables «-6» -A FORWARD -j DROP", "-6 contradicts the command", null)]
    [InlineData("ip6tables -A FORWARD -s «10.0.0.1» -j DROP", "is an IPv4 address in an IPv6 rule", "use iptables for it")]
    [InlineData("iptables -A FORWARD \\\n  -j «LGO»", "neither a target nor a chain", "did you mean \"LOG\"?")]
    [InlineData("iptables -A FORWARD -p tcp «\\»", "nothing follows this backslash", null)]
    public void A_command_line_with_a_mistake(string marked, string message, string? hint)
    {
        var before = marked[..marked.IndexOf('«', StringComparison.Ordinal)];
        var result = RulesetReader.Read("# rules\n" + marked.Replace("«", "", StringComparison.Ordinal).Replace("»", "", StringComparison.Ordinal), "f", IpFamily.IPv4);

        var error = Assert.Single(result.Errors);
        Assert.Equal((before.Count(c => c == '\n') + 2, before.Length - before.LastIndexOf('\n')), (error.Line, error.Column));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        if (hint is not null) Assert.Equal(hint, error.Hint);
    }

    [Fact]
    public void All_mistakes_of_a_file_are_told_in_its_order()
    {
        var result = RulesetReader.Read(
            "*filter\n:a -\n-A a -s 1.2.3 -p tcp --dport x -j nowhere\n-A b -j ACCEPT\nfoo\n-A FORWARD -m nosuch --what ever -i eth0\nCOMMIT\n", "f", IpFamily.IPv4);

        Assert.Equal(
            ["3:9", "3:30", "3:35", "4:4", "5:1", "6:15"],
            result.Errors.Select(e => $"{e.Line}:{e.Column}"));
    }

    [Fact]
    public void A_mistake_is_shown_with_its_line_and_a_caret()
    {
        var result = RulesetReader.Read("*filter\n-A FORWARD\t-p tcp --dprot 21\nCOMMIT\n", "my.rules", IpFamily.IPv4);

        Assert.Equal(
            """
            my.rules:2:19: "--dprot" is not an option here; did you mean "--dport"?
                -A FORWARD	-p tcp --dprot 21
                          	       ^~~~~~~
            """, Assert.Single(result.Errors).Format());
    }
}
