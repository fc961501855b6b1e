#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Verbs of xenpod that ask the supervisor for one thing: pause, resume, kill, wait, inspect, logs, events. Beside a
# supervisor on the simulated world; needs root, no Xen. The last line is `N passed, N failed`.
set -u

# shellcheck source-path=SCRIPTDIR source=statuskit.bash
. "$(dirname "$0")/statuskit.bash"
A=aaaa0001-3333-4444-8555-666666666666
B=bbbb0001-3333-4444-8555-666666666666
C=bbbb0002-3333-4444-8555-666666666666
xenpod() { tool "$1" "$2" "$bin/xenpod" "${@:3}"; }
# refused WHAT TEXT ARGS...: 254, and one line that says TEXT.
refused() {
	xenpod "$1" 254 "${@:3}"
	same "$1: one line, nothing on stdout" "1 0" "$(wc -l <"$T/err") $(wc -c <"$T/out")"
	same "$1: says \"$2\" ($(cat "$T/err"))" 1 "$(grep -cF -- "$2" "$T/err")"
}
word() { "$bin/xenpod-status" --json "$1" | python3 -c 'import json, sys; print(json.load(sys.stdin)["pod"]["word"])' 2>/dev/null; }
# A journalctl that tells what it was asked.
mkdir "$T/bin"
printf '#!/bin/sh\nprintf "[%%s]" "$@"\nexit 7\n' >"$T/bin/journalctl"
chmod 755 "$T/bin/journalctl"
PATH=$T/bin:$PATH

# ---- whatever is wrong: one line, and nothing happens ------------------------------------------------

for verb in pause resume kill logs inspect; do
	refused "$verb: no pod named" "needs the UUID of" $verb
	refused "$verb: no such option" "is not known here" $verb --nope
	xenpod "$verb: help" 0 $verb --help
	has "$verb: help" "^Usage: xenpod $verb "
	has "$verb: help" "^Exit status"
done
for verb in pause resume kill; do
	refused "$verb: no supervisor, no store" "the supervisor does not answer" $verb $A
	runuser -u nobody -- "$bin/xenpod" $verb $A >"$T/out" 2>"$T/err"
	same "$verb: not root" 1 "$(grep -c 'needs root' "$T/err")"
done
refused "a verb that is none" 'there is no verb "puase"; did you mean "pause"?' puase
refused "a verb that is like none" 'there is no verb "remove" (xenpod --help' remove

# ---- with pods ------------------------------------------------------------------------------------------

supervise
accept $A=forever $B=forever $C=exit,3,after,200ms
# shellcheck disable=SC2016
wait_for '[ "$(word $A) $(word $B) $(word $C)" = "running running exited" ]'
for verb in pause resume kill; do
	refused "$verb: no such pod" "cccc" $verb cccc
	refused "$verb: more than one" "bbbb" $verb bbbb
done
refused "pause: one that has ended" "not possible now" pause $C
refused "resume: one that runs" "not possible now" resume $A
xenpod "pause: two of them, one by its beginning" 0 pause aaaa $B
same "pause: each is named" "$A $B" "$(paste -sd' ' "$T/out")"
# shellcheck disable=SC2016
wait_for '[ "$(word $A) $(word $B)" = "paused paused" ]'
xenpod "pause: at once nothing differs" 0 inspect $A
xenpod "resume: the other two are tried all the same" 254 resume cccc $A $B
same "resume: each that did" "$A $B" "$(paste -sd' ' "$T/out")"
# shellcheck disable=SC2016
wait_for '[ "$(word $A) $(word $B)" = "running running" ]'
xenpod "resume: at once nothing differs" 0 inspect $A
xenpod "wait: not longer" 6 wait --timeout=1 $A
xenpod "kill" 0 kill $B
xenpod "wait: until it has ended" 0 wait --timeout=120 $B
same "kill: it was by force" "killed" "$("$bin/xenpod-status" --json $B | python3 -c 'import json, sys; print(json.load(sys.stdin)["pod"]["cause"])')"
xenpod "kill: one that has ended" 0 kill $C
xenpod "inspect" 0 inspect aaaa
valid show
same "inspect: that pod" $A "$(member "$T/out" 'd["pod"]["uuid"]')"
xenpod "inspect: no such pod" 1 inspect cccc

# ---- logs -------------------------------------------------------------------------------------------------

xenpod "logs: journalctl's exit status" 7 logs aaaa
same "logs: both streams" "[--quiet][--output=cat][XENPOD_UUID=$A][XENPOD_STREAM=stdout][XENPOD_STREAM=stderr]" "$(cat "$T/out")"
xenpod "logs: options" 7 logs -f -n 5 --since=-1h --until=now -o json --app=web --stream=stderr $A
same "logs: options" "[--quiet][--follow][--lines=5][--since=-1h][--until=now][--output=json][XENPOD_UUID=$A][XENPOD_APP=web][XENPOD_STREAM=stderr]" \
	"$(cat "$T/out")"
