#!/bin/bash
# FTP through gateways that each see a part of it: control connections cross gateway 1, data connections gateway 2 (network.sh has
# the drawing). Prints, for each kind of gateway, how many transfers fail, how many waited for a SYN that was dropped and sent
# again, and how long they took, beside one kernel gateway for everything, measured in the same run.
#
#   sudo bench/split/split.sh [--count N] [--warm-up N] [--per-login N] [--json FILE] [KIND...]
#
#   --count N      transfers of each mode (passive, active) in each family (IPv4, IPv6) from each server: 2000 unless told
#   --warm-up N    transfers of each before those are counted, 2000 unless told: caches fill, and compilers look what is worth compiling. They have
#                  results of their own, below the table
#   --per-login N  transfers of each login: 10 unless told
#   --json FILE    the results as JSON beside the table
#
# Servers are vsftpd, which connects an active data connection when it is told to transfer, and pyftpdlib, which does it at once when
# it has read PORT or EPRT, so that no word more passes between the announcement and the SYN.
#
# Kinds, all of them unless told:
#   kernel         one gateway for everything: iptables, nf_conntrack, nf_conntrack_ftp
#   kernel-split   the same on each gateway: nothing can pass, so only some are tried
#   conntrackd     the same, and conntrackd with ExpectationSync between them
#   fwcluster      fwclusterd on three gateways
# and, when asked for:
#   fwcluster-one  one gateway for everything: fwclusterd by itself
#
# FWCLUSTERD=FILE takes that daemon; else the repository's is built. Nothing outside of the namespaces is changed, and whatever
# happens they are gone afterwards. Measure on a machine that does nothing else.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
count=2000 warm_up=2000 per_login=10 json= kinds=()
while [ $# != 0 ]; do
    case $1 in
        --count) count=${2:-}; shift 2 || shift ;;
        --warm-up) warm_up=${2:-}; shift 2 || shift ;;
        --per-login) per_login=${2:-}; shift 2 || shift ;;
        --json) json=${2:?--json needs a file}; shift 2 ;;
        kernel | kernel-split | conntrackd | fwcluster | fwcluster-one) kinds+=("$1"); shift ;;
        *) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2; exit 2 ;;
    esac
done
for number in "--count $count" "--per-login $per_login"; do
    case ${number#* } in '' | *[!0-9]* | 0) echo "split.sh: ${number% *}: \"${number#* }\" is not a number from 1 on" >&2; exit 2 ;; esac
done
case $warm_up in '' | *[!0-9]*) echo "split.sh: --warm-up: \"$warm_up\" is not a number" >&2; exit 2 ;; esac
[ ${#kinds[@]} != 0 ] || kinds=(kernel kernel-split conntrackd fwcluster)
[ "$(id -u)" = 0 ] || { echo "split.sh: must run as root, to make network namespaces" >&2; exit 2; }

. "$here/network.sh"
. "$here/firewalls.sh"
. "$here/fwcluster.sh"

need ip:iproute2 ss:iproute2 iptables-restore:iptables vsftpd:vsftpd python3:python3 /usr/bin/python3:python3
case " ${kinds[*]} " in *" conntrackd "*) need conntrackd:conntrackd ;; esac
case " ${kinds[*]} " in *" fwcluster"*) need curl:curl; find_fwclusterd ;; esac

head -c 1024 /dev/urandom > "$work/content"

# transfer KIND SERVER N OPTION...: from that server, which is server N. A line of JSON for each mode and family.
transfer() {
    local kind=$1 server=$2 number=$3
    shift 3
    "start_$server" "$number"
    cp "$work/content" "$work/ftp/$number/file"
    in_client python3 "$here/transfers.py" --gateways "$kind" --server "$server" --content "$work/content" \
        --client4 10.71.0.2 --client6 fd71::0:2 --server4 "10.72.0.10$number" --server6 "fd72::0:10$number" \
        --server-pid "$(ip netns pids "$(server "$number")" | head -n 1)" "$@" > "$work/results-$kind-$server"
    cat "$work/results-$kind-$server" >&2
}

# measure KIND
measure() {
    local number options=(--count "$count" --warm-up "$warm_up" --per-login "$per_login")
    case $1 in
        kernel | fwcluster-one) make_network 1 2 1; layout_one ;;
        *) make_network 3 2 1; layout_split ;;
    esac
    case $1 in
        kernel | kernel-split) for_all start_kernel "${gateways[@]}" ;;
        conntrackd) for_all start_conntrackd "${gateways[@]}" ;;
        fwcluster | fwcluster-one)
            for_all start_fwcluster "${gateways[@]}"
            for_all ready_fwcluster "${gateways[@]}" ;;
    esac
    case $1 in
        kernel-split) options=(--count 10 --patience 4 --at-once) ;;
        conntrackd) options+=(--warm-up 0) ;; # it has no compiler, and its lost races take a second each
    esac
    transfer "$1" vsftpd 1 "${options[@]}"
    transfer "$1" pyftpdlib 2 "${options[@]}"
    remove_network
}

for kind in "${kinds[@]}"; do measure "$kind"; done
for kind in "${kinds[@]}"; do cat "$work/results-$kind-vsftpd" "$work/results-$kind-pyftpdlib"; done > "$work/results"
python3 "$here/table.py" "$work/results" ${json:+"$json"}
