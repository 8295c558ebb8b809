#!/bin/bash
# Builds everything and runs every test.
#
#   ./test.sh                  all projects in tests/ whose names end with .Tests
#   ./test.sh Packets Rules    only tests/FwCluster.Packets.Tests and tests/FwCluster.Rules.Tests
#
# Installs with apt-get what the tests use and the machine lacks. The kernel is asked in network namespaces, so the tests run as
# root (by sudo where needed); without root those tests are skipped. With CI=true a skipped test is a failure.
# The last line is "N passed, N failed, N skipped"; the exit code is 0 when nothing failed and every project ran.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# A project that takes longer than this hangs.
readonly seconds_per_project=${TEST_SECONDS_PER_PROJECT:-600}
readonly configuration=Release
readonly results=artifacts/test-results

export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 TESTINGPLATFORM_TELEMETRY_OPTOUT=1 MSBUILDDISABLENODEREUSE=1
export PATH=$PATH:/usr/sbin:/sbin

passed=0 failed=0 skipped=0 broken=0
finish() {
    local status=$?
    jobs -p | xargs -r kill 2> /dev/null || true
    [ "$broken" = 0 ] || status=1
    [ "$failed" = 0 ] || status=1
    if [ "$skipped" != 0 ] && [ "${CI:-}" = true ]; then
        echo "CI=true: a skipped test is a failure"
        status=1
    fi
    echo "$passed passed, $failed failed, $skipped skipped"
    exit "$status"
}
trap finish EXIT
trap 'broken=1; exit 130' INT TERM HUP

as_root=()
if [ "$(id -u)" != 0 ] && command -v sudo > /dev/null; then as_root=(sudo); fi

# What the tests start, and the package that has it.
readonly tools="ip:iproute2 ss:iproute2 iptables:iptables ip6tables-restore:iptables conntrack:conntrack ipset:ipset ethtool:ethtool
    tcpdump:tcpdump tshark:tshark editcap:wireshark-common vsftpd:vsftpd ftp:tnftp curl:curl lftp:lftp openssl:openssl
    node:nodejs npm:npm ping:iputils-ping traceroute:traceroute unshare:util-linux /usr/bin/python3:python3 go:golang-go setcap:libcap2-bin"

# What the renderer of the Helm chart is made of.
readonly go_packages="github.com/Masterminds/sprig:golang-github-masterminds-sprig-dev sigs.k8s.io/yaml:golang-k8s-sigs-yaml-dev
    github.com/xeipuuv/gojsonschema:golang-github-xeipuuv-gojsonschema-dev"

missing_packages() {
    local tool
    for tool in $tools; do
        command -v "${tool%%:*}" > /dev/null || echo "${tool##*:}"
    done
    for tool in $go_packages; do
        [ -d "/usr/share/gocode/src/${tool%%:*}" ] || echo "${tool##*:}"
    done
    ldconfig -p | grep -q 'libpcap\.so' || echo libpcap0.8
}

