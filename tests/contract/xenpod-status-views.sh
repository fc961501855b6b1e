#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What `xenpod-status` can be asked for beside its plain table: columns, order, filters, history, waiting.
# Beside a real supervisor over the simulated world. Needs root, no Xen.
# The last line is `N passed, N failed`.
set -u

# shellcheck source-path=SCRIPTDIR source=statuskit.bash
. "$(dirname "$0")/statuskit.bash"
A=aaaa0001-3333-4444-8555-666666666666 # runs
B=aaaa0002-3333-4444-8555-666666666666 # ends with 3
C=bbbb0001-3333-4444-8555-666666666666 # ends for want of memory
D=cccc0001-3333-4444-8555-666666666666 # ends and is to come back
words() { tr -s ' \n' ' ' <"$T/out" | sed 's/ $//'; }
onpty() { TERM=xterm python3 "$top/tests/contract/onpty.py" "$@" | tr -d '\r'; }
longest() { sed 's/\x1b\[[0-9;?]*[a-zA-Z]//g' "$T/out" | awk '{ if (length($0) > n) n = length($0) } END { print n + 0 }'; }

# ---- usage: one line each, before anybody is asked ------------------------------------------------------

refused() { # TEXT ARGS...
	local text=$1
	shift
	status "refused: $*" 254 "$@"
	same "refused: $*: one line that says so" "1 1" "$(wc -l <"$T/err") $(grep -cF -- "$text" "$T/err")"
}
refused 'no column "nope"; there are UUID, STATE' -o uuid,nope
refused 'no column "x"' --sort=x
refused 'no state "up"; there are starting' --state=up
refused 'for the list of pods only' --history --state=running
refused 'two things' --history --health
refused '--wait needs the UUID' --wait
refused 'seconds are wanted' --wait --timeout=x $A
refused 'whole number' --history --since=x
refused 'has all there is' --json -o uuid

supervise
accept $A $B=exit,3:worker
# shellcheck disable=SC2016 # wait_for expands it, each time
wait_for '"$bin/xenpod-status" --json aaaa0002 2>/dev/null | grep -q "\"code\": 3"'
accept $C=oom:db $D=exit,1,after,1s:flaky@always
# shellcheck disable=SC2016
wait_for '[ "$("$bin/xenpod-status" --noheadings | wc -l)" = 4 ]'
status "waits for an end" 0 --wait --timeout=30 bbbb
same "waits for an end: says nothing" "0 0" "$(wc -c <"$T/out") $(wc -c <"$T/err")"
status "waits for a state that comes" 0 --wait=restarting --timeout=60 cccc

# ---- columns, order, filters -----------------------------------------------------------------------------

status "columns" 0 -o uuid,code,Apps
same "columns" "UUID CODE APPS aaaa0001 - web=running aaaa0002 3 worker=3 bbbb0001 137 db=SIGKILL cccc0001 1 flaky=1" \
	"$(words)"
status "more columns" 0 -o +memory,restart
has "more columns: the usual ones first" '^UUID +STATE +DOMID +APPS +NETWORKS +AGE +WHY +MEMORY +RESTART$'
has "more columns" '^cccc0001 +restarting \(backoff\) .*next try in [0-9]+ s +128 +always$'
status "order" 0 --noheadings -o uuid --sort=code
same "order" "aaaa0001 cccc0001 aaaa0002 bbbb0001" "$(words)"
status "other order" 0 --no-legend -o uuid -r
same "other order" "cccc0001 bbbb0001 aaaa0002 aaaa0001" "$(words)"
status "by state" 0 --noheadings -o uuid --state=exited,backoff
same "by state" "aaaa0002 bbbb0001 cccc0001" "$(words)"
status "by name" 0 --noheadings -o uuid --name='w[eo]*'
same "by name" "aaaa0001 aaaa0002" "$(words)"
status "by UUID and state" 0 --noheadings -o uuid --state=exited AAAA
same "by UUID and state" "aaaa0002" "$(words)"
status "several" 0 --noheadings aaaa0002 bb
same "several" "aaaa0002 bbbb0001" "$(awk '{ print $1 }' "$T/out" | tr '\n' ' ' | sed 's/ $//')"
status "one that is not" 1 aaaa eeee
same "one that is not: one line" "1 1" "$(wc -l <"$T/err") $(grep -c 'no pod "eeee"' "$T/err")"
status "in no such state" 0 --noheadings --state=paused
same "in no such state" "" "$(words)"
status "JSON, filtered" 0 --json --state=exited --sort=code -r
same "JSON, filtered" "137 3" "$(member "$T/out" '" ".join(str(p["code"]) for p in d["pods"])')"

# ---- a terminal: no line is longer than it is wide, elsewhere nothing is cut ------------------------------

