#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: full
# PODS: 1
#
# What is wrong is said in one line that names it, with exit code 254; nothing has changed then, and
# a pod that runs meanwhile goes on.
# shellcheck source=tests/lab/pods.sh
. "$(dirname "$0")/../pods.sh"

# one_line WHAT ERE COMMAND...
one_line() {
	local out rc=0

	out=$("${@:3}" 2>&1 </dev/null) || rc=$?
	expect_eq "$1: exit code" $rc 254
	expect_match "$1: one line that names it" "$out" "^[^"$'\n'"]*($2)[^"$'\n'"]*\$"
}

# refused WHAT ERE COMMAND...: and nothing has changed.
refused() {
	local what=$1 before

	before=$(known)
	one_line "$@"
	expect_eq "$what: nothing has changed" "$(known)" "$before"
}

# Pods that supervisor and data directory know.
known() {
	xenpod-status --json 2>/dev/null | jq -c '.pods[] | [.uuid, .state]'
	[ "$keep" = yes ] || xenpod gc --grace-period=0 >/dev/null 2>&1
	find $datadir/pods -mindepth 2 -maxdepth 2
}

# A run that comes as far as its stage1 leaves what was prepared for it, until gc, as with rkt.
refused_in_stage1() {
	keep=no
	refused "$@"
	keep=yes
	observed=$((observed + 1))
}

run_small() {
	xenpod run --memory=128M "$@"
}

nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}

keep=yes
pods_begin
bad=$inside/bad
mkdir -p $bad/image/rootfs $bad/later $bad/run $bad/stage1

# ---- images -------------------------------------------------------------------------------------

head -c 5000 $images/worker.aci >$bad/cut.aci
head -c 5000 /dev/urandom >$bad/noise.aci
refused "an image that is not there" 'nowhere\.aci' run_small $bad/nowhere.aci
refused "an archive that was cut off" 'cut\.aci' run_small $bad/cut.aci
refused "bytes that are no archive" 'noise\.aci' run_small $bad/noise.aci
refused "an image without a manifest" 'manifest' run_small $bad/image
echo '{"acKind": "ImageManifest", ' >$bad/image/manifest
refused "a manifest that is no JSON" 'manifest' run_small $bad/image
echo '{"acKind": "ImageManifest", "acVersion": "0.8.11", "name": "Not A Name"}' >$bad/image/manifest
refused "a manifest with a wrong name" 'Not A Name|"name"' run_small $bad/image

# ---- flags and who asks -------------------------------------------------------------------------

refused "an unknown flag" '\-\-frobnicate' xenpod run --frobnicate $images/worker.aci
refused "a size that is none" 'banana' xenpod run --memory=banana $images/worker.aci
refused "an unknown verb" 'frobnicate' xenpod frobnicate
refused "a UUID that is none" 'banana' xenpod stop banana
refused "not root: run" 'root' nobody xenpod run $images/worker.aci
refused "not root: stop" 'root' nobody xenpod stop 0f0e0d0c-0000-4000-8000-000000001000
refused "not root: the supervisor" 'root|permission|Permission' \
	nobody xenpodd --state-dir=$bad/later --run-dir=$bad/run

# ---- a stage1 without its kernel ----------------------------------------------------------------

tar -xf /usr/local/lib/xenpod/stage1-xen.aci -C $bad/stage1
rm $bad/stage1/rootfs/xenpod/vmlinux
refused_in_stage1 "a stage1 without a kernel" 'xenpod/vmlinux' run_small --stage1-path=$bad/stage1 $images/worker.aci

# ---- a store that is newer ----------------------------------------------------------------------

sqlite3 $datadir/store.db ".backup $bad/later/store.db"
sqlite3 $bad/later/store.db 'pragma user_version = 9999'
sum=$(sha256sum $bad/later/store.db)
refused "a store from a newer version" '9999|newer' \
	xenpodd --state-dir=$bad/later --run-dir=$bad/run --libexec-dir=/usr/local/lib/xenpod
expect_eq "it is as it was" "$(sha256sum $bad/later/store.db)" "$sum"

# ---- no supervisor ------------------------------------------------------------------------------

systemctl stop xenpodd.service xenpod-admin.socket xenpod-status.socket 2>/dev/null
one_line "no supervisor" 'supervisor|xenpodd' run_small $images/worker.aci
expect_eq "root is shown what the store says" "$(xenpod-status --json 2>/dev/null | jq -r .source)" store
check_not "others are not" nobody xenpod-status
systemctl start xenpod-admin.socket xenpod-status.socket xenpodd.service
soon "the supervisor is back" 120 supervisor_runs
check "what was prepared goes with gc" xenpod gc --grace-period=0
expect_eq "and nothing has changed" "$(records)" ''
observed=$((observed + 1))

# ---- a pod that runs ----------------------------------------------------------------------------

start one --memory=128M $images/ticker.aci
runs one
refused "a second supervisor" 'another|already|in use' \
	xenpodd --run-dir=$bad/run --libexec-dir=/usr/local/lib/xenpod
refused "a second pod of the same UUID" "$uuid" run_small --uuid="$uuid" $images/worker.aci
refused "rm of a pod that runs" "$uuid" xenpod rm "$uuid"
expect_eq "gc lets it be" "$(xenpod gc --grace-period=0 2>&1)" ''
state_nodes=/local/domain/$(domid "$uuid")/data/xenpod
for node in pod app/0 next; do
	for value in '' nonsense '99999999999999999999 running' '9 done 70000' '9 running extra' \
		"9 failed $(printf 'x%.0s' {1..1000})" $'9\x01running'; do
		xenstore-write "$state_nodes/$node" "$value"
	done
done
xenstore-write "$state_nodes/app/31" '9 exited 0' "$state_nodes/pod/x" '9 done 0'
goes_on one
check "the pod runs all the same" in_state "$uuid" running
check "so does the supervisor" supervisor_runs
xenpod stop "$uuid" >/dev/null
expect_end one 0 exited stopped

pods_end