xenpod "logs: all" 7 logs --all $A
same "logs: all" "[--quiet][--output=cat][XENPOD_UUID=$A]" "$(cat "$T/out")"
refused "logs: of no stream" '--stream is stdout or stderr, not "both"' logs --stream=both $A
refused "logs: of two pods" "the UUID of one pod" logs $A $B
refused "logs: no such pod" "cccc" logs cccc
xenpod "logs: a removed pod, by its whole UUID" 7 logs cccc0001-3333-4444-8555-666666666666

# ---- events -----------------------------------------------------------------------------------------------

history() { "$bin/xenpod-status" --history --json "$@" | python3 -c 'import json, sys; print(*[h["seq"] for h in json.load(sys.stdin)["history"]])'; }
seqs() { python3 -c 'import json, sys; print(*[json.loads(l)["seq"] for l in sys.stdin])'; }
xenpod "events: help" 0 events --help
has "events: help" "^Usage: xenpod events "
has "events: help" "^Exit status"
refused "events: no such option" "option --folow is not known here, --follow is" events --folow
xenpod "events: no number" 254 events --since=x
same "events: no number" "xenpod-status: --since=x: a whole number is wanted, or \"oldest\"" "$(cat "$T/err")"
xenpod "events: no such pod" 1 events cccc
xenpod "events: all" 0 events
cp "$T/out" "$T/all"
has "events: a line" '^20[0-9-]+ [0-9:.]+ +[0-9]+ bbbb0002 collected +collecting -> exited  finished$'
same "events: as many as the history has" "$(history | wc -w)" "$(wc -l <"$T/all")"
same "events: nothing but lines" 0 "$(grep -vcE '^20[0-9-]+ [0-9:.]+ +[0-9]+ [a-f0-9]{8} [a-z-]+ +[a-z]+ +-> [a-z]+(  [a-z-]+)?$' "$T/all")"
xenpod "events: JSON of one pod, options behind it" 0 events aaaa --json --since=3
same "events: JSON of one pod" "$(history --since=3 $A)" "$(seqs <"$T/out")"
head -n 1 "$T/out" >"$T/line"
valid line "$T/line"
xenpod "events: whole UUIDs" 0 events --full aaaa
has "events: whole UUIDs" " $A "
# Followed: what is kept, then what comes, each once.
"$bin/xenpod" events -f --json >"$T/followed" 2>"$T/followed.err" &
clients="$clients $!"
"$bin/xenpod" events --follow --since=4 aaaa bbbb0001 >"$T/some" 2>&1 &
clients="$clients $!"
# shellcheck disable=SC2016
wait_for '[ "$(wc -l <"$T/followed")" -ge "$(wc -l <"$T/all")" ]'
xenpod "pause: while somebody follows" 0 pause $A
# shellcheck disable=SC2016
wait_for 'grep -q "\"to\":\"paused\"" <(tail -n 1 "$T/followed") && grep -q -- "-> paused$" <(tail -n 1 "$T/some")'
same "events: followed from the oldest on, none twice" "$(history)" "$(seqs <"$T/followed")"
same "events: followed from a number on, of two pods" "$(history --since=4 $A $B)" \
	"$(awk '{ print $3 }' "$T/some" | paste -sd' ')"
python3 "$top/tests/contract/onpty.py" 80 24 2 -- "$bin/xenpod" events -f --since=2 aaaa >"$T/out"
same "events: on a terminal, too, until interrupted" 130 $?
same "events: on a terminal: lines, nothing is drawn" "$(history --since=2 $A) 0" \
	"$(tr -d '\r^C' <"$T/out" | awk 'NF > 5 { print $3 }' | paste -sd' ') $(grep -c $'\x1b' "$T/out")"
sqlite3 "$XENPOD_STATE_DIR/store.db" 'DELETE FROM history WHERE seq <= 7'
xenpod "events: what is not kept any more" 0 events --since=3
same "events: what is not kept any more" "events 4 to 7 are missing: they are not kept any more 8" \
	"$(sed -n 1p "$T/out") $(awk 'NR == 2 { print $3 }' "$T/out")"
xenpod "events: what is not kept any more, as JSON" 0 events --since=3 --json
same "events: what is not kept any more, as JSON" '{"gap":{"first":4,"last":7}}' "$(head -n 1 "$T/out")"
xenpod "events: all that is kept" 0 events --json
same "events: all that is kept" 8 "$(head -n 1 "$T/out" | seqs)"
timeout 2 "$bin/xenpod" events -f --json >"$T/out" 2>&1
same "events: followed: all that is kept" 8 "$(head -n 1 "$T/out" | seqs)"

kill "$daemon"
wait "$daemon" 2>/dev/null
daemon=
xenpod "events: without a supervisor" 0 events --json
same "events: without a supervisor" "8 $(history 2>/dev/null | wc -w)" "$(head -n 1 "$T/out" | seqs) $(wc -l <"$T/out")"
same "events: without a supervisor: says so" 1 "$(grep -c 'this is from' "$T/err")"
xenpod "logs: without a supervisor" 7 logs aaaa
finish