status "no terminal" 0 -o +dir
has "no terminal: nothing is cut" "$T/pod-$C$"
onpty 80 24 20 -- "$bin/xenpod-status" -o +dir,created,ended >"$T/out"
same "80 columns: no line is longer" 80 "$(longest)"
same "80 columns: a line each" 5 "$(wc -l <"$T/out")"
has "80 columns: what matters is whole" 'restarting \(backoff\)'
has "80 columns: colour" $'\033\\[.*running'
onpty 200 24 20 -- "$bin/xenpod-status" -o +dir >"$T/out"
has "200 columns" "$T/pod-$C"
onpty 80 24 20 -- env NO_COLOR=1 "$bin/xenpod-status" >"$T/out"
same "80 columns, no colour" 0 "$(grep -c $'\033' "$T/out")"
onpty 80 24 20 -- "$bin/xenpod-status" --history >"$T/out"
same "history, 80 columns: no line is longer" True "$([ "$(longest)" -le 80 ] && echo True)"

# ---- history -----------------------------------------------------------------------------------------------

status "history of one" 0 --history bbbb
has "history: headings" '^SEQ +TIME +EVENT +FROM +TO +LASTED +DOMID +CAUSE$'
has "history: an event" '^ *[0-9]+ 20[0-9-]+ [0-9:.]+ admit +accepted +exporting +[0-9.]+m?s +-'
has "history: why" ' collected +collecting +exited +[0-9.]+m?s .* oom$'
status "history of all" 0 --history --full
has "history of all: whose" " guest-running +booting +running +[0-9.]+m?s +[0-9]+ +$A$"
status "history of two, JSON" 0 --history --json bbbb aaaa0001
same "history of two: one stream" "$A $C True" \
	"$(member "$T/out" '" ".join(sorted({e["uuid"] for e in d["history"]})) + " %s" % (sorted(e["seq"] for e in d["history"]) == [e["seq"] for e in d["history"]])')"
same "history: how long" True "$(member "$T/out" 'all(
	(e["lasted"] is None) == (e["from"] == e["to"]) for e in d["history"])')"
same "history: how long, exactly" True "$(member "$T/out" '(lambda h: h[1]["lasted"] == h[1]["at"] - h[0]["at"])(
	[e for e in d["history"] if e["uuid"][0] == "b"])')"
status "history since" 0 --history --json --since=3
same "history since" "4 None" "$(member "$T/out" '"%s %s" % (d["history"][0]["seq"], d["missing"])')"
status "history of a pod that never was" 1 --history 99992222-3333-4444-8555-666666666666
status "history of no such pod" 1 --history eeee

# ---- waiting ------------------------------------------------------------------------------------------------

status "is there already" 0 --wait=running aaaa0001
status "time is over" 6 --wait=exited --timeout=0.2 aaaa0001
same "time is over: one line" "1 1" "$(wc -l <"$T/err") $(grep -c 'is not exited yet' "$T/err")"
status "ended otherwise" 7 --wait=running aaaa0002
same "ended otherwise: one line" "1 1" "$(wc -l <"$T/err") $(grep -c 'is exited (finished): it will not be running' "$T/err")"
status "ended otherwise, JSON" 7 --wait=running --json aaaa0002
same "ended otherwise, JSON" "ended exited" "$(member "$T/out" 'd["result"] + " " + d["pods"][0]["word"]')"
status "no such pod" 1 --wait eeee
status "never was" 1 --wait 99992222-3333-4444-8555-666666666666
status "two of them, one not yet" 6 --wait --timeout=0.2 aaaa0002 aaaa0001
"$bin/xenpod-status" --wait=removed --timeout=60 bbbb >"$T/removed" 2>&1 &
waiter=$!
sleep 0.3
same "waits for the removal, not for the end" 0 "$(kill -0 $waiter && wc -c <"$T/removed")"
python3 - "$XENPOD_RUN_DIR/admin" $C <<'END'
import json, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(json.dumps({"method": "io.xenpod.Gc", "parameters": {"uuid": sys.argv[2]}}).encode() + b"\0")
s.recv(65536)
END
wait $waiter
same "waits for the removal: exit status" 0 $?
status "was removed before" 0 --wait=removed $C
status "has ended, was removed" 0 --wait $C
status "was removed, will not run" 7 --wait=running $C
status "history outlives it" 0 --history --json $C
same "history outlives it" gone "$(member "$T/out" 'd["history"][-1]["to"]')"

# A supervisor that comes back: the wait goes on.
"$bin/xenpod-status" --wait=exited --timeout=120 aaaa0001 >"$T/across" 2>&1 &
waiter=$!
sleep 0.3
kill -9 "$daemon"
wait "$daemon" 2>/dev/null
status "without a supervisor: what is known" 0 --wait aaaa0002
same "without a supervisor: nothing to say" 0 "$(wc -c <"$T/err")"
status "without a supervisor: not yet" 6 --wait=exited --timeout=0.2 aaaa0001
status "history from the store" 0 --history --json bbbb0001-3333-4444-8555-666666666666
same "history from the store" "store gone" "$(member "$T/out" 'd["source"] + " " + d["history"][-1]["to"]')"
supervise
wait $waiter
same "across a restart: exit status" 0 $?
same "across a restart: one line" "1 1" "$(wc -l <"$T/across") $(grep -c 'waiting for it' "$T/across")"

finish
