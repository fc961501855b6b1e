#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: full
# PODS: 2
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

pods_begin

start pvh --memory=128M --type=pvh $images/worker.aci -- 4 20
runs pvh
expect_eq "it is a PVH domain" "$(type_of)" pvh
check "enter works in it" in_pod worker /bin/true
expect_end pvh 4 exited finished
expect_eq "its output" "$(cat $t/pvh.out)" $'worker: working for 20 s\nworker: done, code 4'

start auto --memory=128M $images/worker.aci -- 0 20
runs auto
expect_eq "without a word it is PV" "$(type_of)" pv
expect_end auto 0 exited finished

pods_end
