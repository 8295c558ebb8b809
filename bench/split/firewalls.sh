# Sourced: the firewalls that can stand on the gateways. start_KIND GATEWAY starts one; network.sh is there.
#
# All of them decide by $work/rules: what is established or announced may pass, a login may begin, everything else is dropped.

cat > "$work/rules" << RULES
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A FORWARD -m state --state RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -i clients -o servers -p tcp -m tcp --dport 21 -m state --state NEW -j ACCEPT
COMMIT
RULES

# iptables, nf_conntrack and nf_conntrack_ftp.
start_kernel() {
    local family
    for family in iptables ip6tables; do
        ip netns exec "$(gateway "$1")" $family-restore "$work/rules"
        ip netns exec "$(gateway "$1")" $family -t raw -A PREROUTING -p tcp --dport 21 -j CT --helper ftp
    done
}

# The same, and conntrackd between gateways 1 and 2, as reliable and as fast as it can be set up: what it hears goes straight into
# the kernel of the other gateway, expectations too.
start_conntrackd() {
    [ "$1" -le 2 ] || return 0
    start_kernel "$1"
    local conf=$work/conntrackd-$1.conf
    cat > "$conf" << CONF
Sync {
    Mode FTFW {
        DisableExternalCache On
    }
    UDP {
        IPv4_address 10.73.0.1$1
        IPv4_Destination_Address 10.73.0.1$((3 - $1))
        Port 3780
        Interface cluster
        SndSocketBuffer 8388608
        RcvSocketBuffer 8388608
        Checksum on
    }
    Options {
        ExpectationSync on
    }
}
General {
    Nice -20
    HashSize 32768
    HashLimit 262144
    LogFile $work/conntrackd-$1.log
    LockFile $work/conntrackd-$1.lock
    UNIX {
        Path $work/conntrackd-$1.sock
    }
    NetlinkBufferSize 8388608
    NetlinkBufferSizeMaxGrowth 33554432
    Filter From Kernelspace {
        Protocol Accept {
            TCP
        }
    }
}
CONF
    ip netns exec "$(gateway "$1")" conntrackd -C "$conf" > "$work/conntrackd-$1.out" 2>&1 & disown
    wait_for "conntrackd answers on gateway $1" ip netns exec "$(gateway "$1")" conntrackd -C "$conf" -s
}

# Timeouts of what is over or half open, seconds: so short that a run can wait for the end of the last entry.
readonly short_timeouts="fin_wait=10 time_wait=5 close=5 close_wait=10 last_ack=10 syn_sent=10 syn_recv=10"
soon_over=
short_entries() {
    local number timeout
    soon_over=yes
    for number in "${gateways[@]}"; do
        for timeout in $short_timeouts; do ip netns exec "$(gateway "$number")" sysctl -qw "net.netfilter.nf_conntrack_tcp_timeout_$timeout"; done
    done
}

# entries_kernel GATEWAY: how many connections its table has. Listed, not counted by -C: what has timed out is counted there until the
# kernel comes round to it.
entries_kernel() {
    local family
    for family in ipv4 ipv6; do ip netns exec "$(gateway "$1")" conntrack -L -p tcp -f $family 2> /dev/null; done | wc -l
}
