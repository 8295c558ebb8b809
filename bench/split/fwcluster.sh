# Sourced: FwCluster on the gateways, one fwclusterd each. network.sh and firewalls.sh are there. FWCLUSTERD is the daemon; what
# SET_ON_FWCLUSTERD holds (words "name=value") is set on each of them besides.

# Where the nodes of a cluster find each other, by the network between the gateways.
readonly cluster_port=4053

# settings_fwcluster GATEWAY: what its daemon is told besides its configuration file, a line each. A daemon alone is no cluster.
settings_fwcluster() {
    local number seeds=()
    [ ${#gateways[@]} -gt 1 ] || return 0
    for number in "${gateways[@]}"; do seeds+=("10.73.0.1$number:$cluster_port"); done
    echo "cluster.listen=10.73.0.1$1:$cluster_port"
    echo "cluster.seeds=$(IFS=,; echo "${seeds[*]}")"
    echo "cluster.key=000102030405060708090a0b0c0d0e0f"
    # The network between them is nobody else's here.
    echo "cluster.allow-clear-text=yes"
}

# start_fwcluster GATEWAY: in the background. ready_fwcluster waits for it: the nodes of a cluster need each other to be ready.
start_fwcluster() {
    local set=() line
    for line in $(settings_fwcluster "$1") ${SET_ON_FWCLUSTERD:-}; do set+=(--set "$line"); done
    cat > "$work/fwclusterd-$1.yaml" << CONF
mode: inline
rules:
  ipv4: $work/rules
  ipv6: $work/rules
state:
  socket: $work/fwclusterd-$1.sock
tracking:
  helpers: ftp
CONF
    if [ -n "$soon_over" ]; then
        echo "  sysctl:"
        for line in $short_timeouts; do echo "    nf_conntrack_tcp_timeout_${line/=/: }"; done
    fi >> "$work/fwclusterd-$1.yaml"
    ip netns exec "$(gateway "$1")" "$FWCLUSTERD" --config "$work/fwclusterd-$1.yaml" ${set[@]+"${set[@]}"} \
        > "$work/fwclusterd-$1.log" 2>&1 &
    echo $! > "$work/fwclusterd-$1.pid"
    disown
}
ready_fwcluster() {
    wait_for "fwclusterd is ready on gateway $1, or has ended" ready_or_gone "$1"
    ask_fwcluster "$1" readyz > /dev/null
}
ready_or_gone() { ask_fwcluster "$1" readyz || ! kill -0 "$(cat "$work/fwclusterd-$1.pid")"; }

# stop_fwcluster GATEWAY: as an operator does, by SIGTERM; waits for its end.
stop_fwcluster() {
    local pid
    pid=$(cat "$work/fwclusterd-$1.pid")
    kill -TERM "$pid" 2> /dev/null || true
    wait_for "fwclusterd ends on gateway $1" not kill -0 "$pid"
}
not() { ! "$@"; }

# ask_fwcluster GATEWAY WHAT: what its state socket answers.
ask_fwcluster() { curl -sS --fail --unix-socket "$work/fwclusterd-$1.sock" "http://localhost/$2"; }

# entries_fwcluster GATEWAY: how many connections it lists.
entries_fwcluster() { ask_fwcluster "$1" connections | grep -c "^tcp" || true; }

# find_fwclusterd: sets FWCLUSTERD, and makes it, as packages have it, where nobody said which.
find_fwclusterd() {
    [ -z "${FWCLUSTERD:-}" ] || return 0
    command -v dotnet > /dev/null || { echo "to build fwclusterd the .NET 10 SDK is missing" >&2; return 2; }
    local repository machine
    repository=$(realpath "$here/../..")
    case $(uname -m) in aarch64) machine=arm64 ;; *) machine=x64 ;; esac
    dotnet publish "$repository/src/FwCluster.Node" -c Release -r "linux-$machine" --no-self-contained \
        --artifacts-path "$repository/artifacts/bench-build" -o "$repository/artifacts/bench" -v quiet --nologo < /dev/null >&2
    FWCLUSTERD=$repository/artifacts/bench/fwclusterd
}
