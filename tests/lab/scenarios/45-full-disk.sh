#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: full
# PODS: 3
# LIMIT: 2400
#
# A guest fills the very file system that holds the pods and the supervisor's store, and takes what
# anybody gives back. Its neighbour goes on, pods end with their codes told, and gc makes room again.
# One word a job; scratch is lib.sh's; some are called by traps only:
# shellcheck disable=SC2046,SC2154,SC2317
# shellcheck source=tests/lab/inside.sh
. "$(dirname "$0")/../inside.sh"

disk=/root/lab/small.img

# no_supervisor: nor anything that would start it.
no_supervisor() {
	systemctl stop xenpodd xenpod-admin.socket xenpod-status.socket
}

small_disk() {
	no_supervisor
	truncate -s 128M $disk
	mkfs.ext4 -q $disk && mount -o loop $disk $datadir && mkdir -m 711 $datadir/pods
	systemctl start xenpodd
}

large_disk() {
	kill $(jobs -p) 2>/dev/null
	no_supervisor
	umount "$datadir"
	systemctl start xenpodd
	rm -rf "$disk" "$scratch"
}

is_full() {
	[ "$(stat -f -c %a "$datadir")" -eq 0 ]
}

trap large_disk EXIT
small_disk || bail "a small disk of its own"
inside_begin
image hostile '{"user": "0", "group": "0", "exec": ["/bin/hostile"]}' </dev/null
install -m 755 $tests/hostile $work/images/hostile/rootfs/bin/hostile
start ticker --memory=96M $images/ticker.aci
runs ticker
start fill --memory=96M $work/images/hostile -- fill
until_true 900 test -s $t/fill.out
expect_match "what it says" "$(cat $t/fill.out)" 'it is full'
soon "it is full to the last block" 60 is_full

# ---- nothing gives way ------------------------------------------------------------------------------

fill=$uuid
use ticker
goes_on ticker
check "the neighbour can be entered" timeout 60 xenpod enter --app=ticker "$uuid" /bin/true
run_to refused --memory=96M $images/worker.aci
expect_eq "a new pod: exit code" "$(cat $t/refused.code)" 254
expect_match "a new pod: why" "$(cat $t/refused.err)" '^xenpod: image .*: No space left on device$'
expect_eq "a new pod: in one line" "$(wc -l <$t/refused.err)" 1

# ---- pods end ---------------------------------------------------------------------------------------

expect_eq "stop of the neighbour" "$(xenpod stop "$uuid")" "$uuid"
expect_end ticker 0 exited stopped
expect_app ticker ticker 0 0 null
uuid=$fill
expect_eq "stop of the one who fills" "$(xenpod stop --force "$uuid")" "$uuid"
until_true 300 in_state "$uuid" exited
expect_eq "its end" "$(status "$uuid" '.pod | .state + " " + .cause')" 'exited killed'
check "its lock is free" lock_free "$uuid"

# ---- room again -------------------------------------------------------------------------------------

check "gc" xenpod gc --grace-period=0
start after --memory=96M $images/worker.aci
expect_end after 0 exited finished

inside_end
