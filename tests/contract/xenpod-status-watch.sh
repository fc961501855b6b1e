#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `xenpod-status --watch`: a line for each event, none twice and none missing across restarts of the supervisor
# and without one; what is missing is told; on a terminal a table that lives. Needs root, no Xen.
# The last line is `N passed, N failed`.
set -u

# shellcheck source-path=SCRIPTDIR source=statuskit.bash
. "$(dirname "$0")/statuskit.bash"
A=aaaa0001-3333-4444-8555-666666666666
B=bbbb0001-3333-4444-8555-666666666666
C=cccc0001-3333-4444-8555-666666666666
N=3333ffff-3333-4444-8555-666666666666
watchers=
trap 'kill $watchers 2>/dev/null; cleanup' EXIT
# watch FILE ARGS...: until the suite ends.
watch() {
	local file=$1
	shift
	"$bin/xenpod-status" --watch "$@" >"$T/$file" 2>"$T/$file.err" &
	watchers="$watchers $!"
}
# lives COLUMNS ROWS SECONDS[:TEXT] KEYS ARGS...: on a terminal; what it wrote is in $T/out
lives() {
	local columns=$1 rows=$2 seconds=$3 keys=$4
	shift 4
	TERM=xterm python3 "$top/tests/contract/onpty.py" "$columns" "$rows" "$seconds" ${keys:+"$keys"} -- \
		"$bin/xenpod-status" --watch "$@" >"$T/out"
}
# What the terminal showed at last while it was drawn, and how long its longest line was.
last_page() {
	python3 -c 'import re,sys
drawn = open(sys.argv[1], newline="").read().replace("\r", "").split("\033[?1049l")[0]
print(re.sub(r"\033\[[0-9;?]*[a-zA-Z]", "", drawn.split("\033[H")[-1]), end="")' "$T/out"
}
longest() { tr -d '\r' <"$T/out" | sed 's/\x1b\[[0-9;?]*[a-zA-Z]//g' | awk '{ if (length($0) > n) n = length($0) } END { print n + 0 }'; }
numbers() { python3 -c 'import json,sys; print(*[json.loads(l)["seq"] for l in open(sys.argv[1]) if "gap" not in json.loads(l)])' "$T/$1"; }
whole() { # FILE: numbers follow each other from 1
	python3 -c 'import sys; n = sys.argv[1].split(); print(n == [str(i) for i in range(1, len(n) + 1)])' "$(numbers "$1")"
}

status "nobody to ask" 4 --watch
same "nobody to ask: one line" 1 "$(wc -l <"$T/err")"
lives 80 24 5 ""
same "nobody to ask, on a terminal: exit status" 4 $?
same "nobody to ask, on a terminal: an ordinary screen" 0 "$(grep -c '1049h' "$T/out")"
status "names are not of events" 254 --watch --name=web --json
supervise
watch all --json --since=0
watch text
watch some --json --state=running aaaa
accept $A $B=exit,3:worker
# shellcheck disable=SC2016 # wait_for expands it, each time
wait_for 'grep -q "\"to\":\"running\"" "$T/some"'
# shellcheck disable=SC2016
wait_for 'grep -q "collecting -> exited  finished" "$T/text"'
same "from the first on, each once" True "$(whole all)"
same "of one pod, in one state" "$A" \
	"$(python3 -c 'import json,sys; print(*{json.loads(l)["uuid"] for l in open(sys.argv[1])})' "$T/some")"
same "of one pod, in one state: nothing else" 1 "$(sed 's/.*"to":"\([a-z]*\)".*/\1/' "$T/some" | sort -u | wc -l)"
cp "$T/text" "$T/out"
has "a line" '^20[0-9-]+ [0-9:.]+ +[0-9]+ bbbb0001 collected +collecting -> exited  finished$'

# ---- the supervisor dies; the store is read; it comes back --------------------------------------------------

kill -9 "$daemon"
wait "$daemon" 2>/dev/null
watch stored --json --since=2
# shellcheck disable=SC2016
wait_for '[ -s "$T/stored" ]'
same "from the store: after that number" "3 4" "$(numbers stored | cut -d' ' -f1,2)"
# shellcheck disable=SC2016
wait_for '[ -s "$T/all.err" ] && [ -s "$T/stored.err" ]'
same "from the store: says so" "1 1" \
	"$(grep -c 'this is from' "$T/stored.err") $(grep -c 'this is from' "$T/all.err")"
supervise
accept $C=exit,0
# shellcheck disable=SC2016
wait_for 'grep -q "\"uuid\":\"'$C'\".*\"to\":\"exited\"" "$T/all"'
same "across the restart: none twice, none missing" True "$(whole all)"
# shellcheck disable=SC2016
wait_for '[ "$(tail -n 1 "$T/all")" = "$(tail -n 1 "$T/stored")" ]'
same "across the restart, begun without one" "3 $(numbers all | tr ' ' '\n' | tail -n 1)" \
	"$(numbers stored | tr ' ' '\n' | sed -n '1p;$p' | tr '\n' ' ' | sed 's/ $//')"

