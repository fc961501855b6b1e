#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The man pages: each program, verb and entrypoint has one, with the options that its --help tells and no
# other, and all its exit codes; mandoc finds no fault; what they refer to of ours exists, and `make install` installs it. Needs
# no Xen and no root. The last line is `N passed, N failed`.
set -u

top=${TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
bin=${BUILD:-$top/build/release}/bin
man=$top/docs/man
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
passed=0
failed=0

# nothing WHAT FILE: a line in FILE is a fault.
nothing() {
	if [ -s "$2" ]; then
		failed=$((failed + 1))
		printf 'FAILED: %s\n' "$1"
		sed 's/^/    /' "$2"
	else
		passed=$((passed + 1))
	fi
}

# Every option takes these two; where --help does not name them the page may.
usual() { grep -vxE -- '--(help|version)' || :; }

# Options of a summary; in examples what stands after ` -- ` is the app's.
told_options() {
	sed -e 's/ -- .*//' -e 's/--option=false//' | grep -oE -- '(^|[][ (|,=])--[a-z][a-z0-9-]+' |
		grep -oE -- '--[a-z0-9-]+' | sort -u | usual
}

# Options of a page's source, all of it or one subsection.
page_options() { # FILE [SUBSECTION]
	awk -v want="${2-}" '/^\.S[hs] / { on = want == "" || $0 == ".Ss " want } on' "$1" |
		grep -oE 'Fl -[a-z][a-z0-9-]+' | sed 's/Fl -/--/' | sort -u | usual
}

# Exit codes of a summary, and the numbers in a page's section EXIT STATUS and in one subsection.
told_codes() {
	awk '/^Exit status/ { on = 1 } on' | grep -oE '(^|[ ;,])[0-9]{1,3}([ ;,:.]|$)' | tr -dc '0-9\n' | sort -u
}
page_codes() { # FILE [SUBSECTION]
	awk -v want="${2-}" '/^\.Sh / { on = $0 == ".Sh EXIT STATUS" || want == "" }
		/^\.Ss / { on = $0 == ".Ss " want } on && !/^\.Xr /' "$1" | grep -oE '\b[0-9]{1,3}\b' | sort -u
}

# compare WHAT PAGE SUBSECTION COMMAND...
compare() {
	local what=$1 page=$2 part=$3
	shift 3
	if ! [ -e "$man/$page" ]; then
		echo "docs/man/$page is missing" >"$T/diff"
		nothing "$what has a page" "$T/diff"
		return
	fi
	if ! "$@" --help </dev/null >"$T/text" 2>"$T/err" || ! [ -s "$T/text" ]; then
		echo "no output, or an error" >"$T/diff"
		nothing "$what --help" "$T/diff"
		return
	fi
	told_options <"$T/text" >"$T/told"
	page_options "$man/$page" "$part" >"$T/page"
	comm -23 "$T/told" "$T/page" >"$T/diff"
	nothing "$what: options of --help that docs/man/$page has not ${part:+under .Ss $part}" "$T/diff"
	comm -13 "$T/told" "$T/page" >"$T/diff"
	nothing "$what: options of docs/man/$page ${part:+under .Ss $part }that --help has not" "$T/diff"
	comm -23 <(told_codes <"$T/text") <(page_codes "$man/$page" "$part") >"$T/diff"
	nothing "$what: exit codes of --help that docs/man/$page has not" "$T/diff"
}

# The section in which a program's page is.
section() {
	case $1 in
	xenpod | xenpod-status) echo 1 ;;
	*) echo 8 ;;
	esac
}

# Some help texts are summaries of verbs, each with a --help of its own.
verbs() { "$bin/xenpod" --help | awk '/^  [a-z]+ +/ && !/^  xenpod / { print $1 }'; }
verbs >"$T/verbs"
sed -n 's/^\.Ss \([a-z]*\)$/\1/p' "$man/xenpod.1" | sort >"$T/page"
sort "$T/verbs" | comm -3 - "$T/page" >"$T/diff"
nothing 'verbs: --help (left) and .Ss of docs/man/xenpod.1 (right) are the same' "$T/diff"
while read -r verb; do
	# The same program as xenpod-status, which has a page.
	[ "$verb" != status ] || continue
	compare "xenpod $verb" xenpod.1 "$verb" "$bin/xenpod" "$verb"
