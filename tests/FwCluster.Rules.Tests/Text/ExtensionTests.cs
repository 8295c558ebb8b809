using FwCluster.Conntrack;
using FwCluster.Conntrack.Helpers;
using FwCluster.Packets;
using FwCluster.Referee.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Tests.TextTests;

/// <summary>What the language's extensions say of packets, from the words of the rule to the answer.</summary>
public sealed class ExtensionTests : IPacketLog
{
    private static readonly PacketAddresses There = PacketAddresses.Parse("10.0.0.1", "10.0.1.2");
    private static readonly PacketAddresses There6 = PacketAddresses.Parse("2001:db8::1", "2001:db8::2");
    private readonly List<LogRequest> _logged = [];

    [Theory]
    [InlineData("-s 10.0.0.0/24", true)]
    [InlineData("! -s 10.0.0.0/24", false)]
    [InlineData("-s 10.0.0.1/255.0.0.255", true)]
    [InlineData("-d 10.0.1.3", false)]
    [InlineData("! -d 10.0.1.3 -i eth0 -o eth+", true)]
    [InlineData("-i eth", false)]
    [InlineData("-i eth+", true)]
    [InlineData("-i +", true)]
    [InlineData("! -i +", false)]
    [InlineData("! -o eth0", true)]
    [InlineData("-p tcp", true)]
    [InlineData("! -p tcp", false)]
    [InlineData("-p udp", false)]
    [InlineData("-f", false)]
    [InlineData("! -f", true)]
    [InlineData("-p tcp --dport 21", true)]
    [InlineData("-p tcp ! --dport 21", false)]
    [InlineData("-p tcp --sport 1024:", true)]
    [InlineData("-p tcp --sport :39999", false)]
    [InlineData("-p tcp --syn", true)]
    [InlineData("-p tcp ! --syn", false)]
    [InlineData("-p tcp --tcp-flags SYN,ECE SYN", null)]
    [InlineData("-p tcp --tcp-flags ALL SYN", true)]
    [InlineData("-p tcp --tcp-flags SYN,ACK SYN,ACK", false)]
    [InlineData("-p tcp --tcp-option 3", true)]
    [InlineData("-p tcp ! --tcp-option 3", false)]
    [InlineData("-p tcp --tcp-option 4", false)]
    [InlineData("-p tcp -m multiport --dports 20,21", true)]
    [InlineData("-p tcp -m multiport --ports 1:2,40000", true)]
    [InlineData("-p tcp -m multiport ! --sports 1:39999", true)]
    [InlineData("-p tcp -m multiport --sports 21", false)]
    [InlineData("-m iprange --src-range 10.0.0.1-10.0.0.9", true)]
    [InlineData("-m iprange ! --src-range 10.0.0.1-10.0.0.9", false)]
    [InlineData("-m iprange --dst-range 10.0.1.3-10.0.1.1", false)]
    [InlineData("-m iprange ! --dst-range 10.0.1.3", true)]
    [InlineData("-m mark --mark 0x10/0xf0", true)]
    [InlineData("-m mark --mark 0x10", false)]
    [InlineData("-m mark ! --mark 0x10", true)]
    [InlineData("-m comment --comment \"no matter\"", true)]
    [InlineData("-m state --state NEW", true)]
    [InlineData("-m state ! --state NEW", false)]
    [InlineData("-m state --state ESTABLISHED,RELATED", false)]
    [InlineData("-m conntrack --ctstate NEW --ctdir ORIGINAL", true)]
    [InlineData("-m conntrack --ctdir REPLY", false)]
    [InlineData("-m conntrack --ctproto tcp --ctorigsrc 10.0.0.1 --ctorigdst 10.0.1.0/24", true)]
    [InlineData("-m conntrack --ctreplsrc 10.0.1.2 --ctrepldst 10.0.0.1 --ctreplsrcport 21 --ctrepldstport 40000", true)]
    [InlineData("-m conntrack ! --ctorigsrc 10.0.0.1", false)]
    [InlineData("-m conntrack --ctorigdstport 20:22 --ctorigsrcport 40000", true)]
    [InlineData("-m conntrack --ctstatus NONE", false)]
    [InlineData("-m conntrack ! --ctstatus CONFIRMED", true)]
    [InlineData("-m conntrack --ctexpire 0", true)]
    [InlineData("-m connmark --mark 0", true)]
    [InlineData("-m connmark ! --mark 0", false)]
    [InlineData("-m helper --helper ftp", false)]
    [InlineData("-m helper ! --helper ftp", true)]
    public void A_first_segment_of_a_control_connection(string rule, bool? matches)
    {
        if (matches is null)
        {
            // The ECN flags have no names.
            Assert.False(RulesetReader.Read($"*filter\n-A FORWARD {rule}\nCOMMIT\n", "f", IpFamily.IPv4).Succeeded);
            return;
        }
        var packet = PacketBuilder.Tcp(There, 40000, 21, TcpFlags.Syn, options: new TcpOptionBuilder().MaximumSegmentSize(1460).NoOperation().WindowScale(7).ToArray());
        Assert.Equal((matches.Value, false), Ask(Table(), packet, rule, mark: 0x1f));
    }

