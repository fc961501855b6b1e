#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: full
# PODS: 3
# LIMIT: 2400
#
# A person at a terminal: `xenpod run --interactive` and `xenpod enter` through a real
# pseudo-terminal: an editor, the window's size, ^C, job control, exit codes, and the terminal given
# back on every way out.
# shellcheck source=tests/lab/inside.sh
. "$(dirname "$0")/../inside.sh"

typist() {
	python3 $inside/tools/typist.py "$@"
}

inside_begin

# ---- run --interactive ----------------------------------------------------------------------------

rm -f $t/tty.uuid
# shellcheck disable=SC2016 # for the shell in the domain
said=$(typist 33x101 'wait # 
type stty size\r
wait 33 101
wait # 
size 20x70
type sleep 2; stty size\r
wait 20 70
wait # 
type echo at $((20+1)); sleep 1000\r
wait at 21
press \x03 # 
type echo after ^C: $?\r
wait after ^C: 130
wait # 
type echo at $((20+2)); sleep 1000\r
wait at 22
press \x1a topped
wait # 
type jobs\r
wait topped
wait # 
type kill -KILL %1; wait; echo at $((20+3))\r
wait at 23
wait # 
type vi /tmp/file\r
wait ~
type ihello from vi
wait hello from vi
press \x1b - /tmp/file
type :wq\r
wait # 
type cat /tmp/file; echo $TERM; tty\r
wait hello from vi
wait /dev/pts/
wait # 
type exit 7\r
end' env TERM=xterm xenpod run --interactive --uuid-file-save=$t/tty.uuid --memory=128M $images/busybox.aci 2>&1)
observed=$((observed + 1))
use tty
expect_match "a session with size, ^C, job control, vi and exit" "$(tail -n 2 <<<"$said")" \
	'terminal as before.*exit 7'
[[ $said == *'exit 7' ]] || echo "# ${said//$'\n'/$'\n# '}"
expect_eq "its end, for the supervisor" "$(status "$uuid" '.pod | .state + " " + .cause')" 'exited finished'

# ---- taken away -----------------------------------------------------------------------------------

said=$(typist 24x80 'wait # 
type echo at $((20+1))\r
wait at 21
signal TERM
end' xenpod run --interactive --uuid-file-save=$t/away.uuid --memory=128M $images/busybox.aci 2>&1)
observed=$((observed + 1))
use away
expect_match "run is told to end: the terminal is given back" "$(tail -n 2 <<<"$said")" 'terminal as before'
expect_eq "and the pod was stopped" "$(status "$uuid" .pod.cause)" stopped

# ---- enter ------------------------------------------------------------------------------------------

start host --memory=128M $images/ticker.aci
runs host
said=$(typist 40x120 'wait # 
type stty size\r
wait 40 120
wait # 
type echo at $((20+1)); sleep 1000\r
wait at 21
press \x03 # 
type exit 9\r
end' xenpod enter --app=ticker "$uuid" /bin/sh 2>&1)
expect_match "enter at a terminal" "$(tail -n 2 <<<"$said")" 'terminal as before.*exit 9'
expect_eq "enter: words stay words" \
	"$(in_pod ticker /bin/echo 'a b' '' '*' "it's" | cat -A)" "a b  * it's\$"
in_pod ticker /bin/sh -c 'kill -USR1 $$' >/dev/null 2>&1
expect_eq "enter: ended by a signal" $? $((128 + 10))
in_pod ticker /bin/sh -c 'echo "echo a script, \$1" >/tmp/script; chmod 755 /tmp/script'
expect_eq "enter: a script without a first line that says so" "$(in_pod ticker /tmp/script word)" 'a script, word'
for i in 1 2 3 4 5 6; do
	in_pod ticker /bin/sh -c "sleep 2; echo $i; exit $i" >$t/many.$i 2>&1 &
	many[i]=$!
done
codes=
for i in 1 2 3 4 5 6; do
	wait "${many[$i]}"
	codes+="$?$(cat $t/many.$i) "
done
expect_eq "many at once" "$codes" '11 22 33 44 55 66 '
(in_pod ticker /bin/sleep 1000 >$t/last.out 2>&1; echo $? >$t/last.code) &
pids+=($!)
until_true 60 in_pod ticker /bin/sh -c 'pidof sleep | grep -q " "'
expect_eq "stop, with somebody inside" "$(xenpod stop "$uuid")" "$uuid"
expect_end host 0 exited stopped
soon "who was inside is told" 30 test -s $t/last.code
# Its command was killed first, or the domain was gone first.
expect_match "by what ended its command, or the pod" "$(cat $t/last.code $t/last.out)" '^137|ended'

inside_end
