#!/bin/bash
# Tries the NuGet packages: packs them, and builds and runs a program outside of the repository that has them from a folder.
#
#   packaging/test-libraries.sh [OPTION OF dotnet pack...]     --no-build where the repository is built
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(realpath "$here/..")
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 MSBUILDDISABLENODEREUSE=1
fail() { echo "test-libraries.sh: $*" >&2; exit 1; }
# setting NAME FILE: of <NAME>value</NAME>, or of Include="NAME" Version="value".
setting() { sed -n "s/.*<$1>\(.*\)<.*/\1/p; s/.*Include=\"$1\" Version=\"\([^\"]*\)\".*/\1/p" "$repository/$2" | head -n 1; }
# has ARCHIVE FILE...
has() {
    local archive=$1 listing file
    listing=$(python3 -m zipfile -l "$archive")
    shift
    for file in "$@"; do grep -q "^$file " <<< "$listing" || fail "$archive has no $file"; done
}
version=$(setting VersionPrefix Directory.Build.props)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$here/pack-libraries.sh" "$work/feed" "$@"
for library in Packets Conntrack Rules Api; do
    package=$work/feed/FwCluster.$library.$version
    has "$package.nupkg" README.md "lib/net10.0/FwCluster.$library.dll" "lib/net10.0/FwCluster.$library.xml"
    has "$package.snupkg" "lib/net10.0/FwCluster.$library.pdb"
done

# A place of its own for what is restored, or another build's package of this version would be taken; what others publish may come from the usual one.
mkdir "$work/program"
cp "$here"/library-example/* "$work/program"
cat > "$work/program/nuget.config" << CONFIG
<configuration>
  <packageSources><add key="feed" value="$work/feed" /></packageSources>
</configuration>
CONFIG
cd "$work/program"
NUGET_PACKAGES=$work/packages dotnet build -c Release -v quiet --nologo --disable-build-servers -o "$work/out" -p:FwClusterVersion="$version" \
    -p:GrpcVersion="$(setting Grpc.Net.Client Directory.Packages.props)" -p:RestoreFallbackFolders="$HOME/.nuget/packages" < /dev/null
printed=$("$work/out/library-example")
expected='New Accept by rule 1, 1 packet, 1 connection
fwcluster.v1.RulesetService'
[ "$printed" = "$expected" ] || fail "the program printed: $printed"
echo "test-libraries.sh: passed"
