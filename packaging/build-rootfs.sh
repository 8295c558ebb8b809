#!/bin/bash
# Makes the container image's root file system in an empty folder. The Dockerfile runs this, and the tests do, so that what goes into the image is
# what was tested.
#
#   packaging/build-rootfs.sh FOLDER [--no-build]
#
#   --no-build   take what stands in src/*/bin/Release
#
# There are fwclusterd, fwctl, the .NET runtime, iptables (nft) and the libraries that these load, from this machine; no shell, and no package
# manager. As root, since programs get capabilities by their files (setcap).
set -euo pipefail

repository=$(cd "$(dirname "$0")/.." && pwd)
build=(-c Release -v quiet --nologo)
root=
for word; do
    case $word in
        --no-build) build+=(--no-build) ;;
        -*) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2; exit 2 ;;
        *) root=$word ;;
    esac
done
[ -n "$root" ] || { echo "build-rootfs.sh: which folder?" >&2; exit 2; }
mkdir -p "$root"
root=$(realpath "$root")
[ -z "$(ls -A "$root")" ] || { echo "build-rootfs.sh: $root is not empty" >&2; exit 2; }
[ "$(id -u)" = 0 ] || { echo "build-rootfs.sh: must run as root, to give capabilities to programs" >&2; exit 2; }
for tool in dotnet setcap ldd iptables-nft-restore; do
    command -v $tool > /dev/null || { echo "build-rootfs.sh: $tool is missing" >&2; exit 2; }
done

# libraries_of FILE: which it loads, as the linker finds them.
libraries_of() { ldd "$1" 2> /dev/null | awk '$2 == "=>" && $3 ~ "^/" { print $3 } $1 ~ "^/.*[^:]$" { print $1 }' || true; }

# install_file FILE: at the same place, with what it points at, and with the libraries that it loads.
declare -A installed
install_file() {
    local file=$1 library
    [ -z "${installed[$file]:-}" ] || return 0
    installed[$file]=yes
    mkdir -p "$root$(dirname "$file")"
    cp -L --preserve=mode "$file" "$root$file"
    for library in $(libraries_of "$file"); do install_file "$library"; done
}

mkdir -p "$root"/{dev,proc,sys,tmp,run/fwclusterd,var/lib/fwcluster,etc/fwcluster/{settings,rules,tls,access},usr/{bin,sbin,lib}}
ln -s usr/bin "$root/bin"
ln -s usr/sbin "$root/sbin"
ln -s usr/lib "$root/lib"
[ ! -e /lib64 ] || { mkdir -p "$root/usr/lib64"; ln -s usr/lib64 "$root/lib64"; }
chmod 1777 "$root/tmp"

# The programs.
programs=$root/usr/lib/fwcluster
for project in FwCluster.Node FwCluster.Cli; do
    dotnet publish "$repository/src/$project" "${build[@]}" -o "$programs" >&2
done
# Of packages with libraries for many platforms, this one's; they talk English.
find "$programs" -mindepth 2 -maxdepth 2 -path '*/runtimes/*' ! -name "linux-$(case $(uname -m) in aarch64) echo arm64 ;; *) echo x64 ;; esac)" \
    ! -name linux ! -name unix -exec rm -rf {} +
find "$programs" -mindepth 1 -maxdepth 1 -type d ! -name runtimes -exec rm -rf {} +
find "$programs" -name '*.xml' -delete
ln -s ../lib/fwcluster/fwclusterd "$root/usr/bin/fwclusterd"
ln -s ../lib/fwcluster/fwctl "$root/usr/bin/fwctl"

# .NET, in the version that the programs ask for.
dotnet=$(dirname "$(readlink -f "$(command -v dotnet)")")
runtime=$(dotnet --list-runtimes | sed -n 's/^Microsoft.NETCore.App \(10\.[^ ]*\) .*/\1/p' | sort -V | tail -n 1)
for part in host/fxr shared/Microsoft.NETCore.App shared/Microsoft.AspNetCore.App; do
    mkdir -p "$root/usr/lib/dotnet/$part"
    cp -r "$dotnet/$part/$runtime" "$root/usr/lib/dotnet/$part/"