done <"$T/verbs"

for program in "$bin"/*; do
	program=${program##*/}
	case $program in
	xenpod) ;; # its verbs, above
	run | enter | stop | gc)
		compare "entrypoint $program" xenpod-stage1.7 "$program" "$bin/$program"
		;;
	*) compare "$program" "$program.$(section "$program")" '' "$bin/$program" ;;
	esac
done
# Each command of `xenpod host` has a page of its own.
while read -r command; do
	compare "xenpod host $command" "xenpod-host-$command.8" '' "$bin/xenpod-host" "$command"
done < <("$bin/xenpod-host" --help | awk '/^  [a-z]+ +/ { print $1 }')

# Pages of others are not installed everywhere, so references are checked for ours only.
for page in "$man"/*.[1-8]; do
	mandoc -Tlint -Wwarning "$page" >"$T/diff" 2>&1
	nothing "mandoc finds no fault in ${page##*/}" "$T/diff"
done
sed -n 's/^\.Xr \(xenpod[a-z0-9.-]*\) \([1-8]\).*/\1.\2/p' "$man"/*.[1-8] | sort -u |
	while read -r page; do
		[ -e "$man/$page" ] || echo "$page"
	done >"$T/diff"
nothing 'pages of ours that are referred to exist' "$T/diff"

# Units: each has a page or is one more name of one. Templates are told of without their instance.
for unit in "$top"/dist/systemd/*.service "$top"/dist/systemd/*.socket "$top"/dist/systemd/*.slice \
	"$top"/dist/systemd/*.target "$top"/dist/systemd/*.timer; do
	unit=${unit##*/}
	case $unit in
	'*'*) continue ;; # none of that kind
	esac
	[ -e "$man/$unit.8" ] || grep -q "^MAN_LINKS := .*$unit\|^MAN_LINKS := .*${unit%.service}.service" \
		"$top/dist/install.mk" || echo "$unit"
done >"$T/diff"
nothing 'every unit has a page or is in MAN_LINKS of dist/install.mk' "$T/diff"

# What the journal's page says is what is written.
{
	grep -rhoE '\{"(XENPOD_[A-Z_]+|MESSAGE_ID)"' "$top/src/daemon" "$top/src/stage1" "$top/src/act" | tr -d '{"'
	sed -n 's/^\tX(\([a-z0-9_]*\),.*/XENPOD_\U\1/p' "$top/src/daemon/metrics.c" # each counter
} | sort -u >"$T/told"
grep -oE 'Va (XENPOD_[A-Z0-9_]+|MESSAGE_ID)' "$man/xenpod-journal-fields.7" |
	sed 's/.*Va //' | sort -u >"$T/page"
comm -3 "$T/told" "$T/page" >"$T/diff"
nothing 'journal fields: src (left) and docs/man/xenpod-journal-fields.7 (right) are the same' "$T/diff"
comm -3 <(grep -oE '"[0-9a-f]{32}"' "$top/src/daemon/messages.h" | tr -d '"' | sort) \
	<(sed -n 's/^\.It \([0-9a-f]\{32\}\)$/\1/p' "$man/xenpod-journal-fields.7" | sort) >"$T/diff"
nothing 'MESSAGE_IDs: messages.h (left) and docs/man/xenpod-journal-fields.7 (right) are the same' "$T/diff"
# Settings of the supervisor.
"$bin/xenpodd" --check-config | grep -oE '^[A-Za-z]+=' | tr -d = | sort >"$T/told"
sed -n 's/^\.It Va //p' "$man/xenpod.conf.5" | sort | comm -3 "$T/told" - >"$T/diff"
nothing 'settings: xenpodd --check-config (left) and docs/man/xenpod.conf.5 (right) are the same' "$T/diff"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
