#!/bin/bash
# Packs the libraries that others may use as NuGet packages, with symbols beside them.
#
#   packaging/pack-libraries.sh [DIRECTORY] [OPTION OF dotnet pack...]     artifacts/packages of the repository where none is named
set -euo pipefail

repository=$(realpath "$(dirname "${BASH_SOURCE[0]}")/..")
output=${1:-$repository/artifacts/packages}
[ $# = 0 ] || shift
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 MSBUILDDISABLENODEREUSE=1
for library in Packets Conntrack Rules Api; do
    dotnet pack "$repository/src/FwCluster.$library" -c Release -o "$output" -v quiet --nologo "$@" < /dev/null
done