install_packages() {
    local packages policy=/usr/sbin/policy-rc.d
    packages=$(missing_packages | sort -u | xargs)
    [ -n "$packages" ] || return 0
    if ! command -v apt-get > /dev/null || { [ "$(id -u)" != 0 ] && [ ${#as_root[@]} = 0 ]; }; then
        echo "test.sh: not installed, and cannot be installed from here: $packages"
        return 0
    fi
    echo "== Installing $packages"
    # The FTP server is started by tests, in namespaces; the machine itself must not start to serve.
    local made_policy=
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy > /dev/null
        "${as_root[@]}" chmod 755 $policy
        made_policy=yes
    fi
    local status=0
    "${as_root[@]}" apt-get update -q < /dev/null > /dev/null || status=$?
    # shellcheck disable=SC2086 # one word a package
    [ $status != 0 ] || "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq -y --no-install-recommends $packages < /dev/null > /dev/null || status=$?
    [ -z "$made_policy" ] || "${as_root[@]}" rm -f $policy
    case " $packages " in
        *" vsftpd "*) if [ -d /run/systemd/system ]; then "${as_root[@]}" systemctl -q disable vsftpd || true; fi ;;
    esac
    return $status
}

# FTP servers that cannot be installed beside vsftpd, and Prometheus' checker. Without them their tests are skipped.
unpack_tools() {
    mkdir -p artifacts
    "${as_root[@]}" tests/FwCluster.EndToEnd.Tests/unpack-servers.sh || echo "test.sh: the FTP servers beside vsftpd could not be fetched"
    "${as_root[@]}" tests/FwCluster.Node.Tests/unpack-promtool.sh || echo "test.sh: promtool could not be fetched"
}

# attribute NAME FILE: of the <assembly> element of an xunit result file.
attribute() { grep -o '<assembly [^>]*' "$2" | grep -o " $1=\"[^\"]*\"" | head -n 1 | cut -d'"' -f2; }

# execute PROJECT: runs its tests; leaves the result, the exit code and the seconds it took in $results.
execute() {
    local name=$1 program=tests/$1/bin/$configuration/net10.0/$1 started status=0
    echo "== $name"
    started=$(date +%s)
    rm -f "$results/$name".{xml,status,seconds}
    if [ -x "$program" ]; then
        # As root, with the caller's .NET.
        "${as_root[@]}" env "PATH=$PATH" "DOTNET_ROOT=$dotnet_root" "CI=${CI:-}" "FWCLUSTER_TEST_SECONDS=${FWCLUSTER_TEST_SECONDS:-}" timeout -k 10 "$seconds_per_project" \
            "$program" -noLogo -noColor -result-xml "$results/$name.xml" < /dev/null || status=$?
        echo $status > "$results/$name.status"
    fi
    echo $(($(date +%s) - started)) > "$results/$name.seconds"
}

# account PROJECT: adds up what execute left.
account() {
    local name=$1 result=$results/$1.xml status=- total problem=
    if [ -e "$results/$name.status" ]; then status=$(cat "$results/$name.status"); fi
    if [ "$status" = - ]; then
        problem="was not built: is it in FwCluster.sln?"
    elif [ "$status" = 124 ]; then
        problem="did not end within $seconds_per_project s"
    elif [ ! -s "$result" ] || ! total=$(attribute total "$result"); then
        problem="ended with code $status and without a result"
    elif [ "$total" = 0 ]; then
        problem="has no tests"
    else
        passed=$((passed + $(attribute passed "$result")))
        failed=$((failed + $(attribute failed "$result") + $(attribute errors "$result")))
        skipped=$((skipped + $(attribute skipped "$result")))
        if [ "$status" != 0 ] && [ "$(attribute failed "$result")$(attribute errors "$result")" = 00 ]; then
            problem="ended with code $status though no test failed"
        fi
    fi
    if [ -n "$problem" ]; then
        echo "test.sh: $name $problem"
        broken=1
    fi
    timing+=("$(printf '%5d s  %s%s' "$(cat "$results/$name.seconds")" "$name" "${problem:+  ($problem)}")")
}

# two_at_a_time PROJECT...: each begins when one of those before it has ended, and what it says comes as a whole when it has.
two_at_a_time() {
    local project running=0
    for project; do
        if [ $running = 2 ]; then
            wait -n || true
            running=1
        fi
        (
            said=$(execute "$project" 2>&1)
            echo "$said"
        ) &
        running=$((running + 1))
    done
    wait
}

install_packages
unpack_tools

dotnet_root=$(dirname "$(readlink -f "$(command -v dotnet)")")
echo "== Building"
timing=()
started=$(date +%s)
# One compiler for all projects, which is warm after the first ones.
dotnet build FwCluster.sln -c $configuration -v quiet --nologo -nodeReuse:false -p:UseSharedCompilation=true < /dev/null
dotnet build-server shutdown --vbcscompiler > /dev/null < /dev/null || true
timing+=("$(printf '%5d s  build' $(($(date +%s) - started)))")

mkdir -p "$results"
if [ $# = 0 ]; then
    projects=(tests/*.Tests/)
else
    projects=()
    for word in "$@"; do
        word=${word#FwCluster.}
        projects+=("tests/FwCluster.${word%.Tests}.Tests/")
    done
fi
# Projects that ask the kernel and measure, or have clusters whose nodes must hear of each other in time, run alone; of the others two at a
# time, and those first that take longest.
alone=() first=() later=()
for project in "${projects[@]}"; do
    project=$(basename "$project")
    case ${project#FwCluster.} in
        Cluster.Tests | EndToEnd.Tests | Node.Tests) alone+=("$project") ;;
        Differential.Tests | Rules.Tests | Fuzz.Tests | Capture.Tests) first+=("$project") ;;
        *) later+=("$project") ;;
    esac
done
two_at_a_time "${first[@]}" "${later[@]}"
for project in "${alone[@]}"; do execute "$project"; done
for project in "${first[@]}" "${later[@]}" "${alone[@]}"; do account "$project"; done

echo "== Time"
printf '%s\n' "${timing[@]}"
