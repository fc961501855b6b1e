#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: full
# PODS: 25
# LIMIT: 5400
#
# Pods with a restart policy, and the host's end: an orderly shutdown stops all pods first and keeps their
# codes, those with a policy run again after it, as after a power cut; who was stopped by a user stays stopped,
# who was given up stays given up. The units are those that `make install` installs.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"

lab_put "$lab_dir/tools/truth.py" /root/truth.py || bail "Dom-0 answers"
lab_in 'cat >/root/pods.sh' <<'END2'
# Pods of people (units of theirs, which end after xenpod's own at a shutdown) and of the supervisor.
quiet='trap "exit 7" TERM; while :; do sleep 1000 & wait; done'
busybox=/root/images/busybox.aci
for i in 1 2 3 4; do
	systemd-run -q --collect --unit="plain-$i" -p Before=xenpod-pods.service \
		xenpod run --net=none --memory=64M --uuid-file-save="/root/uuid-plain$i" $busybox -- -c "$quiet"
done
policy() {
	xenpod run --restart="$2" --net="$3" --memory=64M --uuid-file-save="/root/uuid-$1" $busybox -- -c "$4" >/dev/null &
}
policy always always none "$quiet"
policy networked always default "$quiet"
policy failure on-failure none "$quiet"
policy stopped always none "$quiet"
policy short always:0 none 'exit 3'
policy given-up always:1 none 'exit 4'
wait
END2
lab_run 'rm -f /root/uuid-*'

uuid() {
	lab_run "cat /root/uuid-$1"
}

# pod NAME JQ-FILTER: of its record.
pod() {
	lab_run "xenpod-status --json \$(cat /root/uuid-$1) | jq -r '.pod | $2'"
}

# pod_soon DESCRIPTION SECONDS NAME JQ-CONDITION
pod_soon() {
	expect_soon "$1" "$2" "xenpod-status --json \$(cat /root/uuid-$3) | jq -e '.pod | $4'"
}

truth() {
	check "truth: $1" lab_run "python3 -ISB /root/truth.py --wait ${2-240}"
}

supervisor_runs() {
	expect_soon "the supervisor has taken up its work" 300 \
		'xenpod-status --json | jq -e ".supervisor.state == \"running\""'
}

# What is tried again for ever is the one thing that never settles: it is ended before the checker looks.
end_short() {
	lab_run 'timeout 240 xenpod stop $(cat /root/uuid-short)' >/dev/null 2>&1
	pod_soon "the one that is never given up can be stopped" 120 short '.state == "exited" and .cause == "stopped"'
}

# all_run WHAT BOOT: those with a policy run, in their life after BOOT ends of the host.
all_run() {
	local name

	for name in always networked failure; do
		pod_soon "$1: $name runs" 600 $name '.state == "running"'
	done
	expect_eq "$1: lives" "$(for name in always networked failure; do pod $name .restart.lives; done | paste -sd' ')" \
		"$2 $2 $2"
	expect_eq "$1: what the host ends is no short life" "$(pod always .restart.tries)" 0
}

ended_stay() {
	expect_eq "$1: who was stopped stays stopped" "$(pod stopped '.state + " " + .cause')" 'exited stopped'
	expect_eq "$1: who was given up stays given up" \
		"$(pod given-up '"\(.state) \(.code) \(.restart.given_up)"')" 'exited 4 true'
}

supervisor_runs
lab_run 'systemctl enable -q --now xenpod-pods.service; xenpod gc --grace-period=0; sync' >/dev/null 2>&1

# ---- policies -------------------------------------------------------------------------------------------

check "pods are started" lab_run 'timeout 900 bash /root/pods.sh'
pod_soon "the one that may fail twice is given up" 600 given-up '.state == "exited" and .restart.given_up'
expect_eq "its lives" "$(pod given-up .restart.lives)" 2
pod_soon "the one that is never given up waits longer each time" 600 short '.state == "backoff" and .restart.tries >= 2'
expect_match "its next try has a time" "$(lab_run 'xenpod-status $(cat /root/uuid-short)')" 'next try in [0-9]+ (s|min)|restart'
check "a user stops one" lab_run 'timeout 240 xenpod stop $(cat /root/uuid-stopped)'
for i in 1 2 3 4; do
	pod_soon "plain pod $i runs" 600 plain$i '.state == "running"'
done
all_run "policies" 1
ended_stay "policies"
lab_run 'timeout 120 kill -9 $(systemctl show -P MainPID xenpodd)'
supervisor_runs
pod_soon "another supervisor goes on where it was" 600 short '.restart.tries >= 3'
expect_eq "the others have not noticed" "$(pod always '.restart.lives')" 1

# ---- an orderly shutdown, with one in backoff ---------------------------------------------------------------

check "a reboot" "$xenlab" reboot
supervisor_runs
for i in 1 2 3 4; do
	expect_eq "shutdown: plain pod $i was stopped for it, and its code is kept" \
		"$(pod plain$i '"\(.state) \(.cause) \(.code) \(.apps[0].code)"')" 'exited host-shutdown 7 7'
done
all_run "shutdown" 2
ended_stay "shutdown"
pod_soon "shutdown: the one in backoff is tried again" 600 short '.restart.tries >= 4'
expect_match "shutdown: a user's history tells of it" \
	"$(lab_run 'xenpod-status --json $(cat /root/uuid-always) | jq -r ".history[] | .cause"')" host-shutdown
end_short
truth "after an orderly shutdown"

# ---- a power cut ------------------------------------------------------------------------------------------------

lab_run sync
check "a power cut" "$xenlab" crash
check "the machine starts from its disk" "$xenlab" up
supervisor_runs
all_run "power cut" 3
ended_stay "power cut"
truth "after a power cut"

# ---- a user's stop is the last word ---------------------------------------------------------------------------

check "all are stopped" lab_run 'timeout 240 xenpod stop --all'
check "a second reboot" "$xenlab" reboot
supervisor_runs
expect_eq "who was stopped stays so" \
	"$(for name in always networked failure; do pod $name '.state + " " + .cause'; done | sort -u)" 'exited stopped'
truth "after the last reboot"
expect_eq "gc" "$(lab_run 'xenpod gc --grace-period=0 >/dev/null' 2>&1)" ''
truth "after gc"
expect_eq "no pod is known any more" "$(lab_run 'xenpod-status --no-legend; ls /var/lib/xenpod/pods/run')" ''
lab_run 'rm -rf /root/pods.sh /root/truth.py /root/uuid-* /var/lib/cni/networks'
finish
