#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: full
# PODS: 14
# LIMIT: 3600
#
# Ten pods run, and then one thing after another goes wrong with what they all stand on: the supervisor
# is replaced, xenstored hangs, xenconsoled dies, a QEMU is killed, somebody's xl holds a domain's lock,
# the disk fills, the clock leaps. Nothing is lost, xenpod-status answers all the while, and the checker
# finds no difference afterwards.
# shellcheck source=tests/lab/fleet.sh
. "$(dirname "$0")/../fleet.sh"

filler=/root/filler
put_right() {
	pkill -CONT -x oxenstored
	pkill -CONT -x xl
	rm -f "$filler"
}
# shellcheck disable=SC2154 # scratch is lib.sh's
trap 'put_right; rm -rf "$scratch"; kill $(jobs -p) 2>/dev/null' EXIT

# same_domains DESCRIPTION: as $before has them.
same_domains() {
	expect_eq "$1: the same domains" "$(domids)" "$before"
}

ended_with() {
	[ "$(status "$1" '.pod | .word + " " + .cause')" = "$2" ]
}

pods_begin
fleet 10
truth "ten pods run"
before=$(domids)

# ---- the supervisor is replaced ---------------------------------------------------------------------

binary=/usr/local/sbin/xenpodd
cp -a $binary $binary.old
mapfile -t directories < <(find $datadir/pods/run -mindepth 1 -maxdepth 1)
python3 -IS $inside/tools/locks.py "${directories[@]}" >$inside/locks &
prober=$!
until_true 30 grep -q ready $inside/locks || bail "the locks can be asked"
cp -a $binary $binary.new && echo >>$binary.new && mv $binary.new $binary
old=$(systemctl show -P MainPID xenpodd)
check "an upgrade" systemctl restart xenpodd
soon "the new supervisor has taken up the work" 180 another_supervisor "$old"
expect_eq "it is the new program" "$(stat -Lc %i "/proc/$(systemctl show -P MainPID xenpodd)/exe")" "$(stat -c %i $binary)"
kill $prober
wait $prober
expect_match "no lock was free for a moment" "$(cat $inside/locks)" $'^ready\nrounds [0-9]+$'
echo "# locks: $(tail -n 1 $inside/locks)"
same_domains "an upgrade"
truth "after an upgrade"
mv $binary.old $binary
systemctl restart xenpodd

# ---- xenstored hangs ----------------------------------------------------------------------------------

soon "the supervisor is there" 180 supervisor_runs
pkill -STOP -x oxenstored
answers "xenstored hangs"
soon "degraded is shown" 60 degraded
answers "xenstored hangs, and it is known"
same_domains "while xenstored hangs"
pkill -CONT -x oxenstored
soon "degraded no more" 60 not_degraded
truth "after xenstored has hung"
same_domains "after xenstored has hung"

# ---- xenconsoled dies ---------------------------------------------------------------------------------

pkill -KILL -x xenconsoled
answers "xenconsoled is gone"
truth "without xenconsoled"
systemctl start xenconsoled
truth "after xenconsoled was killed"
same_domains "after xenconsoled was killed"

# ---- the QEMU of a pod is killed ----------------------------------------------------------------------

use pod1
kill -9 "$(pgrep -f -- "-xen-domid $(domid "$uuid") ")"
expect_end pod1 254 exited qemu-lost
truth "after a QEMU was killed"
use pod2
kill -STOP "$(pgrep -f -- "-xen-domid $(domid "$uuid") ")"
check "a pod whose QEMU is stopped: stop" xenpod stop --force "$uuid"
expect_end pod2 137 exited killed
truth "after a stopped QEMU"

# ---- somebody's xl holds the lock of a domain ------------------------------------------------------------

# It takes libxl's lock of the domain, is stopped at that very moment, and has it.
use pod3
strace -o /dev/null -e trace=flock -e inject=flock:signal=SIGSTOP xl mem-max "$uuid" 64 >/dev/null 2>&1 &
xl_lock() {
	local file

	file=$(compgen -G "/var/lib/xen/userdata-l.*.$uuid.domain-userdata-lock") && ! flock -n "$file" true
}
soon "xl holds the domain's lock" 30 xl_lock
xenpod stop --force "$uuid" >/dev/null 2>&1 &
pids+=($!)
soon "the pod's end waits for that" 60 in_state "$uuid" destroying
answers "xl holds a lock"
use pod4
check "another pod can be stopped meanwhile" timeout 240 xenpod stop "$uuid"
expect_end pod4 0 exited stopped
use pod3
pkill -CONT -x xl
soon "the lock is let go: the pod ends" 240 ended_with "$uuid" 'exited killed'
truth "after a lock was held"

# ---- the disk is full ----------------------------------------------------------------------------------

before=$(domids)
mkdir -p /run/lab
fallocate -l $(($(stat -f -c '%f * %S' /) - 1048576)) $filler 2>/dev/null
dd if=/dev/zero of=$filler oflag=append conv=notrunc bs=4k status=none 2>/dev/null
expect_eq "the disk is full" "$(stat -f -c %a /)" 0
answers "the disk is full"
out=$(xenpod run --net=none --memory=64M $images/worker.aci 2>&1)
expect_match "a new pod is refused in one line" "$(wc -l <<<"$out") $?: $out" '^1 .*No space left'
use pod5
check "a pod can be stopped" xenpod stop "$uuid"
soon "its end is told" 120 ended_with "$uuid" 'exited stopped'
expect_eq "and its code" "$(rkt_status busybox)" 0
old=$(systemctl show -P MainPID xenpodd)
kill -9 "$old"
rm -f "$filler"
soon "there is room again: a supervisor has taken up the work" 180 another_supervisor "$old"
truth "after the disk was full"
expect_eq "after the disk was full: the same domains" "$(domids)" "$(grep -v "$uuid" <<<"$before")"

# ---- the clock leaps ten years forth and back ----------------------------------------------------------------

before=$(domids)
date -s '+10 years' >/dev/null
answers "ten years later"
sleep 5
same_domains "ten years later"
truth "ten years later"
use pod6
check "a pod can be stopped" xenpod stop "$uuid"
expect_end pod6 0 exited stopped
launch late
runs late
date -s '-10 years' >/dev/null
answers "ten years earlier"
old=$(systemctl show -P MainPID xenpodd)
kill -9 "$old"
soon "a supervisor that starts then takes up the work" 180 another_supervisor "$old"
truth "back again"
expect_eq "late runs on" "$(state "$uuid")" running
check "and can be stopped" xenpod stop "$uuid"

stop_all
truth "when all are stopped"
# Images that were last used in a time to come count as old, and gc would say that it removes them.
check "a pod of today uses the images" xenpod run --net=none --memory=64M $images/busybox.aci -- -c 'exit 0'
observed=$((observed + 1))
pods_end