    [Theory]
    [InlineData("-p icmp --icmp-type echo-request", true)]
    [InlineData("-p icmp ! --icmp-type 8", false)]
    [InlineData("-p icmp --icmp-type 8/1", false)]
    [InlineData("-p icmp --icmp-type 8/0:3", true)]
    [InlineData("-p icmp --icmp-type any", true)]
    [InlineData("-p icmp ! --icmp-type any", false)]
    public void An_echo_request(string rule, bool matches)
        => Assert.Equal((matches, false), Ask(Table(), PacketBuilder.Echo(There, 7, 1), rule));

    [Theory]
    [InlineData("-p icmpv6 --icmpv6-type 128", true)]
    [InlineData("-p icmpv6 --icmpv6-type 255", false)]
    [InlineData("-p icmpv6 ! --icmpv6-type echo-reply", true)]
    [InlineData("-s 2001:db8::/ffff:0:0:0:ffff::", true)]
    [InlineData("-m iprange --src-range 2001:db8::-2001:db8::f", true)]
    [InlineData("-m conntrack --ctorigsrc 2001:db8::/64", true)]
    public void An_echo_request_of_version_6(string rule, bool matches)
        => Assert.Equal((matches, false), Ask(Table(), PacketBuilder.Echo(There6, 7, 1), rule));

    // What the kernel drops on the spot: a header that is cut off.
    [Theory]
    [InlineData(IpProtocol.Tcp, 19, "-p tcp --dport 21")]
    [InlineData(IpProtocol.Tcp, 3, "-p tcp -m multiport --dports 21")]
    [InlineData(IpProtocol.Udp, 7, "-p udp --dport 53")]
    [InlineData(IpProtocol.Icmp, 7, "-p icmp --icmp-type 8")]
    [InlineData(IpProtocol.Sctp, 11, "-p sctp --dport 21")]
    [InlineData(IpProtocol.Dccp, 11, "-p dccp --dport 21")]
    public void A_header_that_is_cut_off_drops_the_packet(byte protocol, int length, string rule)
        => Assert.Equal((false, true), Ask(Table(), PacketBuilder.Ip(There, protocol, new byte[length]), rule));

    [Fact]
    public void A_fragment_into_the_flags_drops_the_packet_and_another_does_not_match()
    {
        var whole = PacketBuilder.Tcp(There, 40000, 21, TcpFlags.Syn, payload: new byte[64]);
        Assert.Equal((false, true), Ask(Table(), PacketBuilder.Fragment(whole, 5, 8, 40, 36)[1], "-p tcp --dport 21"));
        Assert.Equal((false, false), Ask(Table(), PacketBuilder.Fragment(whole, 5, 16, 32, 36)[1], "-p tcp --dport 21"));
        Assert.Equal((true, false), Ask(Table(), PacketBuilder.Fragment(whole, 5, 16, 32, 36)[1], "-f -p tcp"));
    }

