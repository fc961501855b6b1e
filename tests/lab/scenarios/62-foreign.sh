#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: full
# PODS: 5
# LIMIT: 2400
#
# Other toolstacks: what xl does to a pod is noticed, obeyed and told apart from what was asked for. A
# domain with this store's marker that no pod accounts for is named, with the evidence, and collected; a
# stranger's is never touched.
# shellcheck source=tests/lab/fleet.sh
. "$(dirname "$0")/../fleet.sh"

# history UUID: "EVENT FROM TO CAUSE" of each of its turns.
history() {
	status "$1" '.history[] | .event + " " + .from + " " + .to + " " + .cause'
}

has_history() {
	history "$1" | grep -qx "$2"
}

# is_external UUID NAMES: what others have changed.
is_external() {
	[ "$(status "$1" '.pod.domain.external | sort | join(",")')" = "$2" ]
}

# xl_made NAME MEMORY UUID: a paused domain that xl makes, of the guest's kernel alone; prints its domid.
xl_made() {
	printf '%s\n' "name = \"$1\"" 'type = "pv"' "memory = $2" "kernel = \"$inside/guest/vmlinux\"" \
		"uuid = \"$3\"" 'on_crash = "preserve"' >"$inside/$1.cfg"
	xl create -qp "$inside/$1.cfg" && xl domid "$1"
}

# mark DOMID STORE: as libxl does it for a pod's domain.
mark() {
	xenstore-write "/local/domain/$1/xenpod/store" "$2" "/local/domain/$1/xenpod/generation" 1
}

store_id() {
	sqlite3 -readonly $datadir/store.db "SELECT value FROM meta WHERE key = 'store_id'"
}

plan() {
	xenpod gc --dry-run --json | jq -r ".domains[] | select(.uuid == \"$1\") | $2"
}

planned() {
	[ "$(plan "$1" .action)" = waiting ]
}

collected() {
	[ "$(health .orphans_collected)" -ge "$1" ] && no_domain "$2" && no_domain "$3"
}

pods_begin
mkdir -p $inside/guest
tar -xf /usr/local/lib/xenpod/stage1-xen.aci -C $inside/guest --strip-components=2 rootfs/xenpod/vmlinux

# ---- xl and a pod --------------------------------------------------------------------------------------

launch held --memory=128M
runs held
d=$(domid "$uuid")
check "xl pause" xl pause "$uuid"
soon "it is noticed" 150 in_state "$uuid" paused
check "as somebody else's doing" has_history "$uuid" 'domain-paused running paused external'
truth "a paused pod"
# Nothing tells of that: the next full look does, one a minute.
check "xl unpause" xl unpause "$uuid"
soon "it is noticed" 150 in_state "$uuid" running
check "as somebody else's doing" has_history "$uuid" 'domain-runs paused running external'
check "xl rename" xl rename "$uuid" another-name
check "xl mem-set" xl mem-set another-name 112
soon "both are noticed as somebody else's doing" 120 is_external "$uuid" memory,name
expect_eq "it is the same pod, and runs" "$(status "$uuid" '.pod | .word + " " + (.domid | tostring)')" "running $d"
truth "a renamed and smaller pod"
check "it can be stopped" timeout 240 xenpod stop "$uuid"
expect_end held 0 exited stopped
truth "after that"
check "its logs go with it: gc" xenpod gc --grace-period=0
truth "a renamed pod is gone"

launch shut
runs shut
check "xl shutdown" xl shutdown "$uuid"
expect_end shut 0 exited shutdown
launch slain
runs slain
check "xl destroy" xl destroy "$uuid"
expect_end slain 254 exited destroyed
truth "after xl shutdown and xl destroy"

# ---- orphans --------------------------------------------------------------------------------------------

theirs=0a0a0a0a-0000-4000-8000-000000000001
ours=0a0a0a0a-0000-4000-8000-000000000002
plain=0a0a0a0a-0000-4000-8000-000000000003
for one in theirs ours plain; do
	made=$(xl_made $one 96 "${!one}") || bail "xl makes a domain" "$made"
	case $one in
	theirs) mark "$made" 00000000000000000000000000000000 ;;
	ours) mark "$made" "$(store_id)" ;;
	esac
done

# A pod whose row is lost while the supervisor is down, and whose `run` is gone as well.
launch forgotten
runs forgotten
systemctl stop xenpodd xenpod-admin.socket xenpod-status.socket
kill -9 "$(cat $t/forgotten.pid)"
sqlite3 $datadir/store.db "PRAGMA foreign_keys = ON; DELETE FROM pods WHERE uuid = '$uuid'"
systemctl start xenpodd
soon "a supervisor that knows nothing of it" 180 supervisor_runs
soon "the lost pod's domain is named" 120 planned "$uuid"
soon "so is one that only carries our marker" 120 planned "$ours"
expect_eq "why" "$(plan "$ours" .why)" 'no pod has this UUID'
expect_eq "nothing of the strangers" "$(xenpod gc --dry-run --json | jq -r '.domains[].uuid' | grep -cE "$theirs|$plain")" 0
check "both are there until the grace is over" test -n "$(domid "$uuid")" -a -n "$(domid ours)"
check "gc" xenpod gc --grace-period=0
soon "they are collected" 240 collected 2 "$uuid" $ours
expect_match "the journal says it" "$(journalctl -b -u xenpodd -o cat)" "$ours"
truth "orphans are collected"
expect_eq "the strangers are there" "$(domid theirs >/dev/null && domid plain >/dev/null && echo both)" both
xl destroy theirs
xl destroy plain
rm -f /var/log/xen/console/guest-{theirs,ours,plain}.log /var/log/xen/xl-{theirs,ours,plain}.log*
pods_end
