#!/bin/bash
# FTP whose requests cross one gateway and whose replies cross another, with the two swapped again and again during transfers of
# 100 MiB, which have to arrive as they were. Prints a line of JSON for each transfer: fetched and stored, passive and active, IPv4
# and IPv6; the exit code is 0 where all arrived, and each met a swap or more.
#
#   sudo bench/split/asymmetric.sh [--mib N] [--swap SECONDS] [KIND...]
#
#   --mib N         MiB of a file, 100 unless told
#   --swap SECONDS  from swap to swap, 0.02 unless told
#
# Kinds, forwarding and fwcluster unless told:
#   forwarding     gateways without rules and tracking: what the swaps alone cost
#   kernel         iptables and nf_conntrack on each, which fails
#   fwcluster      fwclusterd on three gateways
#
# FWCLUSTERD=FILE takes that daemon; else the repository's is built. Nothing outside of the namespaces is changed, and whatever
# happens they are gone afterwards.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
mib=100 swap=0.02 kinds=()
while [ $# != 0 ]; do
    case $1 in
        --mib) mib=${2:-}; shift 2 || shift ;;
        --swap) swap=${2:-}; shift 2 || shift ;;
        forwarding | kernel | fwcluster) kinds+=("$1"); shift ;;
        *) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2; exit 2 ;;
    esac
done
case $mib in '' | *[!0-9]* | 0) echo "asymmetric.sh: --mib: \"$mib\" is not a number from 1 on" >&2; exit 2 ;; esac
case $swap in '' | *[!0-9.]* | .) echo "asymmetric.sh: --swap: \"$swap\" is not a number of seconds" >&2; exit 2 ;; esac
[ ${#kinds[@]} != 0 ] || kinds=(forwarding fwcluster)
[ "$(id -u)" = 0 ] || { echo "asymmetric.sh: must run as root, to make network namespaces" >&2; exit 2; }

. "$here/network.sh"
. "$here/firewalls.sh"
. "$here/fwcluster.sh"

need ip:iproute2 ss:iproute2 iptables-restore:iptables vsftpd:vsftpd python3:python3
case " ${kinds[*]} " in *" fwcluster "*) need curl:curl; find_fwclusterd ;; esac

start_forwarding() { :; }

# Until it is killed.
swap_forever() {
    while :; do
        sleep "$swap"; layout_asymmetric_swapped; echo swapped
        sleep "$swap"; layout_asymmetric; echo back
    done >> "$work/swaps"
}

# measure KIND: says in failed whether a transfer did.
failed=0
measure() {
    local swapper
    make_network 3 1 1
    layout_asymmetric
    for_all "start_$1" "${gateways[@]}"
    if [ "$1" = fwcluster ]; then for_all ready_fwcluster "${gateways[@]}"; fi
    start_vsftpd 1
    head -c "${mib}M" /dev/urandom > "$work/ftp/1/large"
    : > "$work/swaps"
    swap_forever &
    swapper=$!
    in_client python3 "$here/large.py" --name "$1" --folder "$work/ftp/1" --swaps "$work/swaps" \
        --server-pid "$(ip netns pids "$(server 1)" | head -n 1)" || failed=1
    kill "$swapper"
    wait "$swapper" 2> /dev/null || true
    remove_network
}

for kind in "${kinds[@]}"; do measure "$kind"; done
exit $failed
