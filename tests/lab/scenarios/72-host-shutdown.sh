#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: full
# PODS: 7
# LIMIT: 3600
#
# The host's end, with what the Debian packages install and nothing else: before the host goes down all pods
# are stopped, in order, and their codes are kept; then the supervisor ends, then Xen's services. After it
# pods with a restart policy and pods of units run again.
if [ "${LAB_INSIDE-}" != 1 ]; then
	# shellcheck source=tests/lab/lib.sh
	. "$(dirname "$0")/../lib.sh"
	# shellcheck source=tests/lab/parts.sh
	. "$(dirname "$0")/../parts.sh"
	# shellcheck source=tests/lab/packages.sh
	. "$(dirname "$0")/../packages.sh"
	debs_send
	scenario_send
	scenario_part before
	[ "$failed" -eq 0 ] || finish
	check "the host is rebooted in order" "$xenlab" reboot
	scenario_part after
	finish
fi
# shellcheck source=tests/lab/fleet.sh
. "$(dirname "$0")/../fleet.sh"
# shellcheck source=tests/lab/packages.sh
. "$(dirname "$0")/../packages.sh"

# says CODE [SECONDS]: quiet, and ends with that code when it is told to, if need be after a while.
says() {
	echo "trap 'sleep ${2-0}; exit $1' TERM; while :; do sleep 1000 & wait \$!; done"
}

# plain NAME CODE [SECONDS]: a pod of somebody's service.
plain() {
	systemd-run -q --collect --unit="$1" -p Before=xenpod-pods.service -p KillMode=mixed xenpod run --net=none \
		--memory=64M --uuid-file-save="$t/$1.uuid" "$images"/busybox.aci -- -c "$(says "${@:2}")"
}

before() {
	until_true 120 supervisor_runs || bail "the supervisor that setup.sh has installed runs"
	[ -z "$(records)" ] || bail "the machine has no pods to begin with" "$(xenpod-status)"
	put_aside
	dpkg_does "dpkg -i" -i "$debs"/*.deb
	soon "a supervisor has taken up the work" 120 supervisor_runs
	mkdir -p "$t" /etc/xenpod/pods
	plain first 11
	plain second 12
	plain slow 13 4
	printf '%s\n' --memory=64M "$images/busybox.aci" -- -c "$(says 0)" >/etc/xenpod/pods/web
	check "a pod of a unit" timeout 900 systemctl enable -q --now xenpod@web
	cp /run/xenpod-unit-web/uuid "$t"/web.uuid
	check "a pod with a restart policy" timeout 900 xenpod run --restart=always --net=none --memory=64M \
		--uuid-file-save="$t"/policy.uuid "$images"/busybox.aci -- -c "$(says 14)"
	patiently 900 up_are 5 || bail "five pods run" "$(xenpod-status)"
	truth "five pods run"
	sync
}

# record NAME JQ-FILTER
record() {
	use "$1"
	status "$uuid" "$2"
}

# What the boot before has logged: when (microseconds since it began) it matched, one a line.
times_before() {
	journalctl -q -b -1 -o json "$@" | jq -r .__MONOTONIC_TIMESTAMP | sort -n
}

# stopped_at UNIT: systemd's word that it is (SD_MESSAGE_UNIT_STOPPED).
stopped_at() {
	times_before MESSAGE_ID=9d1aaa27d60140bd96365438aad20286 "UNIT=$1" | tail -n 1
}

# ended_at: each pod's end; one with a policy waits then.
ended_at() {
	times_before XENPOD_CAUSE=host-shutdown XENPOD_TO=exited XENPOD_TO=backoff
}

kept() {
	local pair

	for pair in first:11 second:12 slow:13; do
		use "${pair%:*}"
		expect_eq "${pair%:*}: it was stopped for the shutdown, and its code is kept" \
			"$(record "${pair%:*}" '.pod | "\(.state) \(.cause) \(.forced) \(.code) \(.apps[0].code)"')" \
			"exited host-shutdown false ${pair#*:} ${pair#*:}"
		expect_eq "${pair%:*}: so it is for rkt" \
			"$(cat "$datadir/pods/run/$uuid"/overlay/*/upper/rkt/status/busybox)" "${pair#*:}"
	done
	expect_match "the pod of a unit: stopped for it, too" "$(record web '.history[].cause')" host-shutdown
}

in_order() {
	local begun last

	begun=$(times_before MESSAGE_ID=ada5ebe43ab1465ea2c672549e92b837 | head -n 1)
	last=$(ended_at | tail -n 1)
	expect_eq "five pods have ended after the shutdown had begun" "$(ended_at | awk -v b="$begun" '$1 > b' | wc -l)" 5
	expect_match "who stops them says how far it is" "$(journalctl -q -b -1 -o cat -u xenpod-pods.service)" \
		'stopping 5 pods.* 0 left'
	check "the pods, then their unit, the supervisor, xenstored: $last $(stopped_at xenpod-pods.service) \
$(stopped_at xenpodd.service) $(stopped_at xenstored.service)" test "$last" -lt "$(stopped_at xenpod-pods.service)" \
		-a "$(stopped_at xenpod-pods.service)" -lt "$(stopped_at xenpodd.service)" \
		-a "$(stopped_at xenpodd.service)" -lt "$(stopped_at xenstored.service)"
}

policy_runs() {
	[ "$(record policy '.pod | "\(.state) \(.restart.lives)"')" = 'running 2' ]
}

unit_runs() {
	systemctl is-active -q xenpod@web && [ "$(cat /run/xenpod-unit-web/uuid)" != "$(cat "$t"/web.uuid)" ]
}

# shellcheck disable=SC2154 # scratch is lib.sh's
after() {
	trap 'put_back; rm -rf "$scratch"; kill $(jobs -p) 2>/dev/null' EXIT
	soon "a supervisor has taken up the work" 300 supervisor_runs
	kept
	in_order
	soon "who has a restart policy runs again" 600 policy_runs
	soon "so does the unit's, as another pod" 900 unit_runs
	expect_eq "no unit has failed" "$(systemctl list-units --failed --plain --no-legend)" ''
	truth "after the shutdown" 240
	check "systemctl disable --now" timeout 300 systemctl disable -q --now xenpod@web
	rm -rf /etc/xenpod
	stop_all
	expect_eq "gc" "$(xenpod gc --grace-period=0 2>&1 >/dev/null)" ''
	expect_eq "no pod is known any more" "$(records)" ''
	truth "after gc"
	dpkg_does "purge" -P xenpod xenpod-stage1
	put_back
	soon "what setup.sh had installed is back" 120 supervisor_runs
	expect_eq "and has no pods" "$(records)" ''
}

"$PART"
finish
