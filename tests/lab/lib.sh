# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What every lab scenario uses: Dom-0 from the host, waiting with an end, results as TAP lines, and
# the comparison of what is in Dom-0 before and after. A scenario is a bash script that sources this
# file and ends with `finish`; its head says `# TIER: core|full`, `# PODS: n` and, where the default
# of 900 s is not right, `# LIMIT: seconds`.
set -uo pipefail

lab_dir=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
top=$(realpath "$lab_dir/../..")
xenlab=$lab_dir/xenlab
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# A part of a scenario that runs in Dom-0 counts on (pods.sh).
passed=${PASSED:-0}
failed=${FAILED:-0}

# ---- results --------------------------------------------------------------------------------

# ok DESCRIPTION, not_ok DESCRIPTION [DETAILS]
ok() {
	passed=$((passed + 1))
	echo "ok $((passed + failed)) - $1"
}

not_ok() {
	failed=$((failed + 1))
	echo "not ok $((passed + failed)) - $1"
	[ -z "${2-}" ] || printf '# %s\n' "${2//$'\n'/$'\n'# }"
}

# check DESCRIPTION COMMAND...: the command succeeds; what it prints is shown when it does not.
check() {
	local what=$1 out rc=0

	shift
	out=$("$@" 2>&1) || rc=$?
	if [ $rc -eq 0 ]; then
		ok "$what"
	else
		not_ok "$what" "$* -> exit code $rc"$'\n'"$out"
	fi
}

# check_not DESCRIPTION COMMAND...: the command fails.
check_not() {
	local what=$1 out

	shift
	if out=$("$@" 2>&1); then
		not_ok "$what" "$* succeeded"$'\n'"$out"
	else
		ok "$what"
	fi
}

# expect_eq DESCRIPTION GOT WANTED
expect_eq() {
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1" "got:    $2"$'\n'"wanted: $3"
	fi
}

# expect_match DESCRIPTION TEXT ERE: the extended regular expression is somewhere in the text.
expect_match() {
	if [[ $2 =~ $3 ]]; then
		ok "$1"
	else
		not_ok "$1" "text:   $2"$'\n'"wanted: $3"
	fi
}

# Lines that docs/INSTALL.md shows below a prompt with COMMAND, or one that begins with it.
shown_in_docs() { # COMMAND
	local page=$top/docs/INSTALL.md

	[ -e "$page" ] || page=$lab_dir/INSTALL.md # in Dom-0 (parts.sh)
	awk -v typed="# $1" '/^```/ || /^# / { on = $0 == typed || index($0, typed " ") == 1; next }
		on && !/^(\[\.\.\.\])?$/' "$page"
}

# documented COMMAND FILE [SED]: each line that docs/INSTALL.md shows of COMMAND is in FILE, whatever numbers are in
# it. SED changes those lines before, or deletes them, where the scenario is not what the page has done.
documented() {
	local alike='s/\(Debian [^)]*\)//g; s/[0-9]+(\.[0-9]+)*/N/g; s/ +/ /g; s/ $//'

	shown_in_docs "$1" | sed -E -e "${3-}" -e "$alike" >"$scratch/shown"
	sed -E "$alike" "$2" >"$scratch/came"
	check "docs/INSTALL.md shows something of: $1" test -s "$scratch/shown"
	expect_eq "what docs/INSTALL.md shows of: $1" "$(grep -vxFf "$scratch/came" "$scratch/shown")" ''
}

# The last line of every scenario.
finish() {
	echo "1..$((passed + failed))"
	echo "$passed passed, $failed failed"
	[ "$failed" -eq 0 ]
	exit
}

# A scenario that cannot go on: counts as one failure, then ends.
bail() {
	not_ok "$1" "${2-}"
	finish
}

# ---- Dom-0 ----------------------------------------------------------------------------------

# lab_run LINE | WORDS...: in Dom-0, without stdin. lab_in: the same with our stdin.
lab_run() {
	"$xenlab" run "$@" </dev/null
}

lab_in() {
	"$xenlab" run "$@"
}

lab_put() {
	"$xenlab" put "$1" "$2"
}

lab_get() {
	"$xenlab" get "$1" "$2"
}

# wait_for SECONDS LINE: until the shell line succeeds in Dom-0; asked there, five times a second.
# The seconds are a ceiling for a slow machine, not a measurement.
wait_for() {
	lab_run "end=\$((SECONDS + $1)); until { $2"$'\n'"} >/dev/null 2>&1; do
		[ \$SECONDS -lt \$end ] || exit 1; sleep 0.2; done"
}

# expect_soon DESCRIPTION SECONDS LINE
expect_soon() {
	if wait_for "$2" "$3"; then
		ok "$1"
	else
		not_ok "$1" "not within $2 s: $3"
	fi
}

# The uncompressed kernel on the host, made when missing; prints its path.
lab_kernel() {
	local out=$top/build/guest/vmlinux

	mkdir -p "$(dirname "$out")"
	[ "$out" -nt "$lab_dir/kernel.sh" ] || "$lab_dir/kernel.sh" "$out" || return
	echo "$out"
}

# ---- what is in Dom-0 -----------------------------------------------------------------------

# Everything a pod could leave behind, one thing a line, without what changes by itself (ids of
# processes, values, times; our own scratch). leftovers.py runs in Dom-0.
leftovers_list() {
	lab_in python3 -IS - <"$lab_dir/leftovers.py" | grep -vF " file $scratch/" | grep -Ev "${LEFTOVERS_IGNORE:-^$}"
}

# leftovers_snapshot [NAME]: what is there now.
leftovers_snapshot() {
	leftovers_list >"$scratch/leftovers-${1-base}"
}

# leftovers_diff [NAME [SECONDS]]: nothing printed and 0 when Dom-0 holds what it held, soon enough.
leftovers_diff() {
	local name=${1-base} end=$((SECONDS + ${2-60})) list

	while :; do
		list=$(leftovers_list)
		! diff "$scratch/leftovers-$name" <(echo "$list") >/dev/null || return 0
		[ $SECONDS -lt $end ] || break
		sleep 1
	done
	diff "$scratch/leftovers-$name" <(echo "$list") | grep '^[<>]'
	return 1
}

# expect_nothing_left DESCRIPTION [NAME [SECONDS]]
expect_nothing_left() {
	check "$1" leftovers_diff "${@:2}"
}
