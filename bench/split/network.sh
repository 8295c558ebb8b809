# Sourced: the networks that the runs of this directory measure, and what removes them.
#
#   client 10.71.0.2 ----+---- gateway 1 ----+---- server 1 10.72.0.101
#                        +---- gateway 2 ----+     ...
#                        +---- gateway 3 ----+---- server 8 10.72.0.108
#                                |
#                          10.73.0.0/24, between the gateways alone: what a cluster has to say to itself
#
# Gateway N is .1N (10.71.0.11, 10.72.0.11, 10.73.0.11 is gateway 1), IPv6 has fd71::, fd72:: and fd73:: with the same last words. A
# gateway's interfaces are clients, servers and cluster. Which gateway a packet crosses is what a layout says (layout_*): the
# hosts route, and no gateway knows more than its own cables. Nothing outside of the namespaces is changed.

id=fwt$$
work=$(mktemp -d)
chmod 755 "$work"
readonly id work
readonly client=${id}c lan=${id}l
gateways=()     # 1 2 3
servers=()      # 1 .. 8

gateway() { echo "${id}g$1"; }
server() { echo "${id}s$1"; }

remove_network() {
    local namespace
    for namespace in "$client" $(for_all gateway "${gateways[@]}") $(for_all server "${servers[@]}") "$lan"; do
        if [ -e "/run/netns/$namespace" ]; then
            ip netns pids "$namespace" | xargs -r kill -9 2> /dev/null || true
            ip netns delete "$namespace" || true
        fi
    done
    gateways=() servers=()
}
for_all() {
    local function=$1 number
    shift
    for number; do $function "$number"; done
}
clean_up() {
    local status=$?
    trap '' INT TERM HUP
    [ -z "$(jobs -p)" ] || kill $(jobs -p) 2> /dev/null || true
    remove_network
    [ $status = 0 ] || find "$work" -maxdepth 1 -name "*.log" -size +0 -exec tail -v -n 5 {} + >&2 2> /dev/null || true
    rm -rf "$work"
    exit $status
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

# wait_for WHAT COMMAND...: up to 30 seconds.
wait_for() {
    local what=$1 i
    shift
    for ((i = 0; i < 600; i++)); do
        if "$@" > /dev/null 2>&1; then return 0; fi
        sleep 0.05
    done
    echo "waited 30 s in vain: $what" >&2
    return 1
}

# in_client COMMAND...: runs it on the clients' host and waits for its end, but for no longer than until a signal ends this script.
in_client() {
    ip netns exec "$client" "$@" &
    wait $!
}

# need TOOL:PACKAGE...: installs what is missing.
need() {
    local tool missing=()
    for tool; do command -v "${tool%%:*}" > /dev/null || missing+=("${tool##*:}"); done
    [ ${#missing[@]} != 0 ] || return 0
    echo "installing ${missing[*]}" >&2
    # The machine itself must not start to serve what is only run in namespaces.
    local policy=/usr/sbin/policy-rc.d made= status=0
    if [ ! -e $policy ]; then printf '#!/bin/sh\nexit 101\n' > $policy; chmod 755 $policy; made=yes; fi
    { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}"; } \
        < /dev/null > "$work/apt.log" 2>&1 || status=$?
    [ -z "$made" ] || rm -f $policy
    return $status
}

# attach NAMESPACE INTERFACE NET LAST...: an interface on the bridge of that net (71 clients, 72 servers, 73 cluster), one IPv4
# and one IPv6 address for each last word.
attach() {
    local namespace=$1 name=$2 net=$3 last port=p$((++ports))
    shift 3
    ip -n "$namespace" link add "$name" type veth peer name "$port" netns "$lan"
    ip -n "$lan" link set "$port" master "br$net" up
    # Addresses are there at once: nobody else can have them.
    ip netns exec "$namespace" sysctl -qw "net/ipv6/conf/$name/accept_dad=0" "net/ipv6/conf/$name/router_solicitations=0"
    for last; do
        echo "address add 10.$net.${last}/16 dev $name"
        echo "address add fd$net::${last/./:}/64 dev $name nodad"
    done | ip -n "$namespace" -batch -
    ip -n "$namespace" link set "$name" up
}

# make_network GATEWAYS SERVERS CLIENTS: how many of each. The first client's address is 10.71.0.2 and fd71::0:2; where there are
# more, they are addresses of the same host, 10.71.1.1 and fd71::1:1 upwards.
make_network() {
    local net number addresses=(0.2)
    ports=0
    gateways=($(seq "$1")) servers=($(seq "$2"))
    for number in "$lan" "$client" $(for_all gateway "${gateways[@]}") $(for_all server "${servers[@]}"); do
        ip netns add "$number"
        ip -n "$number" link set lo up
    done
    for net in 71 72 73; do
        ip -n "$lan" link add "br$net" type bridge mcast_snooping 0
        ip -n "$lan" link set "br$net" up
    done
    [ "$3" -le 1 ] || for ((number = 1; number <= $3; number++)); do addresses+=("$((1 + number / 250)).$((number % 250 + 1))"); done
    attach "$client" eth0 71 "${addresses[@]}"
    for number in "${servers[@]}"; do attach "$(server "$number")" eth0 72 "0.10$number"; done
    for number in "${gateways[@]}"; do
        attach "$(gateway "$number")" clients 71 "0.1$number"
        attach "$(gateway "$number")" servers 72 "0.1$number"
        attach "$(gateway "$number")" cluster 73 "0.1$number"
        ip netns exec "$(gateway "$number")" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
    done
    for number in "$client" $(for_all server "${servers[@]}"); do
        ip netns exec "$number" sysctl -qw net.ipv4.fib_multipath_hash_policy=1 net.ipv6.fib_multipath_hash_policy=1
    done
}

# route NAMESPACE NET TABLE GATEWAY...: by that gateway; by several, flow by flow.
route() {
    local namespace=$1 net=$2 table=$3 four= six= number
    shift 3
    for number; do
        four+=" nexthop via 10.$net.0.1$number"
        six+=" nexthop via fd$net::0:1$number"
    done
    ip -n "$namespace" route replace default table "$table" $four
    ip -n "$namespace" -6 route replace default table "$table" $six
}
routes() {
    local number
    route "$client" 71 "$1" ${2//,/ }
    for number in "${servers[@]}"; do route "$(server "$number")" 72 "$1" ${3//,/ }; done
}

# Everything crosses gateway 1.
layout_one() { routes main 1 1; }

# Control connections cross gateway 1 in both directions, everything else gateway 2.
layout_split() {
    local namespace family
    routes main 2 2
    routes 21 1 1
    for family in -4 -6; do
        ip -n "$client" $family rule add ipproto tcp dport 21 lookup 21
        for namespace in $(for_all server "${servers[@]}"); do ip -n "$namespace" $family rule add ipproto tcp sport 21 lookup 21; done
    done
}

# Requests cross gateway 1, replies gateway 2; once swapped, the other way round. Can be said again at any time.
layout_asymmetric() { routes main 1 2; }
layout_asymmetric_swapped() { routes main 2 1; }

# Every flow crosses the gateway that its hash says, and its replies that which theirs says.
layout_farm() { routes main 1,2,3 1,2,3; }

# Servers on port 21 of a server's IPv4 and IPv6 address; anonymous users read and write in $work/ftp/N, and vsftpd's write in up below.
start_vsftpd() {
    files_of "$1"
    cat > "$work/vsftpd-$1.conf" << CONF
listen=NO
listen_ipv6=YES
background=NO
anonymous_enable=YES
local_enable=NO
anon_root=$work/ftp/$1
write_enable=YES
anon_upload_enable=YES
anon_umask=022
connect_from_port_20=YES
max_clients=0
max_per_ip=0
secure_chroot_dir=$work/empty
seccomp_sandbox=NO
isolate=NO
isolate_network=NO
xferlog_enable=NO
CONF
    ip netns exec "$(server "$1")" vsftpd "$work/vsftpd-$1.conf" > "$work/vsftpd-$1.log" 2>&1 & disown
    wait_for "vsftpd listens on server $1" listens "$(server "$1")" "[::]:21"
}
start_pyftpdlib() {
    local address tests=$here/../../tests/FwCluster.EndToEnd.Tests
    "$tests/unpack-servers.sh" >&2
    files_of "$1"
    for address in "10.72.0.10$1" "fd72::0:10$1"; do
        PYTHONPATH=$here/../../artifacts/ftp-servers/usr/lib/python3/dist-packages ip netns exec "$(server "$1")" \
            /usr/bin/python3 "$tests/Ftp/pyftpd.py" "$address" ftp x "$work/ftp/$1" "$(id -u ftp)" > "$work/pyftpdlib-$1.log" 2>&1 & disown
    done
    wait_for "pyftpdlib listens on server $1" listens "$(server "$1")" "10.72.0.10$1:21"
    wait_for "pyftpdlib listens on server $1" listens "$(server "$1")" "[fd72::10$1]:21"
}
files_of() {
    # Only root may write the root of an anonymous login, see vsftpd.conf(5).
    mkdir -p "$work/ftp/$1/up" "$work/empty"
    chown ftp "$work/ftp/$1/up"
}
listens() { ip netns exec "$1" ss -Hltn src "$2" | grep -q LISTEN; }
