#!/bin/bash
# Unpacks promtool, with which the tests check metrics, alerts and dashboard: Debian has it in the package of the Prometheus server, which
# is not installed for it. Its libraries are the C library alone.
#
#   tests/FwCluster.Node.Tests/unpack-promtool.sh [DIRECTORY]     artifacts/promtool of the repository where none is named
#
# A directory that has it already is left alone; so is a machine that has it.
set -euo pipefail

directory=$(realpath -m "${1:-$(dirname "${BASH_SOURCE[0]}")/../../artifacts/promtool}")
[ ! -x "$directory/usr/bin/promtool" ] || exit 0
! command -v promtool > /dev/null || exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-cache show prometheus > /dev/null 2>&1 || apt-get update -q < /dev/null > /dev/null
apt-get download -q prometheus < /dev/null > download.log 2>&1 || { cat download.log >&2; exit 1; }
mkdir -p "$directory"
dpkg-deb --fsys-tarfile ./*.deb | tar -x -C "$directory" ./usr/bin/promtool
