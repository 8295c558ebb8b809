#!/bin/bash
# Builds the Debian package: fwclusterd and fwctl with the .NET runtime, so that the machine needs none, the unit, a documented configuration,
# man pages and completion.
#
#   packaging/build-deb.sh [--version VERSION] [--arch amd64|arm64] [--output DIRECTORY] [--programs DIRECTORY]
#
# The version is Directory.Build.props', the architecture this machine's, the directory artifacts/packages of the repository. arm64 is built on
# amd64 as well, but not tried there. --programs takes programs that were published before, by a package of another version. Needs dpkg-deb and the .NET SDK.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(realpath "$here/..")
version=$(sed -n 's/.*<VersionPrefix>\(.*\)<.*/\1/p' "$repository/Directory.Build.props")
arch=$(dpkg --print-architecture) output=$repository/artifacts/packages programs=
while [ $# -gt 0 ]; do
    case $1 in
        --version) version=$2 ;;
        --arch) arch=$2 ;;
        --output) output=$2 ;;
        --programs) programs=$2 ;;
        *) sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
    esac
    shift 2
done
case $arch in
    amd64) rid=linux-x64 ;;
    arm64) rid=linux-arm64 ;;
    *) echo "build-deb.sh: there is no .NET of the architecture $arch here; amd64 and arm64 are right" >&2; exit 2 ;;
esac
for tool in dotnet:the\ .NET\ SDK dpkg-deb:dpkg gzip:gzip; do
    command -v "${tool%%:*}" > /dev/null || { echo "build-deb.sh: ${tool%%:*} is missing; install ${tool#*:}" >&2; exit 2; }
done

export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 MSBUILDDISABLENODEREUSE=1
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$repository" log -1 --format=%ct 2> /dev/null || date +%s)}
export SOURCE_DATE_EPOCH
umask 022

# Apart from what a developer builds: another runtime, and paths that no test looks into. Both programs share one folder and one runtime; the
# daemon's goes over fwctl's, for it is the same with ASP.NET Core's libraries besides.
publish() {
    dotnet publish "$repository/src/$1" -c Release -r "$2" --self-contained --artifacts-path "$repository/artifacts/package-build" \
        -p:Version="$version" -p:SatelliteResourceLanguages=en -o "$3" -v quiet --nologo --disable-build-servers < /dev/null
}
if [ -z "$programs" ]; then
    programs=$repository/artifacts/package-build/programs-$arch
    rm -rf "$programs"
    publish FwCluster.Cli $rid "$programs"
    publish FwCluster.Node $rid "$programs"
    # What helps who debugs or compiles, and the settings, which are the daemon's resource as well.
    rm -f "$programs"/{createdump,libcoreclrtraceptprovider.so,fwclusterd.yaml,*.pdb,*.xml}
fi

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"
install_file() { install -D -m "$1" "$2" "$root/$3"; }

mkdir -p "$root/usr/lib/fwcluster" "$root/usr/bin" "$root/DEBIAN"
cp -r "$programs/." "$root/usr/lib/fwcluster"
find "$root/usr/lib/fwcluster" -type f -exec chmod 644 {} +
chmod 755 "$root"/usr/lib/fwcluster/{fwclusterd,fwctl}
ln -s ../lib/fwcluster/fwclusterd ../lib/fwcluster/fwctl "$root/usr/bin"
install_file 644 "$here/fwclusterd.service" usr/lib/systemd/system/fwclusterd.service
install_file 644 "$here/fwcluster.sysusers" usr/lib/sysusers.d/fwcluster.conf

# What describes itself is asked on this machine, which may be of the other architecture.
if [ "$arch" = "$(dpkg --print-architecture)" ]; then
    asked=$root/usr/lib/fwcluster
else
    asked=$repository/artifacts/package-build/programs-$(dpkg --print-architecture)
    [ -x "$asked/fwctl" ] || { echo "build-deb.sh: build the package of this machine first, for the man pages" >&2; exit 2; }
fi
install -d -m 755 "$root/etc/fwcluster"
"$asked/fwclusterd" --show-config > "$root/etc/fwcluster/fwclusterd.yaml"
chmod 644 "$root/etc/fwcluster/fwclusterd.yaml"
"$here/make-man.sh" "$asked/fwclusterd" "$asked/fwctl" "$version" "$root/man"
for page in "$root"/man/*; do
    section=${page##*.}
    install -d -m 755 "$root/usr/share/man/man$section"
    gzip -9nc "$page" > "$root/usr/share/man/man$section/$(basename "$page").gz"
done
rm -r "$root/man"
install -d -m 755 "$root"/usr/share/{bash-completion/completions,zsh/vendor-completions,fish/vendor_completions.d}
"$asked/fwctl" completion bash > "$root/usr/share/bash-completion/completions/fwctl"
"$asked/fwctl" completion zsh > "$root/usr/share/zsh/vendor-completions/_fwctl"
"$asked/fwctl" completion fish > "$root/usr/share/fish/vendor_completions.d/fwctl.fish"

documents=$root/usr/share/doc/fwcluster
install -d -m 755 "$documents/examples"
install -m 644 "$repository"/docs/{daemon,control-plane,clustering,scaling,metrics}.md "$documents"
install -m 644 "$repository/examples/exercise/exercise.rules" "$repository/deploy/grafana/fwcluster.json" "$repository/deploy/prometheus/fwcluster.rules.yaml" "$documents/examples"
install -m 644 "$here/debian/copyright" "$documents/copyright"
sed -e "s/@VERSION@/$version/" -e "s/@DATE@/$(date -u -R -d "@$SOURCE_DATE_EPOCH")/" "$here/debian/changelog" | gzip -9nc > "$documents/changelog.gz"
install_file 644 "$here/debian/lintian-overrides" usr/share/lintian/overrides/fwcluster

for script in postinst prerm postrm; do install -m 755 "$here/debian/$script" "$root/DEBIAN/$script"; done
echo /etc/fwcluster/fwclusterd.yaml > "$root/DEBIAN/conffiles"
sed -e "s/@VERSION@/$version/" -e "s/@ARCH@/$arch/" -e "s/@SIZE@/$(du -k -s --apparent-size "$root" | cut -f1)/" "$here/debian/control" > "$root/DEBIAN/control"
(cd "$root" && find . -type f ! -path './DEBIAN/*' ! -path './etc/*' -printf '%P\0' | sort -z | xargs -0 md5sum) > "$root/DEBIAN/md5sums"
find "$root" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

mkdir -p "$output"
package=$output/fwcluster_${version}_$arch.deb
dpkg-deb --root-owner-group -Zxz -z"${DEB_COMPRESSION:-6}" --build "$root" "$package" > /dev/null
echo "$package"
