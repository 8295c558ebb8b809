#!/bin/bash
# Tries the Debian package on a bare root file system: install, start as the unit says, the exercise with a real FTP server, upgrade, remove,
# purge; nothing may be left behind.
#
#   sudo packaging/test-deb.sh [PACKAGE]     builds the package where none is named; some minutes
#
# The root file system comes from where this machine's apt gets its packages (mmdebstrap), and is kept in artifacts/ for the next time. There
# is no systemd in it, so the daemon is started as the unit's ExecStart says: its user, its capabilities, its directories. All mounts
# are in a mount namespace of the test's own; the network is in namespaces that the exercise makes.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(realpath "$here/..")
[ "$(id -u)" = 0 ] || { echo "test-deb.sh: must run as root" >&2; exit 2; }
for tool in mmdebstrap:mmdebstrap unshare:util-linux setpriv:util-linux ip:iproute2; do
    command -v "${tool%%:*}" > /dev/null || { echo "test-deb.sh: ${tool%%:*} is missing; install the package ${tool#*:}" >&2; exit 2; }
done

if [ "${TEST_DEB:-}" != inside ]; then
    package=${1:-$("$here/build-deb.sh")}
    work=$(mktemp -d /run/fwt-deb.XXXXXX)
    trap 'rm -rf --one-file-system "$work"' EXIT
    TEST_DEB=inside unshare --mount --propagation private "$0" "$(realpath "$package")" "$work"
    echo "test-deb.sh: passed"
    exit
fi

package=$1 work=$2
root=$work/root
mount -t tmpfs -o mode=755,size=4g tmpfs "$work"
mkdir "$root"
step() { echo "== $*"; }
fail() { echo "test-deb.sh: $*" >&2; exit 1; }
in_root() { env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"; }
apt() { in_root apt-get -qq -y -o Dpkg::Use-Pty=0 "$@" < /dev/null > "$work/apt.log" 2>&1 || { cat "$work/apt.log" >&2; fail "apt-get $*"; }; }

if command -v lintian > /dev/null; then
    step "What lintian says"
    lintian --no-cfg --fail-on error,warning "$package" 2> "$work/lintian.err" || { cat "$work/lintian.err" >&2; fail "lintian finds faults"; }
fi

step "A bare root file system"
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
bare=$repository/artifacts/bare-$codename.tar
if [ ! -e "$bare" ]; then
    mkdir -p "$repository/artifacts"
    # How this machine's apt reaches its packages: its sources and, where there is one, its proxy.
    apt-config dump Acquire > "$work/acquire.conf"
    sources=()
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources}; do [ ! -s "$file" ] || sources+=("$file"); done
    mmdebstrap --quiet --variant=minbase --aptopt="$work/acquire.conf" --skip=cleanup/apt --format=tar "$codename" "$bare.new" "${sources[@]}" < /dev/null
    mv "$bare.new" "$bare"
fi
tar -x -f "$bare" -C "$root" --exclude=./dev
mkdir -p "$root/dev" "$root/proc"
mount --rbind /dev "$root/dev"
mount --bind /proc "$root/proc"
cp /etc/resolv.conf "$root/etc/resolv.conf"
cp "$package" "$root/first.deb"

# What it needs stays when it goes: installed before the first look.
needs=$(dpkg-deb -f "$package" Depends), recommended=$(dpkg-deb -f "$package" Recommends)
apt satisfy --no-install-recommends "$needs" "$recommended"
look() {
    (cd "$root" && find . -xdev \( -path ./proc -o -path ./dev -o -path ./tmp -o -path ./run -o -path ./var/cache -o -path ./var/lib/apt -o -path ./var/lib/dpkg \
        -o -path ./var/log \) -prune -o ! -name '*.deb' ! -path './etc/*-' ! -path './etc/.pwd.lock' -printf '%p %M %u:%g %l\n' | sort
     find var/log var/lib/dpkg/info -path '*fwcluster*'
     cut -d: -f1 etc/passwd etc/group)
}
look > "$work/before"

