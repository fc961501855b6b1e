#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: full
# PODS: 6
# LIMIT: 2400
#
# A Xen that can run PVH, on a machine of its own: a pod on request as PVH, and PV when nothing is
# said, since this hypervisor can run that too. Both end with their app's code and leave nothing.
here=$(dirname "$(realpath "$0")")

if [ "${LAB_INSIDE-}${PVH_MACHINE-}" = '' ]; then
	export XENLAB_NAME=${XENLAB_NAME:-main}-pvh XENLAB_VARIANT=pvh PVH_MACHINE=1
	"$here/../xenlab" up --fresh >&2 && bash "$here/../setup.sh" >&2 || exit 1
	bash "$0"
	rc=$?
	"$here/../xenlab" destroy >/dev/null 2>&1
	exit $rc
fi
# shellcheck source=tests/lab/pods.sh
. "$here/../pods.sh"

type_of() {
	xl list -l "$uuid" | jq -r '.[0].config.c_info.type'
}

# QEMU's emulation of nested paging now and then lets a guest's CPU go on with Xen's own registers, which
# ends in a triple fault: no fault of the pod's (nothing of ours runs in a CPU without a kernel). Once
# more then; the hypervisor's words are shown.
emulator_fault() {
	xl dmesg -c | sed 's/^/# /' >$t/dmesg
	grep 'Triple fault' -A 8 $t/dmesg
}

# A whole life; what is seen of it is judged afterwards.
life() {
	start pvh --memory=128M --type=pvh $images/worker.aci -- 4 20
	until_true 300 in_state "$uuid" 'running|exited|failed'
	kind=$(type_of)
	in_pod worker /bin/true
	entered=$?
	until_true 300 test -s $t/pvh.code
	! emulator_fault
}

pods_begin

xl dmesg -c >/dev/null
for try in 1 2 3 4 5; do
	! life || break
	echo "# try $try: the emulator confused guest and Xen"
done
expect_eq "it is a PVH domain" "$kind" pvh
expect_eq "enter works in it" "$entered" 0
expect_end pvh 4 exited finished
expect_eq "its output" "$(cat $t/pvh.out)" $'worker: working for 20 s\nworker: done, code 4'

start auto --memory=128M $images/worker.aci -- 0 20
runs auto
expect_eq "without a word it is PV" "$(type_of)" pv
expect_end auto 0 exited finished

pods_end
