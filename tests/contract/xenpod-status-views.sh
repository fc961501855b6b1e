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

# The one that comes back waits for its next life, and not for a moment only.
in_backoff() { wait_for waits_long; }
waits_long() {
	"$bin/xenpod-status" --json cccc | python3 -c 'import json, sys, time
pod = json.load(sys.stdin)["pod"]
sys.exit(pod["state"] != "backoff" or pod["restart"]["next"] < (time.time() + 3) * 1e9)'
}

# ---- columns, order, filters -----------------------------------------------------------------------------

status "columns" 0 -o uuid,code,Apps
same "columns" "UUID CODE APPS aaaa0001 - web=running aaaa0002 3 worker=3 bbbb0001 137 db=SIGKILL cccc0001 1 flaky=1" \
	"$(words)"
in_backoff
status "more columns" 0 -o +memory,restart
has "more columns: the usual ones first" '^UUID +STATE +DOMID +APPS +NETWORKS +AGE +WHY +MEMORY +RESTART$'
has "more columns" '^cccc0001 +restarting \(backoff\) .*next try in [0-9]+ s +128 +always$'
status "order" 0 --noheadings -o uuid --sort=code
same "order" "aaaa0001 cccc0001 aaaa0002 bbbb0001" "$(words)"
status "other order" 0 --no-legend -o uuid -r
same "other order" "cccc0001 bbbb0001 aaaa0002 aaaa0001" "$(words)"
in_backoff
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
valid list
same "JSON, filtered" "137 3" "$(member "$T/out" '" ".join(str(p["code"]) for p in d["pods"])')"

# Of a long list the tool asks for what it shows only: the supervisor answers no more than that.
same "members" "['uuid', 'word'] True" "$(python3 - "$XENPOD_RUN_DIR/status" <<'END'
import json, socket, sys
def ask(parameters):
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    s.sendall(json.dumps({"method": "io.xenpod.List", "parameters": parameters}).encode() + b"\0")
    got = b""
    while not got.endswith(b"\0"):
        got += s.recv(65536)
    return json.loads(got[:-1])["parameters"]["pods"]
print(list(ask({"members": ["word", "no-such", 7, "uuid"]})[0]), len(ask({})[0]) == 21)
END
)"

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
valid history
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
valid wait
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
status "was removed, JSON" 0 --json --wait $C
valid wait
status "a removed pod in detail" 0 --json $C
valid show
status "history outlives it" 0 --history --json $C
same "history outlives it" gone "$(member "$T/out" 'd["history"][-1]["to"]')"

# ---- what is documented ----------------------------------------------------------------------------------------

status "help" 0 --help
same "help: 80 columns" True "$([ "$(longest)" -le 100 ] && echo True)"
same "every exit status is documented" "" "$(grep -oE '^  [0-9]+ ' "$T/out" | while read -r n; do
	grep -q "^| $n | " "$top/docs/STATUS.md" || echo "$n"; done)"
same "every column is documented" "" "$(sed -n '/^Columns:/,/^$/s/^  \([A-Z]*\) .*/\1/p' "$T/out" | while read -r c; do
	grep -qE "^\\|.*\b$c\b.* \\| " "$top/docs/STATUS.md" || echo "$c"; done)"
same "every column is in the help" "25" "$(sed -n '/^Columns:/,/^$/s/^  [A-Z]/&/p' "$T/out" | wc -l)"
status "list, JSON" 0 --json
valid list
python3 - "$T/out" "$T/wrong" <<'END'
import json, sys
d = json.load(open(sys.argv[1]))
d["pods"][0]["vcpus"] = "1"
d["pods"][1]["surprise"] = 1
json.dump(d, open(sys.argv[2], "w"))
END
same "schema: what is wrong is found" "2 0" \
	"$(python3 "$top/tests/contract/schema.py" list "$T/wrong" | grep -cE "'1' is not of type|surprise") $(python3 "$top/tests/contract/schema.py" list "$T/wrong" | tail -n 1)"
status "health, JSON" 0 --health --json
valid health

# ---- one in detail: do all who know of it say the same? ------------------------------------------------------

status "waits for a next life" 0 cccc
has "next start: when and why" '^next start +20[0-9-]+ [0-9:]+: next try in [0-9]+ s; policy always, because its (apps ended|next start was not prepared), exit code 1$'
printf 'booting\n' >"$T/guest-$A.log"
status "what a console has said by now" 0 aaaa0001
has "what a console has said by now" '^console: +booting$'
# Somebody holds the lock of a pod that has ended.
flock "$T/pod-$B" sleep 60 &
holder=$!
# shellcheck disable=SC2016
wait_for '! flock -n "$T/pod-$B" true'
status "lock held after the end" 3 aaaa0002
has "lock held: side by side" '^up +exited +none +held \(taken by process [0-9]+\)$'
has "lock held: says so" '^DIFFERS +the pod has ended, and the lock of its directory is held still$'
status "lock held, JSON" 3 --json aaaa0002
valid show
same "lock held, JSON" "exited held 1" \
	"$(member "$T/out" '"%s %s %d" % (d["truth"]["stored"], d["truth"]["lock"], len(d["truth"]["differs"]))')"
pkill -P $holder sleep
wait $holder 2>/dev/null
status "lock free after the end" 0 aaaa0002
status "lock free after the end, JSON" 0 --json aaaa0002
same "lock free, JSON" "free None []" \
	"$(member "$T/out" '"%s %s %s" % (d["truth"]["lock"], d["truth"]["holder"], d["truth"]["differs"])')"
rm -r "$T/pod-$B"
status "no directory after the end" 0 --json aaaa0002
same "no directory after the end" missing "$(member "$T/out" 'd["truth"]["lock"]')"
mv "$T/pod-$A" "$T/moved-$A"
status "no directory, and it runs" 3 aaaa0001
has "no directory, and it runs" '^DIFFERS +the pod directory is not there$'
mv "$T/moved-$A" "$T/pod-$A"

# ---- a supervisor that comes back -----------------------------------------------------------------------------

"$bin/xenpod-status" --wait=exited --timeout=120 aaaa0001 >"$T/across" 2>&1 &
waiter=$!
sleep 0.3
kill -9 "$daemon"
wait "$daemon" 2>/dev/null
status "without a supervisor: what is known" 0 --wait aaaa0002
same "without a supervisor: nothing to say" 0 "$(wc -c <"$T/err")"
status "without a supervisor: not yet" 6 --wait=exited --timeout=0.2 aaaa0001
status "history from the store" 0 --history --json bbbb0001-3333-4444-8555-666666666666
valid history
same "history from the store" "store gone" "$(member "$T/out" 'd["source"] + " " + d["history"][-1]["to"]')"
status "without a supervisor: the lock" 0 --json aaaa0001
same "without a supervisor: the lock is looked at, the domain is not known" "held None" \
	"$(member "$T/out" '"%s %s" % (d["truth"]["lock"], d["truth"]["hypervisor"])')"
# shellcheck disable=SC2086 # a list of processes
kill $clients
clients=
# shellcheck disable=SC2016
wait_for 'flock -n "$T/pod-$A" true'
status "without a supervisor: a lock that nobody holds" 3 aaaa0001
has "without a supervisor: a lock that nobody holds" '^DIFFERS +the lock of the pod directory is free'
supervise
wait $waiter
same "across a restart: exit status" 0 $?
same "across a restart: one line" "1 1" "$(wc -l <"$T/across") $(grep -c 'waiting for it' "$T/across")"

finish