    [Fact]
    public void A_reply_and_what_its_connection_says()
    {
        var table = Table();
        Pass(table, PacketBuilder.Udp(There, 4000, 53), 0);
        var reply = PacketBuilder.Udp(There.Reversed, 53, 4000);
        Assert.Equal((true, false), Ask(table, reply, "-m conntrack --ctstate ESTABLISHED --ctdir REPLY --ctorigsrc 10.0.0.1 --ctstatus SEEN_REPLY,CONFIRMED"));
        Assert.Equal((true, false), Ask(table, PacketBuilder.Udp(There, 4000, 53), "-m conntrack --ctexpire 20:120 -m conntrack ! --ctexpire 121:", now: 1_000_000_000));
    }

    [Fact]
    public void An_invalid_packet_matches_by_its_state_alone()
    {
        // An ICMP error about nothing known has no connection.
        var packet = PacketBuilder.IcmpError(There, 3, 1, PacketBuilder.Udp(There.Reversed, 1, 2));
        Assert.Equal((true, false), Ask(Table(), packet, "-m conntrack --ctstate INVALID --ctproto udp --ctdir REPLY"));
        Assert.Equal((false, false), Ask(Table(), packet, "-m conntrack --ctproto icmp"));
        Assert.Equal((false, false), Ask(Table(), packet, "-m connmark ! --mark 5"));
        Assert.Equal((true, false), Ask(Table(), packet, "-m helper ! --helper ftp"));
    }

    [Theory]
    [InlineData("", "-m state --state INVALID", true)]
    [InlineData("-j NOTRACK", "-m state --state UNTRACKED", true)]
    [InlineData("-j CT --zone 5", "-m state --state NEW", true)]
    [InlineData("-j CT --zone 5", "-m conntrack --ctdir ORIGINAL --ctorigsrc 0.0.0.0 --ctstatus CONFIRMED", true)]
    [InlineData("-j CT --zone 5", "-m conntrack --ctorigsrc 10.0.0.1", false)]
    [InlineData("-j CT --zone 5", "-m connmark --mark 0", true)]
    [InlineData("-j CT --notrack", "-m connmark --mark 0", false)]
    public void The_raw_table_sees_what_its_own_targets_left(string target, string match, bool matches)
    {
        var packet = PacketBuilder.Tcp(There, 40000, 21, TcpFlags.Syn);
        PacketDecoder.Decode(packet, packet.Length, out var headers);
        var link = default(LinkHeader);
        var context = Context(ref headers, ref link, packet, Table(), new() { Connection = -1 }, 0);
        if (target.Length > 0) Rule(IpFamily.IPv4, "raw", "PREROUTING", target).Target!.Apply(ref context);
        var hot = false;
        var all = true;
        foreach (var m in Rule(IpFamily.IPv4, "raw", "PREROUTING", match).Matches) all = all && m.Matches(ref context, ref hot);
        Assert.Equal(matches, all);
    }

    [Fact]
    public void The_first_word_on_tracking_counts()
    {
        var packet = PacketBuilder.Tcp(There, 40000, 21, TcpFlags.Syn);
        PacketDecoder.Decode(packet, packet.Length, out var headers);
        var link = default(LinkHeader);
        var context = Context(ref headers, ref link, packet, Table(), new() { Connection = -1 }, mark: 77);
        foreach (var target in (string[])["-p tcp -j CT --helper ftp --zone-reply mark", "-j NOTRACK", "-j CT --zone 9"])
            Assert.Equal(Verdict.Continue, Rule(IpFamily.IPv4, "raw", "PREROUTING", target).Target!.Apply(ref context));

        Assert.Equal((true, false, true, ZoneDirections.Reply), (context.Template.IsSet, context.Template.NoTrack, context.Template.ZoneIsMark, context.Template.ZoneDirections));
        Assert.Equal("ftp", context.Connections.Helpers[context.Template.Helper - 1].Name);
    }

