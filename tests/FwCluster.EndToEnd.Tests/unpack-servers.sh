#!/bin/bash
# Unpacks the FTP servers that the tests start and that cannot be installed beside vsftpd: Debian's packages of FTP servers
# exclude one another. Nothing is installed; packages and the libraries they lack come from apt into one directory.
#
#   tests/FwCluster.EndToEnd.Tests/unpack-servers.sh [DIRECTORY]     artifacts/ftp-servers of the repository where none is named
#
# A directory that is complete already is left alone; remove it to fetch again.
set -euo pipefail

readonly servers="pure-ftpd proftpd-core python3-pyftpdlib"
directory=$(realpath -m "${1:-$(dirname "${BASH_SOURCE[0]}")/../../artifacts/ftp-servers}")
[ ! -e "$directory/complete" ] || exit 0

if ! command -v apt-get > /dev/null || ! command -v dpkg-deb > /dev/null; then
    echo "unpack-servers.sh: needs apt-get and dpkg-deb, to fetch $servers" >&2
    exit 2
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# A machine that never asked for package lists knows no package.
apt-cache show $servers > /dev/null 2>&1 || apt-get update -q < /dev/null > /dev/null

# What installing would bring, were it not for the conflict: the server and the libraries that the machine lacks.
packages=
for server in $servers; do
    brought=$(apt-get install -s --no-install-recommends "$server" 2> simulation.log | awk '$1 == "Inst" { print $2 }') || true
    if [ -z "$brought" ]; then
        # Installed already: unpacked all the same, so that there is one place to look.
        brought=$server
    fi
    packages+=" $brought"
done

# shellcheck disable=SC2086 # one word a package
packages=$(printf '%s\n' $packages | grep -v inetd | sort -u | xargs)
# shellcheck disable=SC2086
apt-get download -q $packages < /dev/null > download.log 2>&1 || { cat simulation.log download.log >&2; exit 1; }

rm -rf "$directory"
mkdir -p "$directory"
for package in *.deb; do dpkg-deb -x "$package" "$directory"; done
for program in usr/sbin/pure-ftpd usr/sbin/proftpd usr/lib/python3/dist-packages/pyftpdlib; do
    [ -e "$directory/$program" ] || { echo "unpack-servers.sh: the packages have no $program" >&2; exit 1; }
done
echo "$packages" > "$directory/complete"
