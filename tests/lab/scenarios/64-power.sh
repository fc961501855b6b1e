#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: full
# PODS: 50
# LIMIT: 5400
#
# What takes the whole machine along while ten pods run, two of them networked, or while ten start: a
# reboot, a power cut, one that takes the database along, the death of xenstored (which no Dom-0 outlives,
# docs/RECOVERY.md). After each
# the checker finds no difference from what the supervisor says, and gc gives everything back. FAULTS
# names those to be tried; a new one is a function.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"

lab_put "$lab_dir/tools/truth.py" /root/truth.py || bail "Dom-0 answers"
lab_in 'cat >/root/ten.sh' <<'END2'
# ten.sh WORD: ten pods, one of them with a word to say; until each is as WORD says, or only until all
# are accepted.
for i in $(seq 10); do
	net=none
	say='trap "exit 0" TERM; while :; do sleep 1000 & wait; done'
	[ "$i" -gt 2 ] || net=default
	[ "$i" != 5 ] || say='trap "exit 0" TERM; while :; do echo tick; sleep 1; done'
	systemd-run -q --collect --unit="ten-$i" -p StandardOutput=file:/run/ten-$i.out -p StandardError=inherit \
		xenpod run --net=$net --memory=64M /root/images/busybox.aci -- -c "$say"
done
until [ "$(xenpod-status --no-legend | grep -cE "$1")" = 10 ]; do
	sleep 1
	[ $SECONDS -lt 900 ] || { xenpod-status; exit 1; }
done
END2

truth() {
	check "truth: $1" lab_run "python3 -ISB /root/truth.py --wait ${2-120}"
}

states() {
	lab_run "xenpod-status --json | jq -r '.pods[] | .word + \" \" + .cause'" | sort | uniq -c | sed 's/^ *//; s/ *$//'
}

supervisor_runs() {
	expect_soon "the supervisor has taken up its work" 300 \
		'xenpod-status --json | jq -e ".supervisor.state == \"running\""'
}

# after WHAT ENDS: what became of the pods, an ERE for all of it; the checker; gc; the checker.
after() {
	supervisor_runs
	truth "$1"
	expect_match "$1: what became of the pods" "$(states | paste -sd,)" "^($2)\$"
	expect_eq "$1: gc" "$(lab_run 'xenpod gc --grace-period=0 >/dev/null' 2>&1)" ''
	truth "$1, and gc"
	expect_eq "$1: no pod is known any more" "$(lab_run 'xenpod-status --no-legend; ls /var/lib/xenpod/pods/run')" ''
}

ten_pods() {
	check "ten pods run" lab_run bash /root/ten.sh ' running '
	truth "ten pods run"
}

power_cut() {
	check "a power cut" "$xenlab" crash
	check "the machine starts from its disk" "$xenlab" up
}

# Each in its own unit, which systemd stops at the same time as the one that stops all pods: either way the
# pod has ended in order (66-comeback has the order of units).
fault_reboot() {
	ten_pods
	check "a reboot" "$xenlab" reboot
	after "a reboot" '([0-9]+ exited (host-shutdown|stopped),?)*'
}

fault_power() {
	ten_pods
	power_cut
	after "a power cut" '10 exited host-reboot'
}

# Those of which anything had come to the disk.
fault_starting() {
	check "ten pods are accepted" lab_run bash /root/ten.sh .
	power_cut
	after "a power cut while pods start" '([0-9]+ (exited|failed) host-reboot,?)*'
}

# The boot has taken the domains, and somebody the database: what was written beside it is what is left.
fault_lost() {
	ten_pods
	lab_run 'systemctl stop xenpodd xenpod-admin.socket xenpod-status.socket
		rm -f /var/lib/xenpod/store.db /var/lib/xenpod/store.db-wal /var/lib/xenpod/store.db-shm; sync'
	power_cut
	after "a power cut, and the database lost" '10 exited host-reboot'
	# What is told of the loss for a week is no business of others.
	lab_run 'systemctl stop xenpodd xenpod-admin.socket xenpod-status.socket
		rm -rf /var/lib/xenpod/store.db* /var/lib/xenpod/records
		systemctl start xenpod-admin.socket xenpod-status.socket xenpodd; sync'
}

# What Health says, in Dom-0.
ask() {
	lab_in 'cat >/run/ask.py; python3 -IS /run/ask.py' <<-'END2'
		import socket
		s = socket.socket(socket.AF_UNIX)
		s.connect("/run/xenpod/status")
		s.sendall(b'{"method": "io.xenpod.Health"}\0')
		data = b""
		while not data.endswith(b"\0"):
		    data += s.recv(65536)
		print(data[:-1].decode())
	END2
}

fault_xenstored() {
	ten_pods
	lab_run 'pkill -KILL -x oxenstored; wc -l </run/ten-5.out >/run/ticks'
	check "without xenstored: xenpod-status answers" lab_run 'timeout 20 xenpod-status --json'
	ask >/dev/null
	expect_soon "degraded is shown" 90 'python3 -IS /run/ask.py | jq -e ".parameters.degraded | . != null and . != \"\""'
	check "degraded: xenpod-status answers" lab_run 'timeout 20 xenpod-status --json'
	expect_eq "none of the pods is given up" "$(states)" '10 running'
	expect_soon "their output goes on" 60 '[ $(wc -l </run/ten-5.out) -gt $(($(cat /run/ticks) + 2)) ]'
	lab_run sync
	power_cut
	after "xenstored had died" '10 exited host-reboot'
}

supervisor_runs
lab_run 'xenpod gc --grace-period=0; sync' >/dev/null 2>&1
for fault in ${FAULTS:-reboot power starting lost xenstored}; do
	"fault_$fault"
done
lab_run 'rm -rf /root/ten.sh /root/truth.py /var/lib/cni/networks'
finish