    [Theory]
    [InlineData("mangle", "-j MARK --set-mark 0x5/0xf0", 0x0fu)]
    [InlineData("mangle", "-j MARK --set-xmark 0x5/0xf0", 0x0au)]
    [InlineData("mangle", "-j MARK --and-mark 0xf0", 0x10u)]
    [InlineData("mangle", "-j MARK --or-mark 0x20", 0x3fu)]
    [InlineData("mangle", "-j MARK --xor-mark 0xff", 0xe0u)]
    [InlineData("mangle", "-j CONNMARK --restore-mark", 0xabcdu)]
    [InlineData("mangle", "-j CONNMARK --restore-mark --mask 0xff", 0xcdu)]
    [InlineData("mangle", "-j CONNMARK --restore-mark --nfmask 0xff00 --ctmask 0xff00", 0xab1fu)]
    [InlineData("mangle", "-j CONNMARK --restore-mark --right-shift-mark 8", 0xabu)]
    [InlineData("mangle", "-j CONNMARK --set-mark 1", 0x1fu)]
    public void Marks_of_the_packet(string table, string target, uint expected)
        => Assert.Equal(expected, Act(table, target, out _).Mark);

    [Theory]
    [InlineData("-j CONNMARK --set-mark 1", 1u)]
    [InlineData("-j CONNMARK --set-xmark 0x0f/0xff00", 0xc2u)]
    [InlineData("-j CONNMARK --save-mark", 0x1fu)]
    [InlineData("-j CONNMARK --save-mark --nfmask 0xf --ctmask 0xff", 0xab0fu)]
    [InlineData("-j CONNMARK --save-mark --left-shift-mark 4", 0x1f0u)]
    [InlineData("-j CONNMARK --or-mark 2", 0xabcfu)]
    [InlineData("-j CONNMARK --restore-mark", 0xabcdu)]
    public void Marks_of_the_connection(string target, uint expected)
    {
        Act("mangle", target, out var connectionMark);
        Assert.Equal(expected, connectionMark);
    }

    [Theory]
    [InlineData("-j TOS --set-tos 0x10", 0x10)]
    [InlineData("-j TOS --set-tos 0x10/0x1f", 0xb0)]
    [InlineData("-j TOS --set-tos Minimize-Delay", 0x90)]
    [InlineData("-j TOS --and-tos 0xf0", 0xb0)]
    [InlineData("-j TOS --or-tos 0x04", 0xbf)]
    [InlineData("-j TOS --xor-tos 0xff", 0x44)]
    [InlineData("-j DSCP --set-dscp 1", 0x07)]
    [InlineData("-j DSCP --set-dscp-class EF", 0xbb)]
    public void Type_of_service(string target, byte expected) => Assert.Equal(expected, Act("mangle", target, out _).Tos);

    [Fact]
    public void What_is_logged()
    {
        Act("filter", "-j LOG --log-prefix \"in: \" --log-level debug --log-uid --log-tcp-options", out _);
        Act("filter", "-j NFLOG --nflog-group 5 --nflog-prefix x", out _);
        Assert.Equal([new LogRequest("in: ", 7, 10, -1), new LogRequest("x", 4, 0, 5)], _logged);
    }

    [Theory]
    [InlineData("-j ACCEPT", Verdict.Accept)]
    [InlineData("-j DROP", Verdict.Drop)]
    [InlineData("-j RETURN", Verdict.Return)]
    [InlineData("-j REJECT", Verdict.Reject)]
    [InlineData("-j LOG", Verdict.Continue)]
    public void Verdicts(string target, Verdict expected) => Assert.Equal(expected, Act("filter", target, out _).Verdict);

