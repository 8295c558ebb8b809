#!/bin/bash
# Makes the man pages from what the programs say of themselves: fwctl.1 from the help of every command, fwclusterd.8 from the daemon's help and
# manual, fwclusterd.yaml.5 from the documented settings.
#
#   packaging/make-man.sh FWCLUSTERD FWCTL VERSION DIRECTORY
set -euo pipefail

fwclusterd=$1 fwctl=$2 version=$3 directory=$4
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
date=$(date -u -d "@${SOURCE_DATE_EPOCH:-$(git -C "$here" log -1 --format=%ct 2> /dev/null || date +%s)}" +%Y-%m-%d)
mkdir -p "$directory"

# Text as roff shows it: a backslash is an escape, and a dot or quote at the beginning of a line a request.
escape() { sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^\([.']\)/\\\\\&\1/"; }

title() { printf '.TH %s %s %s "FwCluster %s" "FwCluster"\n.nh\n.ad l\n.SH NAME\n%s\n' "$1" "$2" "$date" "$version" "$3"; }

# The sections of a help text, "Options:" and what is indented below it; the description as running text. LEVEL is SH, or SS where the page has more than one help.
sections() {
    escape | awk -v level="$1" '
        /^[A-Z][A-Za-z ]*:$/ {
            if (open) print ".fi"
            name = substr($0, 1, length($0) - 1)
            print "." level " " (level == "SH" ? toupper(name) : name)
            open = name != "Description"
            if (open) print ".nf"
            next
        }
        { sub(/^  /, ""); if (open || $0 != "") print }
        END { if (open) print ".fi" }'
}

# Every command's words, the program's own first: its "Commands:" are one word each.
commands() {
    local word
    echo "$*"
    "$fwctl" "$@" --help | awk '/^Commands:/ { on = 1; next } /^[A-Z]/ { on = 0 } on && NF { print $1 }' | while read -r word; do commands "$@" "$word"; done
}

{
    title FWCTL 1 'fwctl \- client of the FwCluster firewall'
    "$fwctl" --help | sections SH
    commands | tail -n +2 | while read -r words; do
        printf '.SH FWCTL %s\n' "$(escape <<< "${words^^}")"
        # shellcheck disable=SC2086 # one word each
        "$fwctl" $words --help | sections SS
    done
    printf '.SH FILES\n.TP\n.I ~/.config/fwcluster/fwctl.yaml\nContexts: where control planes are, and who calls.\n.SH SEE ALSO\n.BR fwclusterd (8)\n'
} > "$directory/fwctl.1"

{
    title FWCLUSTERD 8 'fwclusterd \- daemon of the FwCluster firewall'
    "$fwclusterd" --help | sections SH
    cat << 'ROFF'
.SH SIGNALS
.TP
.B SIGHUP
Reads rules, helpers, and the settings of log and drops again: all, or, where something is wrong, nothing.
.TP
.BR SIGTERM , SIGINT
Removes the divert rules and ends.
.SH EXIT STATUS
.TP
.B 0
It was asked to stop.
.TP
.B 1
The command line, a setting or a rule file is wrong.
.TP
.B 2
The kernel refused something, or broke off.
.SH FILES
.TP
.I /etc/fwcluster/fwclusterd.yaml
The configuration:
.BR fwclusterd.yaml (5).
.TP
.I /run/fwclusterd/state.sock
State and metrics, by HTTP.
.TP
.I /run/fwclusterd/control.sock
The control plane, for
.BR fwctl (1).
.TP
.I /var/lib/fwcluster
Rules that were applied, where control.directory says so.
.SH SEE ALSO
.BR fwctl (1),
.BR fwclusterd.yaml (5),
.BR iptables (8)
ROFF
} > "$directory/fwclusterd.8"

{
    title FWCLUSTERD.YAML 5 'fwclusterd.yaml \- settings of fwclusterd'
    # The comment above a setting is what it means; the text before the first one is what all have in common.
    "$fwclusterd" --show-config | escape | awk '
        /^ *#/ { sub(/^ *# ?/, ""); sub(/^\./, "\\\\\\&."); comment = comment (comment == "" ? "" : "\n") $0; next }
        /^ *$/ { if (!begun) { print ".SH DESCRIPTION"; print comment; print ".SH SETTINGS"; begun = 1 } comment = ""; next }
        {
            match($0, /^ */); depth = RLENGTH / 2
            key = $1; sub(/:$/, "", key)
            value = $0; sub(/^[^:]*: */, "", value)
            path[depth] = key; full = path[0]
            for (i = 1; i <= depth; i++) full = full "." path[i]
            if (value == "") next # a section
            print ".TP"
            gsub(/"/, "", value)
            print ".BR " full " \" (" (value == "" ? "empty" : value) ")\""
            if (comment != "") { last = comment; print comment } else print "See above."
            comment = ""
        }'
    printf '.SH SEE ALSO\n.BR fwclusterd (8)\n'
} > "$directory/fwclusterd.yaml.5"
