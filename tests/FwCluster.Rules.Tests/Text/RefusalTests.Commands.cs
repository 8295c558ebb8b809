namespace FwCluster.Rules.Tests.TextTests;

public sealed partial class RefusalTests
{
    // A line is a command of the filter table, or of the one named by *TABLE.
    private const string Commands = """"
        -A FORWARD -p tcp -m tcp --dport 5 -m tcp --dport 6
        -A FORWARD -p tcp -m tcp --dport 5:9 -m tcp --sport 6 -m tcp ! --dport 7
        -A FORWARD -p udp --dport 0x50
        -A FORWARD -p udp --dport 070
        -A FORWARD -p udp --dport 9:5
        -A FORWARD -p udp --dport 9:
        -A FORWARD -p udp --dport :
        -A FORWARD -p udp --dport 1:2:3
        -A FORWARD -p udp --dport 1-2
        -A FORWARD -p tcp --dport 1-2
        -A FORWARD -p tcp --dport 9:5
        -A FORWARD -p tcp --dport :
        -A FORWARD -p tcp --dport ''
        -A FORWARD -p tcp --dport 65536
        -A FORWARD -p tcp --syn --tcp-flags SYN SYN
        -A FORWARD -p tcp --tcp-flags SYN
        -A FORWARD -p tcp --tcp-flags SYN,FOO SYN
        -A FORWARD -p tcp --tcp-flags SYN,,ACK ""
        -A FORWARD -p tcp --tcp-flags SYN -j DROP
        -A FORWARD -p tcp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16
        -A FORWARD -p tcp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14:15
        -A FORWARD -p tcp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15:16
        -A FORWARD -p tcp -m multiport --dports 5:5
        -A FORWARD -p tcp -m multiport --dports 5:
        -A FORWARD -p tcp -m multiport --dports 5,
        -A FORWARD -p tcp -m multiport --dports http,ftp --sports 4
        -A FORWARD -p tcp -m multiport
        -A FORWARD -m multiport --dports 5 -p tcp
        -A FORWARD ! -p tcp -m multiport --dports 5
        -A FORWARD -p icmp -m multiport --dports 5
        -A FORWARD -p icmp --icmp-type 3/1:4
        -A FORWARD -p icmp --icmp-type 3:4
        -A FORWARD -p icmp --icmp-type ""
        -A FORWARD -p icmp --icmp-type 300
        -A FORWARD -p icmp
        -A FORWARD -p icmp -m icmp
        -A FORWARD -m icmp --icmp-type 8
        -A FORWARD -p ipv6-icmp --icmpv6-type 8
        -A FORWARD -m conntrack
        -A FORWARD -m conntrack --ctorigsrc 10.0.0.1/255.0.255.0
        -A FORWARD -m conntrack --ctorigsrc 10.0.0.1/255.255.255.0
        -A FORWARD -m conntrack --ctorigsrcport 5:3
        -A FORWARD -m conntrack --ctorigsrcport :3
        -A FORWARD -m conntrack --ctexpire 1:2:3
        -A FORWARD -m conntrack --ctexpire x
        -A FORWARD -m conntrack ! --ctdir ORIGINAL
        -A FORWARD -m conntrack --ctstatus FOO
        -A FORWARD -m mark --mark 1/
        -A FORWARD -m mark --mark /1
        -A FORWARD -m mark --mark 0x1ffffffff
        -A FORWARD -m mark --mark -1
        -A FORWARD -m mark --mark 010
        -A FORWARD -m comment
        -A FORWARD -m comment --comment ""
        -A FORWARD -m comment --comment a --comment b
        -A FORWARD -m nosuch
        -A FORWARD -j nosuch
        -A FORWARD -j INPUT
        -A FORWARD -g INPUT
        -A FORWARD -g ACCEPT
        -A FORWARD -j REJECT --reject-with tcp-reset
        -A FORWARD -p tcp -j REJECT --reject-with tcp-reset
        -A FORWARD -j REJECT --reject-with ""
        -A FORWARD -j LOG --log-prefix ""
        -A FORWARD -j LOG --log-prefix 123456789012345678901234567890
        -A FORWARD -j LOG --log-level err
        -A FORWARD -j LOG --log-level 8
        -A FORWARD -j NFLOG --nflog-size 5 --nflog-range 5
        -A FORWARD -j NFLOG --nflog-threshold 0
        -A FORWARD -j NFLOG --nflog-group 65536
        -A FORWARD -j MARK
        -A FORWARD -j MARK --set-mark 1 --or-mark 2
        -A FORWARD -j MARK --set-mark 1
        -A FORWARD -j CONNMARK
        -A FORWARD -j CONNMARK --save-mark --left-shift-mark 32
        -A FORWARD -j CONNMARK --save-mark --left-shift-mark 33
        -A FORWARD -j CONNMARK --set-mark 1 --ctmask 0xff
        -A FORWARD -j CONNMARK --ctmask 0xff --set-mark 1
        -A FORWARD -j CONNMARK --save-mark --mask 1 --nfmask 1
        -A FORWARD -j TOS --set-tos 1
        -A FORWARD -j DSCP --set-dscp 1
        -A FORWARD -j CT --notrack
        -A FORWARD -j NOTRACK
        -A FORWARD -i ''
        -A FORWARD -i 1234567890123456
        -A FORWARD -i eth0 -i eth1
        -A FORWARD -i a/b
        -A INPUT -o eth0
        -A OUTPUT -i eth0
        -A FORWARD -s 1.2.3.4/33
        -A FORWARD -s 1.2.3.4/
        -A FORWARD -s 1.2.3.256
        -A FORWARD -s ::1
        -A FORWARD -s localhost
        -A FORWARD ! -s 1.2.3.4,5.6.7.8
        -A FORWARD ! -s 1.2.3.4 -d 1.1.1.1,5.6.7.8
        -A FORWARD -s 1.2.3.4,
        -A FORWARD -s "1.2.3.4, 5.6.7.8"
        -A FORWARD -s 01.02.03.04
        -A FORWARD -s 0x1.2.3.4
        -A FORWARD -p nosuch
        -A FORWARD -p 256
        -A FORWARD -p ""
        -A FORWARD -j ""
        -A FORWARD ! ! -s 1.2.3.4
        -A FORWARD !
        -A FORWARD ! -j ACCEPT
        -A FORWARD ! -m state --state NEW
        -A FORWARD foo
        -A FORWARD --
        -A FORWARD -s
        -A FORWARD --source
        -A FORWARD --s 1.1.1.1
        -A FORWARD --so 1.1.1.1
        -A FORWARD --dst=1.1.1.1
        -A FORWARD --frag=5
        -A FORWARD -A FORWARD
        -A nosuch -j ACCEPT
        -A FORWARD -D FORWARD
        -I FORWARD 5 -j ACCEPT
        -I FORWARD 0 -j ACCEPT
        -I FORWARD 1 -j ACCEPT
        -N FORWARD
        -N ACCEPT
        -N -x
        -N a b
        -N 12345678901234567890123456789
        -N 1234567890123456789012345678
        -P FORWARD FOO
        -P FORWARD RETURN
        -P FORWARD
        -P nosuch DROP
        -P FORWARD DROP -s 1.2.3.4
        -X nosuch
        -X FORWARD
        -X
        -F
        -F nosuch
        -Z
        -Z FORWARD 1
        -4 -A FORWARD -j ACCEPT
        -6 -A FORWARD -j ACCEPT
        -t filter -A FORWARD
        -A FORWARD -w
        -A FORWARD -m tcp --dport 5 -p tcp
        -A FORWARD --dport 5 -p tcp
        -A FORWARD -p tcp --icmp-type 8
        -A FORWARD --reject-with tcp-reset -j REJECT
        -A FORWARD -m comment --comment aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
        *raw -A PREROUTING -j CT --helper ftp
        *raw -A PREROUTING -p tcp -j CT --helper ftp
        *raw -A PREROUTING -p udp -j CT --helper ftp
        *raw -A PREROUTING ! -p tcp -j CT --helper ftp
        *raw -A PREROUTING -p udp -j CT --helper tftp
        *raw -A PREROUTING -p tcp -j CT --helper nosuch
        *raw -A PREROUTING -j CT --zone 65536
        *raw -A PREROUTING -j CT --zone 5 --zone-orig 6
        *raw -A PREROUTING -j CT --zone-orig 6 --zone-reply 7
        *raw -A PREROUTING -p tcp -j CT --notrack --helper ftp
        *raw -A PREROUTING -j CT --notrack --zone 4
        *raw -A PREROUTING -j REJECT
        *raw -A FORWARD -j ACCEPT
        *raw -A PREROUTING -j DROP
        *mangle -A PREROUTING -j CT --notrack
        *mangle -A PREROUTING -j REJECT
        *mangle -A FORWARD -j TOS
        *mangle -A FORWARD -j TOS --set-tos 256
        *mangle -A FORWARD -j TOS --set-tos 1/256
        *mangle -A FORWARD -j TOS --set-tos minimize
        *mangle -A FORWARD -j TOS --set-tos Minimize-Delay/3
        *mangle -A FORWARD -j TOS --set-tos 1 --or-tos 1
        *mangle -A FORWARD -j DSCP
        *mangle -A FORWARD -j DSCP --set-dscp 64
        *mangle -A FORWARD -j DSCP --set-dscp-class AF
        *mangle -A FORWARD -j DSCP --set-dscp-class af11x
        *mangle -A FORWARD -j DSCP --set-dscp 1 --set-dscp-class EF
        *mangle -A FORWARD -m helper
        *mangle -A FORWARD -m iprange
        *mangle -A FORWARD -m iprange --src-range 1.2.3.4-
        *mangle -A FORWARD -m iprange --src-range 1.2.3.4
        *mangle -A FORWARD -m iprange --src-range 1.2.3.4-1.2.3.5-1.2.3.6
        *mangle -A FORWARD -m iprange --src-range ::1-::2
        -A FORWARD -p udp --sport 5
        -A FORWARD -p 17 --sport 5
        -A FORWARD -p UDP --sport 5
        -A FORWARD -p 0x11 --sport 5
        -A FORWARD -p 58 --icmpv6-type 1
        -A FORWARD -p icmp -f
        -A FORWARD -m frag
        -A FORWARD -m icmp6 --icmpv6-type 1
        -A FORWARD -p icmp -m tcp
        -A FORWARD -p sctp --dport 5
        -A FORWARD -g
        -A FORWARD --goto ACCEPT
        -A FORWARD -j ACCEPT -g FORWARD
        -A FORWARD -c 5
        -A FORWARD -c x 5
        -A FORWARD -c 5,x
        -A FORWARD -p tcp --tcp-option 0
        -A FORWARD -p tcp --tcp-option 256
        -A FORWARD -p tcp ! --tcp-option 5
        -A FORWARD -p tcp --dport ftp
        -A FORWARD -p tcp --dport tftp
        -A FORWARD -p udp --dport tftp
        -A FORWARD -p tcp --dport FTP
        -A FORWARD -p tcp --dport +5
        -A FORWARD -p tcp --dport ' 5'
        -A FORWARD -m mark --mark 5/0x
        -A FORWARD -m mark --mark 0x
        -A FORWARD -m mark --mark 08
        -A FORWARD -m mark --mark +8
        -A FORWARD -m comment --comment a\b
        -A FORWARD -m comment --comment 'a'
        -A FORWARD -m comment --comment "a"b
        -A FORWARD -m comment --comment a"b c"
        -A FORWARD -m comment --comment "\n"
        -A FORWARD -m comment --comment=x
        -A FORWARD -m comment --comment=
        -A FORWARD -m comment --comment -x
        -A FORWARD -m comment --comment ! -j DROP
        """";
}