    [Theory]
    [InlineData(IpFamily.IPv4, "-j REJECT", RejectType.IcmpPortUnreachable, 3)]
    [InlineData(IpFamily.IPv4, "-j REJECT --reject-with icmp-admin-prohibited", RejectType.IcmpAdminProhibited, 13)]
    [InlineData(IpFamily.IPv4, "-p tcp -j REJECT --reject-with tcp-rst", RejectType.TcpReset, -1)]
    [InlineData(IpFamily.IPv6, "-j REJECT", RejectType.Icmp6PortUnreachable, 4)]
    [InlineData(IpFamily.IPv6, "-j REJECT --reject-with no-route", RejectType.Icmp6NoRoute, 0)]
    public void Ways_to_reject(IpFamily family, string rule, RejectType type, int code)
    {
        var target = Assert.IsType<RejectTarget>(Rule(family, "filter", "FORWARD", rule).Target);
        Assert.Equal((type, code), (target.Type, target.Type.IcmpCode()));
    }

    void IPacketLog.Log(in PacketContext packet, in LogRequest request) => _logged.Add(request);

    private static ConnectionTable Table()
    {
        Assert.True(ConnectionHelpers.TryCreate("tftp,ftp", out var helpers, out var error), error);
        return new(ConntrackSettings.Default, helpers);
    }

    private static Rule Rule(IpFamily family, string table, string chain, string words)
    {
        var result = RulesetReader.Read($"*{table}\n-A {chain} {words}\nCOMMIT\n", "f", family);
        Assert.True(result.Succeeded, string.Join('\n', result.Errors));
        return result.Of(family)!.Table(table)!.Chain(chain)!.Rules.Single();
    }

    private PacketContext Context(
        ref PacketHeaders headers, ref LinkHeader link, byte[] packet, ConnectionTable table, TrackResult track, uint mark, long now = 0) => new()
    {
        Headers = ref headers,
        Packet = packet,
        Link = ref link,
        In = InterfaceName.From("eth0"),
        Out = InterfaceName.From("eth1"),
        Hook = Hook.Forward,
        Mark = mark,
        Track = track,
        Connections = table,
        AddressTypes = null!,
        Log = this,
        Now = now,
    };

    // Does the rule match, or drop the packet on the spot?
    private (bool Matches, bool HotDrop) Ask(ConnectionTable table, byte[] packet, string rule, uint mark = 0, long now = 0)
    {
        PacketDecoder.Decode(packet, packet.Length, out var headers);
        var track = headers.IsFragment ? new() { Connection = -1 } : table.Track(in headers, packet, default, now);
        var link = default(LinkHeader);
        var context = Context(ref headers, ref link, packet, table, track, mark, now);
        var hot = false;
        var matches = true;
        foreach (var match in Rule(headers.Family, "filter", "FORWARD", rule).Matches) matches = matches && match.Matches(ref context, ref hot);
        return (matches, hot);
    }

    private static void Pass(ConnectionTable table, byte[] packet, long now)
    {
        PacketDecoder.Decode(packet, packet.Length, out var headers);
        var track = table.Track(in headers, packet, default, now);
        Assert.True(table.Confirm(ref track, in headers, packet, now));
    }

    // Lets a target act on a packet with mark 0x1f and type of service 0xbb, of a connection with mark 0xabcd.
    private (Verdict Verdict, uint Mark, byte Tos) Act(string tableName, string target, out uint connectionMark)
    {
        var table = Table();
        var packet = PacketBuilder.Udp(There, 4000, 53);
        Pass(table, packet, 0);
        PacketDecoder.Decode(packet, packet.Length, out var headers);
        headers.Tos = 0xbb;
        var track = table.Track(in headers, packet, default, 1);
        table[track.Connection].Mark = 0xabcd;
        var link = default(LinkHeader);
        var context = Context(ref headers, ref link, packet, table, track, mark: 0x1f);
        var verdict = Rule(IpFamily.IPv4, tableName, "FORWARD", target).Target!.Apply(ref context);
        connectionMark = table[track.Connection].Mark;
        return (verdict, context.Mark, headers.Tos);
    }
}
