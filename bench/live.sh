#!/bin/bash
# Compares, in one run, a gateway whose kernel filters with one whose packets fwclusterd decides, by the same rules.
#
#   sudo bench/live.sh [--json FILE] [ROUNDS]    3 rounds unless told, about half a minute each; prints the medians as a table.
#                                                FILE gets them too, and each round's numbers, for a program
#
#   left 10.78.1.2 ---------- gateway ---------- right 10.78.2.2        network namespaces, virtual cables, offload on
#
# Measured through the gateway, once each round, for each of three gateways in turn:
#   forwarding   no rules and no tracking: what the machine can do
#   kernel       the rules below in the kernel: iptables, nf_conntrack
#   fwclusterd   the same rules in fwclusterd, by its queue
# TCP throughput is iperf3's with one connection; new connections are connections.py's; the round trip is ping's, 1000 to the
# second: the median, and what one of a hundred exceeds. Nothing outside of the namespaces is changed, and whatever happens they are gone afterwards. FWCLUSTERD=FILE takes that
# daemon; else the repository's is built. Measure on a machine that does nothing else.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
json=
if [ "${1:-}" = --json ]; then
    [ -n "${2:-}" ] || { echo "live.sh: --json: which file?" >&2; exit 2; }
    json=$2
    shift 2
    : > "$json" || exit 2
fi
rounds=${1:-3}
readonly seconds=5

[ $# -le 1 ] || { echo "live.sh: too much: \"$2\"; usage: live.sh [--json FILE] [ROUNDS]" >&2; exit 2; }
case $rounds in '' | *[!0-9]* | 0) echo "live.sh: rounds: \"$rounds\" is not a number from 1 on" >&2; exit 2 ;; esac
missing=
for tool in ip:iproute2 ss:iproute2 iptables-restore:iptables iperf3:iperf3 ping:iputils-ping python3:python3 curl:curl; do
    command -v "${tool%%:*}" > /dev/null || missing+=" ${tool##*:}"
done
[ -z "$missing" ] || { echo "live.sh: these packages are missing, install them first:$missing" >&2; exit 2; }
[ "$(id -u)" = 0 ] || { echo "live.sh: must run as root, to make network namespaces" >&2; exit 2; }
if [ -z "${FWCLUSTERD:-}" ]; then
    command -v dotnet > /dev/null || { echo "live.sh: to build fwclusterd the .NET 10 SDK is missing" >&2; exit 2; }
    dotnet build "$here/../src/FwCluster.Node" -c Release -v quiet --nologo >&2
fi
fwclusterd=${FWCLUSTERD:-$here/../src/FwCluster.Node/bin/Release/net10.0/fwclusterd}

left=fwtl$$ gateway=fwtg$$ right=fwtr$$
work=$(mktemp -d)