step "Install"
apt install /first.deb
[ -z "$(in_root dpkg --verify fwcluster)" ] || fail "dpkg --verify: $(in_root dpkg --verify fwcluster)"
[ "$(in_root stat -c '%U:%G %a' /etc/fwcluster /etc/fwcluster/fwclusterd.yaml | xargs)" = "root:fwcluster 750 root:fwcluster 640" ] || fail "owners and modes of the configuration"
in_root env DPKG_MAINTSCRIPT_PACKAGE=fwcluster deb-systemd-helper --quiet was-enabled fwclusterd.service || fail "the unit is not enabled"
in_root fwclusterd --check --config /etc/fwcluster/fwclusterd.yaml
version=$(in_root fwctl --version)
[ "${version%%+*}" = "$(dpkg-deb -f "$package" Version)" ] || fail "fwctl says it is $version"
for page in man1/fwctl.1 man8/fwclusterd.8 man5/fwclusterd.yaml.5; do gzip -t "$root/usr/share/man/$page.gz"; done
in_root bash -n /usr/share/bash-completion/completions/fwctl

step "Start as the unit says, and the exercise"
unit=$root/usr/lib/systemd/system/fwclusterd.service
of_unit() { sed -n "s/^$1=//p" "$unit"; }
user=$(of_unit User)
capabilities=$(of_unit AmbientCapabilities | tr '[:upper:]' '[:lower:]' | sed 's/cap_/+/g; s/ /,/g')
for directory in "run/$(of_unit RuntimeDirectory)" "var/log/$(of_unit LogsDirectory)" "var/lib/$(of_unit StateDirectory)"; do
    in_root install -d -m 750 -o "$user" -g "$(of_unit Group)" "/$directory"
done
# In the place of the daemon, for demo.sh: its arguments are not the unit's, so what they say is said by the environment.
cat > "$work/fwclusterd" << DAEMON
#!/bin/bash
ln -sf "$root/run/fwclusterd/state.sock" "\$(dirname "\$2")/state.sock"
export FWCLUSTER_MODE=inline FWCLUSTER_RULES_IPV4=/usr/share/doc/fwcluster/examples/exercise.rules FWCLUSTER_TRACKING_HELPERS=ftp
exec chroot "$root" setpriv --reuid=$user --regid=$(of_unit Group) --clear-groups --no-new-privs --inh-caps=-all,$capabilities \
    --ambient-caps=-all,$capabilities --bounding-set=-all,$capabilities $(of_unit ExecStart)
DAEMON
chmod 755 "$work/fwclusterd"
exercise() {
    FWCLUSTERD=$work/fwclusterd "$repository/examples/live/demo.sh" > "$work/exercise.txt" || { cat "$work/exercise.txt" >&2; fail "the exercise"; }
    [ "$(grep -c '       1       60 ACCEPT .*state RELATED' "$work/exercise.txt")" = 2 ] || { cat "$work/exercise.txt" >&2; fail "a data connection was not RELATED once"; }
}
exercise

step "Upgrade, with a changed configuration"
echo "# kept" >> "$root/etc/fwcluster/fwclusterd.yaml"
# A later package whose configuration differs as well.
dpkg-deb -R "$package" "$work/next"
sed -i 's/^Version: .*/&.1/' "$work/next/DEBIAN/control"
echo "# of the next version" >> "$work/next/etc/fwcluster/fwclusterd.yaml"
dpkg-deb --root-owner-group -Znone --build "$work/next" "$root/next.deb" > /dev/null
rm -rf "$work/next"
in_root env DPKG_MAINTSCRIPT_PACKAGE=fwcluster deb-systemd-helper disable fwclusterd.service > /dev/null 2>&1
apt install -o Dpkg::Options::=--force-confold /next.deb
tail -n 1 "$root/etc/fwcluster/fwclusterd.yaml" | grep -q '^# kept$' || fail "the upgrade did not keep the configuration"
[ "$(in_root stat -c '%U:%G %a' /etc/fwcluster/fwclusterd.yaml)" = "root:fwcluster 640" ] || fail "the upgrade changed the configuration's owner or mode"
in_root env DPKG_MAINTSCRIPT_PACKAGE=fwcluster deb-systemd-helper --quiet was-enabled fwclusterd.service && fail "the upgrade enabled what was disabled"
in_root fwclusterd --check --config /etc/fwcluster/fwclusterd.yaml
in_root dpkg -s fwcluster | grep -q '^Version: .*\.1$' || fail "the upgrade installed nothing"
exercise

step "Remove"
apt remove fwcluster
[ -e "$root/etc/fwcluster/fwclusterd.yaml" ] || fail "the configuration is gone before the purge"
[ ! -e "$root/usr/lib/fwcluster" ] && [ ! -e "$root/usr/bin/fwctl" ] || fail "programs are left"

step "Purge"
apt purge fwcluster
look > "$work/after"
diff "$work/before" "$work/after" >&2 || fail "something is left behind, or gone"