# ---- a table that lives --------------------------------------------------------------------------------------

accept $N
# shellcheck disable=SC2016
wait_for '"$bin/xenpod-status" 3333 2>/dev/null | grep -q "^state *running"'
lives 80 24 60:cccc0001 q
same "table: q ends it" 0 $?
same "table: its own screen, and back" "1 1" "$(grep -c '1049h' "$T/out") $(grep -c '1049l' "$T/out")"
same "table: no line is longer" True "$([ "$(longest)" -le 80 ] && [ "$(longest)" -gt 70 ] && echo True)"
last_page >"$T/page"
same "table: head and pods" "4 pods UUID" "$(sed -n '1s/.* \([0-9]* pods\).*/\1/p;2s/ .*//p' "$T/page" | tr '\n' ' ' | sed 's/ $//')"
same "table: each pod" "3333ffff aaaa0001 bbbb0001 cccc0001" \
	"$(sed -n '3,$s/ .*//p' "$T/page" | sort | tr '\n' ' ' | sed 's/^ *//; s/ $//')"
same "table: it stays when it is over" 1 "$(sed 's/.*1049l//' "$T/out" | tail -n 5 | grep -c '^cccc0001 ')"
lives 200 24 60:cccc0001 q -o uuid,state,dir --sort=uuid -r
last_page >"$T/page"
same "table: columns and order" "UUID STATE DIR cccc0001" "$(sed -n '2p;3s/ .*//p' "$T/page" | tr -s ' \n' ' ' | sed 's/ $//')"
lives 80 6 "60:and 2 more" q
same "table: of more than fit the first" "... and 2 more" "$(last_page | sed -n 5p)"
lives 80 24 60:cccc0001 ""
same "table: interrupted" 130 $?
: >"$T/out" # else what the one before has written is taken for it
lives 80 24 60:dddd0001 q &
table=$!
# shellcheck disable=SC2016
wait_for 'grep -q " 4 pods" "$T/out"'
accept dddd0001-3333-4444-8555-666666666666
wait $table
same "table: a new pod comes in" "1 1" \
	"$(grep -q ' 4 pods' "$T/out" && echo 1) $(last_page | grep -c '^dddd0001 ')"
same "table: a terminal is left as it was" 0 "$(script -qec "TERM=xterm $bin/xenpod-status --watch & sleep 1; kill \$!; sleep 0.3; stty -a" /dev/null </dev/null | grep -c -- '-icanon\|-echo ')"

lives 80 24 1 "" --lines --since=2
same "lines on a terminal: interrupted" 130 $?
same "lines on a terminal: nothing is drawn" "0 3" "$(grep -c $'\x1b' "$T/out") $(awk 'NR == 1 { print $3 }' "$T/out")"
TERM=dumb python3 "$top/tests/contract/onpty.py" 80 24 1 -- "$bin/xenpod-status" --watch --since=2 >"$T/out"
same "a dumb terminal: lines" "0 3" "$(grep -c $'\x1b' "$T/out") $(awk 'NR == 1 { print $3 }' "$T/out")"

# ---- what is not kept any more --------------------------------------------------------------------------------

kill "$daemon"
wait "$daemon" 2>/dev/null
sqlite3 "$XENPOD_STATE_DIR/store.db" 'DELETE FROM history WHERE seq <= 7'
watch gapped --json --since=3
watch gaptext --since=3
# shellcheck disable=SC2016
wait_for '[ -s "$T/gapped" ] && [ -s "$T/gaptext" ]'
same "gap, from the store" '{"gap":{"first":4,"last":7}} 8' \
	"$(head -n 1 "$T/gapped") $(numbers gapped | cut -d' ' -f1)"
head -n 1 "$T/gapped" >"$T/line"
valid line "$T/line"
sed -n 2p "$T/gapped" >"$T/line"
valid line "$T/line"
same "gap, in words" "events 4 to 7 are missing: they are not kept any more" "$(head -n 1 "$T/gaptext")"
supervise
watch gaplive --json --since=3
# shellcheck disable=SC2016
wait_for '[ -s "$T/gaplive" ]'
same "gap, from the supervisor" '{"gap":{"first":4,"last":7}} 8' \
	"$(head -n 1 "$T/gaplive") $(numbers gaplive | cut -d' ' -f1)"
status "gap, in the history" 0 --history --json --since=3
same "gap, in the history" "4 7 8" \
	"$(member "$T/out" '"%d %d %d" % (d["missing"]["first"], d["missing"]["last"], d["history"][0]["seq"])')"
same "gap, in the history: says so" 1 "$(grep -c 'events 4 to 7 are not kept any more' "$T/err")"
watch ahead --json --since=1000000
# shellcheck disable=SC2016
wait_for '[ -s "$T/ahead.err" ]'
same "a number from another store" 1 "$(grep -c 'no event 1000000 yet; going on after' "$T/ahead.err")"

finish
