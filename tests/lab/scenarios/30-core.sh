#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: core
# PODS: 5
#
# The whole way: `xenpod run` to the app's exit code, with what everybody says of it on the way;
# two apps; enter; a supervisor that is killed; stop; a domain destroyed from outside; stop by force.
# shellcheck source=tests/lab/pods.sh
. "$(dirname "$0")/../pods.sh"

pods_begin

# ---- an app fails -------------------------------------------------------------------------------

start one --memory=128M $images/worker.aci -- 3
expect_end one 3 exited finished
expect_eq "its output, in order" "$(cat "$t"/one.out)" $'worker: working for 1 s\nworker: done, code 3'
expect_app one worker 3 3 null
expect_eq "pod one: the supervisor's code" "$(status "$uuid" .pod.code)" 3
expect_eq "its history: every state on the way" \
	"$(status "$uuid" '[.history[].to] | reduce .[] as $s ([]; if last == $s then . else . + [$s] end) |
		join(" ")' | sed 's/ stopping / /')" \
	'accepted exporting networking creating unpausing booting running destroying dying clearing collecting exited'
expect_eq "its history: the cause" "$(status "$uuid" '.history[-1].cause')" finished
check "its lock is free" lock_free "$uuid"
check "its domain is gone" no_domain "$uuid"

# ---- two apps: the first failure stops the other ------------------------------------------------

start two --memory=64M $images/ticker.aci --- $images/worker.aci --memory=64M -- 5 2
expect_end two 5 exited finished
expect_app two ticker 0 0 null
expect_app two worker 5 5 null
expect_match "the ticker was stopped in order" "$(cat "$t"/two.out)" 'tick 1.*ticker: stopping'

# ---- enter, and a supervisor that is killed -----------------------------------------------------

start three --memory=128M $images/ticker.aci
runs three
domid=$(domid "$uuid")
expect_eq "xl and xenpod-status agree" "$(status "$uuid" .pod.domid)" "$domid"
check_not "its lock is held" lock_free "$uuid"
told_ready() {
	[ "$(readlink "$datadir/pods/run/$uuid/stage1/rootfs/rkt/supervisor-status")" = ready ]
}
soon "rkt is told that it is ready" 60 told_ready
out=$(printf 'one\ntwo\n' | in_pod ticker /bin/sh -c 'hostname; cat; echo oops >&2; exit 7' 2>"$t"/enter.err)
expect_eq "enter: exit code" $? 7
expect_eq "enter: stdout, with what stdin brought" "$out" "rkt-$uuid"$'\none\ntwo'
expect_eq "enter: stderr" "$(cat "$t"/enter.err)" oops
out=$(in_pod nosuch /bin/true 2>&1)
expect_eq "enter: an unknown app is our failure" $? 254
expect_match "and is named" "$out" nosuch

kill_supervisor
expect_eq "it has adopted the pod" "$(state "$uuid")" running
expect_eq "it is the same domain" "$(status "$uuid" .pod.domid) $(domid "$uuid")" "$domid $domid"
check_not "its lock is still held" lock_free "$uuid"
goes_on three
check "enter works as before" in_pod ticker /bin/true
expect_eq "stop" "$(xenpod stop "$uuid")" "$uuid"
expect_end three 0 exited stopped
expect_app three ticker 0 0 null
expect_eq "no line of output is lost or twice" "$(grep '^tick ' "$t"/three.out)" \
	"$(seq -f 'tick %g' "$(ticks three)")"
expect_eq "the last line is there" "$(tail -n 1 "$t"/three.out)" 'ticker: stopping'

# ---- destroyed from outside ---------------------------------------------------------------------

start four --memory=128M $images/ticker.aci
runs four
check "xl destroy" xl destroy "$uuid"
expect_end four 254 exited destroyed
expect_match "run says why" "$(tail -n 1 "$t"/four.err)" 'destroyed'
expect_app four ticker "cat: $datadir/pods/run/$uuid/stage1/rootfs/rkt/status/ticker: No such file or directory" \
	null null

# ---- stopped by force ---------------------------------------------------------------------------

start five --memory=128M $images/ticker.aci
runs five
expect_eq "stop --force" "$(xenpod stop --force "$uuid")" "$uuid"
expect_end five 137 exited killed
check "stop of a pod that has ended is no failure" xenpod stop "$uuid"

pods_end
