#!/bin/bash
# A farm of 8 FTP servers behind gateways: 200 clients at once fetch and store files of many sizes, active and passive, IPv4 and
# IPv6, and every byte is checked. Prints a line of JSON for each kind of gateway; the exit code is 0 where no transfer failed and no
# entry was left at the end.
#
#   sudo bench/split/farm.sh [--seconds N] [--clients N] [KIND...]
#
#   --seconds N    for how long, 60 unless told
#   --clients N    how many at once, 1 to 4000: 200 unless told
#
# Kinds, kernel and fwcluster unless told:
#   kernel         one gateway for everything: iptables, nf_conntrack, nf_conntrack_ftp
#   fwcluster      fwclusterd on three gateways; each direction of each flow crosses the one that its hash says (equal-cost routes)
#   kernel-farm    the kernel's own firewall on three such gateways, which fails
#   fwcluster-one  one gateway for everything: fwclusterd by itself
#
# FWCLUSTERD=FILE takes that daemon; else the repository's is built. Nothing outside of the namespaces is changed, and whatever
# happens they are gone afterwards.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
seconds=60 clients=200 kinds=()
while [ $# != 0 ]; do
    case $1 in
        --seconds) seconds=${2:-}; shift 2 || shift ;;
        --clients) clients=${2:-}; shift 2 || shift ;;
        kernel | kernel-farm | fwcluster | fwcluster-one) kinds+=("$1"); shift ;;
        *) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2; exit 2 ;;
    esac
done
for number in "--seconds $seconds" "--clients $clients"; do
    case ${number#* } in '' | *[!0-9]* | 0) echo "farm.sh: ${number% *}: \"${number#* }\" is not a number from 1 on" >&2; exit 2 ;; esac
done
[ "$clients" -le 4000 ] || { echo "farm.sh: --clients: at most 4000" >&2; exit 2; }
[ ${#kinds[@]} != 0 ] || kinds=(kernel fwcluster)
[ "$(id -u)" = 0 ] || { echo "farm.sh: must run as root, to make network namespaces" >&2; exit 2; }

. "$here/network.sh"
. "$here/firewalls.sh"
. "$here/fwcluster.sh"

need ip:iproute2 ss:iproute2 iptables-restore:iptables conntrack:conntrack vsftpd:vsftpd python3:python3
case " ${kinds[*]} " in *" fwcluster"*) need curl:curl; find_fwclusterd ;; esac

# all_entries KIND: of all gateways together.
all_entries() {
    local number sum=0
    for number in "${gateways[@]}"; do sum=$((sum + $("entries_$1" "$number"))); done
    echo $sum
}
no_entries() { [ "$(all_entries "$1")" = 0 ]; }

# measure KIND: says in failed whether it did.
failed=0
measure() {
    local firewall=${1%-*} left=0
    case $1 in
        kernel | fwcluster-one) make_network 1 8 "$clients"; layout_one ;;
        *) make_network 3 8 "$clients"; layout_farm ;;
    esac
    short_entries
    for_all "start_$firewall" "${gateways[@]}"
    if [ "$firewall" = fwcluster ]; then for_all ready_fwcluster "${gateways[@]}"; fi
    for_all start_vsftpd "${servers[@]}"
    python3 "$here/farm.py" --folder "$work/ftp" --make-files
    in_client python3 "$here/farm.py" --folder "$work/ftp" --clients "$clients" --seconds "$seconds" > "$work/result" || failed=1
    # Everything is closed: what an entry may still wait for is one of the short timeouts.
    wait_for "no entry is left on any gateway" no_entries "$firewall" || { left=$(all_entries "$firewall"); failed=1; }
    python3 - "$1" "$left" "$work/result" << 'LINE'
import json, sys
print(json.dumps({"gateways": sys.argv[1], **json.load(open(sys.argv[3])), "entries_left": int(sys.argv[2])}))
LINE
    remove_network
}

for kind in "${kinds[@]}"; do measure "$kind"; done
exit $failed
