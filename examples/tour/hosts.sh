#!/bin/bash
# The hosts of the tour in README.md, in network namespaces of this machine:
#
#   gateway1 10.9.0.1 ---+
#   gateway2 10.9.0.2 ---+--- 10.9.0.254: the shell that this opens
#   gateway3 10.9.0.3 ---+
#
#   sudo -E examples/tour/hosts.sh
#
# opens a shell in an empty folder; "ip netns exec gateway1 COMMAND" runs something on a gateway. When the shell ends, all that it started is
# killed, and hosts and folder are gone. Nothing of the machine itself is changed: what there is, is seen from that shell alone.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
repository=$(realpath "$here/../..")

fail() {
    echo "hosts.sh: $1" >&2
    exit 2
}

enter() {
    local tool missing=
    for tool in ip:iproute2 iptables:iptables ip6tables:iptables openssl:openssl ping:iputils-ping curl:curl unshare:util-linux; do
        command -v "${tool%%:*}" > /dev/null || missing+=" ${tool##*:}"
    done
    [ -z "$missing" ] || fail "these packages are missing, install them first:$missing"
    [ "$(id -u)" = 0 ] || fail "must run as root, to make network namespaces"
    for tool in Cli/bin/Release/net10.0/fwctl Node/bin/Release/net10.0/fwclusterd; do
        [ -x "$repository/src/FwCluster.$tool" ] || fail "src/FwCluster.$tool is not there: build it first, as the tour says"
        PATH=$repository/$(dirname "src/FwCluster.$tool"):$PATH
    done
    export PATH
    exec unshare --mount --net --pid --fork --kill-child --mount-proc "$here/hosts.sh" inside
}

# In namespaces of its own: here nothing of the machine can be touched by mistake.
inside() {
    [ $$ = 1 ] || fail "'inside' is for itself to say"
    mount -t tmpfs tmpfs /run # with the folder in it, which is in memory and goes with the rest
    mkdir -m 700 /run/tour
    cd /run/tour
    ip link set lo up
    ip link add lan type bridge
    ip address add 10.9.0.254/24 dev lan
    ip link set lan up
    local n
    for n in 1 2 3; do
        ip netns add "gateway$n"
        ip link add "port$n" type veth peer name eth0 netns "gateway$n"
        ip link set "port$n" master lan up
        ip -n "gateway$n" address add "10.9.0.$n/24" dev eth0
        ip -n "gateway$n" link set lo up
        ip -n "gateway$n" link set eth0 up
    done
    echo "10.9.0.254: the gateways are 10.9.0.1 to 10.9.0.3; 'exit' ends it all"
    exec bash
}

case "${1:-}" in
    "") enter ;;
    inside) inside ;;
    *) fail "it takes no arguments" ;;
esac
