#!/bin/bash
# Makes passive.pcapng and active.pcapng, and beside each what the kernel's own rules counted in that run.
#
#   sudo examples/exercise/capture.sh [DIRECTORY]      writes to DIRECTORY, or beside this script
#
# Two network namespaces are the exercise's two hosts, joined by a virtual cable:
#
#   client 10.211.55.10 ---------- server 10.211.55.20: vsftpd, the seven rules, tcpdump
#
# The client logs in and uploads one file: passively in one run, actively in the other. Each run has new namespaces, so each
# starts with empty counters and an empty connection table. Nothing outside of the namespaces is changed, nothing is
# installed, and whatever happens, namespaces, processes and temporary files are gone afterwards.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
out=$(realpath "${1:-$here}")

missing=
for tool in ip:iproute2 iptables:iptables ethtool:ethtool tcpdump:tcpdump editcap:wireshark-common conntrack:conntrack \
            vsftpd:vsftpd ftp:tnftp openssl:openssl unshare:util-linux timeout:coreutils; do
    command -v "${tool%%:*}" > /dev/null || missing+=" ${tool##*:}"
done
if [ -n "$missing" ]; then
    echo "capture.sh: these packages are missing, install them first:$missing" >&2
    exit 2
fi
if [ "$(id -u)" != 0 ]; then
    echo "capture.sh: must run as root, to make network namespaces" >&2
    exit 2
fi
[ -d "$out" ] || { echo "capture.sh: no such directory: $out" >&2; exit 2; }

server=fwts$$
client=fwtc$$
work=$(mktemp -d)

remove_namespaces() {
    local namespace
    for namespace in "$server" "$client"; do
        if [ -e "/run/netns/$namespace" ]; then
            ip netns pids "$namespace" | xargs -r kill -9 2> /dev/null || true
            ip netns delete "$namespace"
        fi
    done
}

