#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Verbs of xenpod that ask the supervisor for one thing: pause, resume, kill, wait, inspect, logs. Beside a
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
kill "$daemon"
wait "$daemon" 2>/dev/null
daemon=
xenpod "logs: without a supervisor" 7 logs aaaa
finish
