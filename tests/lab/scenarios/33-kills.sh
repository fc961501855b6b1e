#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: full
# PODS: 18
# LIMIT: 5400
#
# kill -9 of the supervisor, its sensors, its helpers and QEMU in every state of a pod's life in which
# they are there. What the pod does then is known beforehand (docs/RECOVERY.md): it goes on and can
# be stopped, or it ends in one of the ways named here, and nothing of it is left.
# shellcheck source=tests/lab/pods.sh
. "$(dirname "$0")/../pods.sh"

# Takes its time to stop, so that the state can be hit.
app='trap "sleep 3; exit 0" TERM; echo up; while :; do sleep 1; done'

# killed VICTIM STATE ENDS: ENDS is an ERE for "STATE CAUSE CODE-OF-RUN". A pod that goes on without
# its victim is stopped in order.
killed() {
	local name=$1-$2

	uuid=$(cat /proc/sys/kernel/random/uuid)
	python3 $inside/tools/killer.py "$uuid" "$2" "$1" >"$t/killer" 2>&1 &
	pids+=($!)
	until_true 120 grep -q ready "$t/killer" || bail "$name: the events can be followed" "$(cat "$t/killer")"
	start "$name" --uuid="$uuid" --memory=128M $images/busybox.aci -- -c "$app"
	case $2 in
	stopping | destroying)
		runs "$name"
		xenpod stop "$uuid" >/dev/null || not_ok "$name: stop"
		;;
	esac
	soon "$name: killed" 300 grep -Eq 'killed|missed|Error' "$t/killer"
	expect_match "$name: while it was there" "$(cat "$t/killer")" 'killed'
	if [ "$1" != qemu ] && [[ $2 != stopping && $2 != destroying ]]; then
		until_true 300 in_state "$uuid" 'running|exited|failed'
		! in_state "$uuid" running || check "$name: can be stopped" xenpod stop "$uuid"
	fi
	until_true 300 test -s "$t/$name.code" || not_ok "$name: xenpod run ends" "$(xenpod-status "$uuid")"
	expect_match "$name: a known end" "$(status "$uuid" '.pod | .state + " " + .cause') $(cat "$t/$name.code")" \
		"^($3)\$"
	soon "$name: the lock is free" 120 lock_free "$uuid"
	soon "$name: no domain" 120 no_domain "$uuid"
	soon "$name: the supervisor is there" 120 supervisor_runs
}

pods_begin

killed xenpodd exporting 'exited stopped 0'
killed xenpodd creating '(exited stopped 0|failed create-failed 254)'
killed xenpodd booting 'exited stopped 0'
killed xenpodd running 'exited stopped 0'
killed xenpodd stopping 'exited stopped 0'
killed xenpodd destroying 'exited stopped 0'

killed xenpod-watch creating 'exited stopped 0'
killed xenpod-watch booting 'exited stopped 0'
killed xenpod-watch running 'exited stopped 0'
killed xenpod-watch stopping 'exited stopped 0'

# A helper is there only while something is done: not in booting, nor in running.
killed xenpod-act exporting 'failed export-failed 254'
killed xenpod-act creating 'failed create-failed 254'
killed xenpod-act stopping 'exited stopped (0|254)'
killed xenpod-act destroying 'exited stopped 0'

killed qemu creating 'failed create-failed 254|exited qemu-lost 254'
killed qemu booting 'exited qemu-lost 254'
killed qemu running 'exited qemu-lost 254'
killed qemu stopping 'exited (stopped|qemu-lost) (0|254)'

pods_end