remove_network() {
    local namespace
    for namespace in "$left" "$gateway" "$right"; do
        if [ -e "/run/netns/$namespace" ]; then
            ip netns pids "$namespace" | xargs -r kill -9 2> /dev/null || true
            ip netns delete "$namespace" || true
        fi
    done
}
clean_up() {
    local status=$?
    trap '' INT TERM HUP
    remove_network
    [ $status = 0 ] || tail -n 5 "$work"/*.log >&2 2> /dev/null || true
    rm -rf "$work"
    exit $status
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

# wait_for WHAT COMMAND...: up to 20 seconds.
wait_for() {
    local what=$1 i
    shift
    for ((i = 0; i < 400; i++)); do
        if "$@" > /dev/null 2>&1; then return 0; fi
        sleep 0.05
    done
    echo "live.sh: waited 20 s in vain: $what" >&2
    return 1
}

# join NAMESPACE NAME NET: a cable from a host to the gateway.
join() {
    ip -n "$1" link add eth0 type veth peer name "$2" netns "$gateway"
    ip -n "$1" address add "10.78.$3.2/24" dev eth0
    ip -n "$gateway" address add "10.78.$3.1/24" dev "$2"
    ip -n "$1" link set eth0 up
    ip -n "$gateway" link set "$2" up
    ip -n "$1" route add default via "10.78.$3.1"
    ip netns exec "$1" sysctl -qw net.ipv4.ip_local_port_range="1024 65535"
}

make_network() {
    local namespace
    for namespace in "$left" "$gateway" "$right"; do
        ip netns add "$namespace"
        ip -n "$namespace" link set lo up
    done
    ip netns exec "$gateway" sysctl -qw net.ipv4.ip_forward=1
    join "$left" left 1
    join "$right" right 2
    # disown: that they are killed in the end is no news.
    ip netns exec "$right" iperf3 -s > "$work/iperf3.log" 2>&1 & disown
    ip netns exec "$right" python3 "$here/connections.py" serve 10.78.2.2 7000 > "$work/serve.log" 2>&1 & disown
}

cat > "$work/rules" << RULES
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A FORWARD -m state --state RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -p tcp -m tcp --dport 5201 -m state --state NEW -j ACCEPT
-A FORWARD -p tcp -m tcp --dport 7000 -m state --state NEW -j ACCEPT
-A FORWARD -p icmp -m state --state NEW -j ACCEPT
COMMIT
RULES
cat > "$work/fwclusterd.yaml" << CONF
mode: inline
rules:
  ipv4: $work/rules
state:
  socket: $work/state.sock
CONF

start_forwarding() { :; }
start_kernel() { ip netns exec "$gateway" iptables-restore "$work/rules"; }
start_fwclusterd() {
    ip netns exec "$gateway" "$fwclusterd" --config "$work/fwclusterd.yaml" > "$work/fwclusterd.log" 2>&1 & disown
    wait_for "fwclusterd is ready" curl -sS --fail --unix-socket "$work/state.sock" http://localhost/readyz
}

on_left() { ip netns exec "$left" "$@"; }
listens() { ip netns exec "$right" ss -Hltn "sport = :$1" | grep -q LISTEN; }

# percentiles: of ping's lines, the median and the 99th percentile, ms.
percentiles() {
    python3 -c 'import re, sys
times = sorted(float(t) for t in re.findall(r" time=([0-9.]+) ms", sys.stdin.read()))
if not times: sys.exit("ping: no answer")
print(times[len(times) // 2], times[len(times) * 99 // 100])'
}

# measure KIND: a line "KIND Gb/s connections/s ms ms" in results.
measure() {
    local throughput connections ping
    make_network
    "start_$1"
    wait_for "the other host answers" on_left ping -c 1 -W 1 10.78.2.2
    wait_for "connections.py listens" listens 7000
    wait_for "iperf3 listens" listens 5201
    throughput=$(on_left iperf3 -c 10.78.2.2 -t $seconds -O 2 -J \
        | python3 -c 'import json, sys; print(json.load(sys.stdin)["end"]["sum_received"]["bits_per_second"] / 1e9)')
    ping=$(on_left ping -n -i 0.001 -c $((seconds * 1000)) 10.78.2.2 | percentiles)
    connections=$(on_left python3 "$here/connections.py" connect 10.78.2.2 7000 $seconds)
    echo "$1 $throughput $connections $ping" | tee -a "$work/results" >&2
    remove_network
}

for ((round = 0; round < rounds; round++)); do
    for kind in forwarding kernel fwclusterd; do measure $kind; done
done

python3 - "$work/results" "$json" << 'TABLE'
import json, statistics, sys
kinds = ("forwarding", "kernel", "fwclusterd")
measures = (
    ("tcp_gbits_per_second", "TCP throughput, Gb/s", "%.2f"),
    ("connections_per_second", "new connections a second", "%.0f"),
    ("round_trip_p50_ms", "round trip, median, ms", "%.3f"),
    ("round_trip_p99_ms", "round trip, 99th percentile, ms", "%.3f"),
)
samples = []
for line in open(sys.argv[1]):
    kind, *numbers = line.split()
    samples.append({"gateway": kind} | {name: float(number) for (name, _, _), number in zip(measures, numbers, strict=True)})
medians = {kind: {name: statistics.median(s[name] for s in samples if s["gateway"] == kind) for name, _, _ in measures} for kind in kinds}

print("| | forwarding | kernel | fwclusterd | fwclusterd / kernel |")
print("|---|---|---|---|---|")
for name, text, form in measures:
    values = [medians[kind][name] for kind in kinds]
    print("|", text, "|", " | ".join(form % value for value in values), "| %.2f |" % (values[2] / values[1]))
for name, text, form in measures[2:]:
    plain, kernel, ours = (medians[kind][name] for kind in kinds)
    print("| added to forwarding's", text, "| | %.3f | %.3f | |" % (kernel - plain, ours - plain))

if sys.argv[2]:
    with open(sys.argv[2], "w") as file:
        json.dump({"medians": medians, "samples": samples}, file, indent=2)
        file.write("\n")
TABLE