clean_up() {
    local status=$?
    remove_namespaces
    rm -rf "$work"
    [ $status = 0 ] || echo "capture.sh: failed; namespaces and temporary files are removed" >&2
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

on_server() { ip netns exec "$server" "$@"; }
on_client() { ip netns exec "$client" "$@"; }

# make_host NAMESPACE ADDRESS: eth0 is there already. No IPv6, so that only the exercise's packets are on the cable. No
# offload: checksums are finished and segments of the cable's size before tcpdump and the rules see them.
make_host() {
    ip netns exec "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
    ip netns exec "$1" ethtool -K eth0 tx off rx off tso off gso off gro off sg off > /dev/null 2>&1
    ip -n "$1" link set eth0 gso_max_segs 1
    ip -n "$1" address add "$2/24" dev eth0
    ip -n "$1" link set lo up
    ip -n "$1" link set eth0 up
}

make_network() {
    ip netns add "$server"
    ip netns add "$client"
    ip -n "$server" link add eth0 address 00:1c:42:00:00:20 type veth \
        peer name eth0 address 00:1c:42:00:00:10 netns "$client"
    make_host "$server" 10.211.55.20
    make_host "$client" 10.211.55.10
}

# The seven rules, and what `modprobe nf_conntrack_ftp` alone did until Linux 6.0: the ftp helper reads port 21.
load_rules() {
    on_server sh -e "$here/exercise.rules"
    on_server iptables -t raw -A PREROUTING -p tcp --dport 21 -j CT --helper ftp
}

# vsftpd as it is, with one user, who exists for this vsftpd alone: its account files are mounted over the host's in a mount
# namespace of its own.
prepare_ftp_server() {
    mkdir -p "$work/home" "$work/empty"
    chmod 755 "$work" "$work/empty"
    cp /etc/passwd "$work/passwd"
    cp /etc/shadow "$work/shadow"
    echo "student:x:64055:65534::$work/home:/bin/sh" >> "$work/passwd"
    echo "student:$(openssl passwd -6 exercise):19000:0:99999:7:::" >> "$work/shadow"
    chmod 644 "$work/passwd"
    chown 64055:65534 "$work/home"
    cat > "$work/vsftpd.conf" << CONF
listen=YES
listen_address=10.211.55.20
listen_ipv6=NO
background=NO
anonymous_enable=NO
local_enable=YES
write_enable=YES
connect_from_port_20=YES
secure_chroot_dir=$work/empty
pam_service_name=vsftpd
seccomp_sandbox=NO
xferlog_enable=NO
CONF
    # What is uploaded: 100,000 bytes, always the same.
    awk 'BEGIN { for (line = 1; line <= 2000; line++) printf "Line %44d\n", line }' > "$work/upload.txt"
}

start_ftp_server() {
    # shellcheck disable=SC2016 # $1 is the inner shell's
    on_server unshare --mount sh -ec '
        mount --make-rprivate /
        mount --bind "$1/passwd" /etc/passwd
        mount --bind "$1/shadow" /etc/shadow
        exec vsftpd "$1/vsftpd.conf"' sh "$work" > "$work/vsftpd.log" 2>&1 &
    wait_for "vsftpd listens" server_listens
}

server_listens() { on_server ss -Hltn 'sport = :21' | grep -q LISTEN; }
capture_listens() { grep -q 'listening on' "$work/tcpdump.log"; }
# Both connections are over when their entries have seen the last ACK: none is in a state before TIME_WAIT.
connections_over() { ! on_server conntrack -L 2> /dev/null | grep -v TIME_WAIT | grep -q .; }

# wait_for WHAT COMMAND...: up to 10 seconds.
wait_for() {
    local what=$1 i
    shift
    for ((i = 0; i < 200; i++)); do
        if "$@"; then return 0; fi
        sleep 0.05
    done
    echo "capture.sh: waited 10 s in vain: $what" >&2
    tail -n 5 "$work"/*.log >&2
    return 1
}

# upload MODE: -p passive, -A active. The client is told not to use EPSV and EPRT, as the clients of the exercise's time.
upload() {
    on_client timeout 20 ftp -4 -n -v "$1" 10.211.55.20 > "$work/ftp.log" 2>&1 << COMMANDS
epsv4 off
user student exercise
binary
put $work/upload.txt upload.txt
bye
COMMANDS
    cmp "$work/upload.txt" "$work/home/upload.txt"
    rm "$work/home/upload.txt"
}

# record NAME MODE: one run, from an empty network to NAME.pcapng and NAME.kernel.txt.
record() {
    local name=$1 mode=$2 captured counted
    make_network
    load_rules
    start_ftp_server

    ip netns exec "$server" tcpdump -i eth0 --immediate-mode -U -Z root -w "$work/$name.pcap" > "$work/tcpdump.log" 2>&1 &
    local tcpdump=$!
    wait_for "tcpdump listens" capture_listens

    upload "$mode"
    wait_for "the connections end" connections_over
    sleep 0.2
    # A process of a background job in a script ignores SIGINT; tcpdump ends its file properly on SIGTERM too.
    kill -TERM $tcpdump
    wait $tcpdump
    rm "$work/tcpdump.log"

    on_server iptables -L -v -n -x > "$work/$name.kernel.txt"
    captured=$(tcpdump -r "$work/$name.pcap" ip 2> /dev/null | wc -l)
    counted=$(awk '/^Chain/ { total += $5 } $1 ~ /^[0-9]+$/ { total += $1 } END { print total }' "$work/$name.kernel.txt")
    if [ "$captured" != "$counted" ]; then
        echo "capture.sh: $name: the capture has $captured IP packets, but the rules counted $counted: try again" >&2
        cat "$work/$name.kernel.txt" >&2
        return 1
    fi

    editcap -F pcapng "$work/$name.pcap" "$work/$name.pcapng"
    remove_namespaces
    wait
    echo "$name: $captured packets"
    cat "$work/$name.kernel.txt"
}

prepare_ftp_server
record passive -p
record active -A
# Both or nothing: a failed second run leaves the earlier files as they were.
mv "$work"/{passive,active}.pcapng "$work"/{passive,active}.kernel.txt "$out/"