done
mkdir -p "$root/etc/dotnet"
echo /usr/lib/dotnet > "$root/etc/dotnet/install_location"

# iptables, and what .NET loads when it needs it: TLS and, for mirrors, libpcap. chown is for the volumes of the node.
for file in $(find "$programs" "$root/usr/lib/dotnet" -type f \( -name '*.so' -o -perm -111 \)); do
    for library in $(libraries_of "$file"); do
        case $library in "$root"/*) ;; *) install_file "$library" ;; esac
    done
done
for library in libssl.so.3 libcrypto.so.3 libpcap.so.0.8 libnss_files.so.2 libnss_dns.so.2; do
    file=$(ldconfig -p | sed -n "s|^\s*$library .*x86-64.* => ||p; s|^\s*$library .*AArch64.* => ||p" | head -n 1)
    [ -z "$file" ] || install_file "$file"
done
install_file "$(readlink -f "$(command -v chown)")"
nft=$(readlink -f "$(command -v iptables-nft-restore)")
install_file "$nft"
for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
    ln -sf "$nft" "$root/usr/sbin/$name"
done
for file in "$(dirname "$(find /usr/lib -name libxt_standard.so | head -n 1)")"/*.so; do install_file "$file"; done

# Who is neither root nor has ambient capabilities, as in Kubernetes, gets them by the file that he starts: the gateway, and iptables, which it
# starts. fwclusterd itself has none, so that it starts where none may be had.
cp "$programs/fwclusterd" "$programs/fwclusterd-gateway"
setcap cap_net_admin,cap_net_raw+ep "$programs/fwclusterd-gateway"
setcap cap_net_admin,cap_net_raw+ep "$root$nft"

cat > "$root/etc/passwd" << PASSWD
root:x:0:0:root:/:/sbin/nologin
fwcluster:x:64053:64053:FwCluster firewall:/:/sbin/nologin
PASSWD
printf 'root:x:0:\nfwcluster:x:64053:\n' > "$root/etc/group"
touch "$root"/etc/{hosts,hostname,resolv.conf} # whoever runs it mounts his own over these
echo "multi on" > "$root/etc/host.conf"
echo "hosts: files dns" > "$root/etc/nsswitch.conf"
chown -R 64053:64053 "$root/var/lib/fwcluster" "$root/run/fwclusterd"

# What is in it: NuGet's packages by the programs' own lists, the distribution's by the files' owners (CycloneDX).
sbom=$root/usr/share/fwcluster/sbom.cdx.json
mkdir -p "$(dirname "$sbom")"
{
    printf '{\n  "bomFormat": "CycloneDX",\n  "specVersion": "1.5",\n  "version": 1,\n  "components": [\n'
    {
        sed -n 's|^      "\([^"/]*\)/\([^"]*\)": {$|\1 \2|p' "$programs"/*.deps.json | grep -v '^FwCluster\.\|^fwclusterd \|^fwctl ' | sort -u |
            while read -r name version; do
                printf '    {"type": "library", "name": "%s", "version": "%s", "purl": "pkg:nuget/%s@%s"}\n' "$name" "$version" "$name" "$version"
            done
        printf '    {"type": "framework", "name": "Microsoft.AspNetCore.App", "version": "%s"}\n' "$runtime"
        if command -v dpkg-query > /dev/null; then
            # Files may be known by the name that they had before /lib became a link to /usr/lib.
            printf '%s\n' "${!installed[@]}" | sed 'p; s|^/usr/lib|/lib|; t; s|^/lib|/usr/lib|' | sort -u |
                { xargs dpkg-query -S 2> /dev/null || true; } | cut -d: -f1 | sort -u |
                xargs -r dpkg-query -W -f '    {"type": "library", "name": "${Package}", "version": "${Version}", "purl": "pkg:deb/debian/${Package}@${Version}"}\n'
        fi
    } | sort -u | sed '$!s/$/,/'
    printf '  ]\n}\n'
} > "$sbom"
echo "$root: $(du -sm "$root" | cut -f1) MiB, $(grep -c purl "$sbom") packages" >&2
