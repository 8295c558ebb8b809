#!/bin/bash
# The exercise, live: fwclusterd is the firewall of a real FTP server, and counts what the seven rules count.
#
#   sudo examples/live/demo.sh
#
# Two network namespaces are the exercise's two hosts, joined by a virtual cable:
#
#   client 10.211.55.10 ---------- server 10.211.55.20: vsftpd, fwclusterd with ../exercise/exercise.rules
#
# The client logs in and uploads a file passively; the rule counters are printed, and zeroed; it uploads actively; they are
# printed again. The kernel tracks nothing: every packet of the server waits in a netfilter queue until fwclusterd has decided.
#
# Nothing outside of the namespaces is changed, nothing is installed, and whatever happens, namespaces, processes and temporary
# files are gone afterwards. FWCLUSTERD=FILE takes that daemon; else the repository's is taken, and built where it was not yet.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
repository=$(realpath "$here/../..")
rules=$repository/examples/exercise/exercise.rules

missing=
for tool in ip:iproute2 ss:iproute2 iptables:iptables ip6tables:iptables ethtool:ethtool vsftpd:vsftpd ftp:tnftp curl:curl \
            openssl:openssl unshare:util-linux timeout:coreutils cmp:diffutils; do
    command -v "${tool%%:*}" > /dev/null || missing+=" ${tool##*:}"
done
if [ -n "$missing" ]; then
    echo "demo.sh: these packages are missing, install them first:$missing" >&2
    exit 2
fi
if [ "$(id -u)" != 0 ]; then
    echo "demo.sh: must run as root, to make network namespaces" >&2
    exit 2
fi
fwclusterd=${FWCLUSTERD:-$repository/src/FwCluster.Node/bin/Release/net10.0/fwclusterd}
if [ -z "${FWCLUSTERD:-}" ] && [ ! -x "$fwclusterd" ]; then
    if ! command -v dotnet > /dev/null; then
        echo "demo.sh: fwclusterd is not built, and to build it the .NET 10 SDK is missing" >&2
        exit 2
    fi
    echo "demo.sh: building fwclusterd, once" >&2
    dotnet build "$repository/src/FwCluster.Node" -c Release -v quiet --nologo >&2
fi
[ -x "$fwclusterd" ] || { echo "demo.sh: not a program: $fwclusterd" >&2; exit 2; }

server=fwts$$
client=fwtc$$
work=$(mktemp -d)

clean_up() {
    local status=$? namespace
    trap '' INT TERM HUP
    for namespace in "$server" "$client"; do
        if [ -e "/run/netns/$namespace" ]; then
            ip netns pids "$namespace" | xargs -r kill -9 2> /dev/null || true
            ip netns delete "$namespace" || true
        fi
    done
    wait 2> /dev/null || true
    rm -rf "$work"
    [ $status = 0 ] || echo "demo.sh: failed; namespaces and temporary files are removed" >&2
    exit $status
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

on_server() { ip netns exec "$server" "$@"; }
on_client() { ip netns exec "$client" "$@"; }

# wait_for WHAT COMMAND...: up to 20 seconds.
wait_for() {
    local what=$1 i
    shift
    for ((i = 0; i < 400; i++)); do
        if "$@"; then return 0; fi
        sleep 0.05
    done
    echo "demo.sh: waited 20 s in vain: $what" >&2
    tail -n 5 "$work"/*.log >&2
    return 1
}

# make_host NAMESPACE ADDRESS: eth0 is there already. No IPv6 and no offload, so that the rules meet the exercise's packets as
# they are on the cable, and nothing else.
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
    ip -n "$server" link add eth0 type veth peer name eth0 netns "$client"
    make_host "$server" 10.211.55.20
    make_host "$client" 10.211.55.10
}

# ask METHOD PATH: the daemon's state, by its Unix socket.
ask() { curl -sS --fail --max-time 10 -X "$1" --unix-socket "$work/state.sock" "http://localhost$2"; }
is_ready() { ask GET /readyz > /dev/null 2>&1; }

start_fwclusterd() {
    cat > "$work/fwclusterd.yaml" << CONF
mode: inline
rules:
  ipv4: $rules
tracking:
  helpers: ftp
state:
  socket: $work/state.sock
CONF
    # Not by on_server: the id is to be the daemon's, not that of a shell around it.
    ip netns exec "$server" "$fwclusterd" --config "$work/fwclusterd.yaml" > "$work/fwclusterd.log" 2>&1 &
    fwclusterd_id=$!
    wait_for "fwclusterd is ready, or has ended" ready_or_ended
    if ! is_ready; then
        echo "demo.sh: fwclusterd ended before it was ready" >&2
        tail -n 5 "$work/fwclusterd.log" >&2
        exit 1
    fi
}

ready_or_ended() { is_ready || ! kill -0 "$fwclusterd_id" 2> /dev/null; }

# vsftpd as it is, with one user, who exists for this vsftpd alone: its account files are mounted over the host's in a mount
# namespace of its own.
start_ftp_server() {
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
    # shellcheck disable=SC2016 # $1 is the inner shell's
    on_server unshare --mount sh -ec '
        mount --make-rprivate /
        mount --bind "$1/passwd" /etc/passwd
        mount --bind "$1/shadow" /etc/shadow
        exec vsftpd "$1/vsftpd.conf"' sh "$work" > "$work/vsftpd.log" 2>&1 &
    wait_for "vsftpd listens" server_listens
}

server_listens() { on_server ss -Hltn 'sport = :21' | grep -q LISTEN; }
# Both connections are over when none is in a state before TIME_WAIT.
connections_over() {
    ask GET /connections > "$work/connections" && ! grep -v TIME_WAIT "$work/connections" | grep -q .
}

# upload MODE: -p passive, -A active. The client is told not to use EPSV and EPRT, as the clients of the exercise's time.
upload() {
    on_client timeout 30 ftp -4 -n -v "$1" 10.211.55.20 > "$work/ftp.log" 2>&1 << COMMANDS
epsv4 off
user student exercise
binary
put $work/upload.txt upload.txt
bye
COMMANDS
    if ! cmp "$work/upload.txt" "$work/home/upload.txt" >&2; then
        cat "$work/ftp.log" >&2
        return 1
    fi
    rm "$work/home/upload.txt"
    wait_for "the connections end" connections_over
}

make_network
start_fwclusterd
start_ftp_server
# What is uploaded: 100,000 bytes, always the same.
awk 'BEGIN { for (line = 1; line <= 2000; line++) printf "Line %44d\n", line }' > "$work/upload.txt"

upload -p
echo "== Uploaded passively: the client opened the data connection, to a port that the server had named"
ask GET /rules
ask POST /counters/zero > /dev/null
echo
upload -A
echo "== Zeroed, uploaded actively: the server opened the data connection, to a port that the client had named"
ask GET /rules

# A clean stop takes the daemon's own rules away.
kill -TERM "$fwclusterd_id"
wait "$fwclusterd_id"
