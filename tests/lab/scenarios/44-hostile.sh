#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: full
# PODS: 8
# LIMIT: 3600
#
# Apps that turn against their host, each in a domain of its own: they harm neither the supervisor nor
# the pod beside them, and can be stopped by force.
# shellcheck source=tests/lab/inside.sh
. "$(dirname "$0")/../inside.sh"

# neighbour_lives WHAT
neighbour_lives() {
	local was=$uuid

	use ticker
	goes_on ticker
	check "$1: the neighbour can be entered" timeout 60 xenpod enter --app=ticker "$uuid" /bin/true
	check "$1: the supervisor answers" timeout 20 xenpod-status --json
	uuid=$was
}

# attack MODE: a pod that does it; `runs` is what it says itself.
attack() {
	start "$1" --memory=96M $work/images/hostile -- "$1"
	until_true 300 test -s "$t/$1.out"
}

# put_down NAME: by force, and it is gone.
put_down() {
	check "$1: stop by force" timeout 60 xenpod stop --force "$uuid"
	until_true 120 in_state "$uuid" 'exited|failed'
	check "$1: its domain is gone" no_domain "$uuid"
	check "$1: its lock is free" lock_free "$uuid"
}

inside_begin
image hostile '{"user": "0", "group": "0", "exec": ["/bin/hostile"]}' </dev/null
install -m 755 $tests/hostile $work/images/hostile/rootfs/bin/hostile
pid=$(systemctl show -P MainPID xenpodd)
start ticker --memory=96M $images/ticker.aci
runs ticker

attack garbage
expect_match "garbage is out" "$(cat $t/garbage.out)" 'garbage is out'
neighbour_lives garbage
put_down garbage

attack flood
expect_match "the flood is on" "$(cat $t/flood.out)" 'floods'
neighbour_lives flood
put_down flood

attack many
expect_match "the quota stops it" "$(cat $t/many.out)" 'hostile: [0-9]+ nodes'
neighbour_lives many
put_down many

attack ring
expect_match "a ring of its own" "$(cat $t/ring.out)" 'offers a ring'
said=$(timeout 120 xenpod enter --app=hostile "$uuid" /bin/true 2>&1)
expect_eq "who enters is not held" $? 254
expect_match "and is told" "$said" 'stage1: .'
neighbour_lives ring
put_down ring

attack console
log=/var/log/xen/console/guest-$uuid.log
larger() {
	[ "$(stat -c %s "$log")" -gt $((8 << 20)) ]
}
trimmed() {
	[ $(($(stat -c %b "$log") * 512)) -le $((4 << 20)) ]
}
check "a console that is talked to without end" until_true 900 larger
soon "takes no more of the host's disk than it may" 120 trimmed
neighbour_lives console
put_down console

start forge --memory=96M $work/images/hostile -- forge
until_true 300 in_state "$uuid" 'exited|failed'
expect_match "a forged end ends the forger" "$(status "$uuid" '.pod | .state + " " + .cause')" 'exited finished'
neighbour_lives forge

start deaf --memory=96M $images/busybox.aci -- -c 'trap "" TERM INT HUP; yes >/dev/null & while :; do :; done'
runs deaf
neighbour_lives deaf
expect_eq "who never acknowledges a stop" "$(xenpod stop "$uuid")" "$uuid"
expect_end deaf 137 exited stopped

expect_eq "it is the same supervisor all the time" "$(systemctl show -P MainPID xenpodd)" "$pid"
use ticker
expect_eq "stop of the neighbour" "$(xenpod stop "$uuid")" "$uuid"
expect_end ticker 0 exited stopped
expect_eq "which has lost no line" "$(grep '^tick ' "$t/ticker.out")" "$(seq -f 'tick %g' "$(ticks ticker)")"

inside_end
