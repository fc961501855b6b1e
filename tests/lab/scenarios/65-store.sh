#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: full
# PODS: 11
# LIMIT: 3600
#
# The database is lost while ten pods run, two of them networked: cut short, removed, overwritten under a
# supervisor that goes on; and once it is of a version to come, which is no loss. Each time the same domains
# run on, the supervisor finds them again by what Xen and the host have of them, says loudly what has
# happened, and the checker finds no difference.
# shellcheck source=tests/lab/fleet.sh
. "$(dirname "$0")/../fleet.sh"

# What the first networked pod of a host leaves to all others: the checker knows whose the rest is.
# shellcheck disable=SC2034 # lib.sh's
LEFTOVERS_IGNORE='file /var/lib/cni/networks|mount /run/netns tmpfs|nft '
store=$datadir/store.db
sockets=(xenpod-admin.socket xenpod-status.socket)

# Both: a question to a socket would start it again.
supervisor_down() {
	systemctl stop xenpodd "${sockets[@]}"
	! pidof xenpodd >/dev/null || bail "the supervisor is down"
}

# put_aside: how many databases were put aside.
put_aside() {
	find $datadir -name 'store.db.corrupt-*' ! -name '*-wal' ! -name '*-shm' | wc -l
}

# found_again WHAT COUNT: after a start on a lost database, COUNT of which were put aside by now.
found_again() {
	soon "$1: a supervisor has taken up the work" 180 supervisor_runs
	expect_eq "$1: the same domains" "$(domids)" "$before"
	truth "$1"
	expect_eq "$1: put aside, never removed" "$(put_aside)" "$2"
	expect_match "$1: the journal says it as an error" \
		"$(journalctl -b -u xenpodd -p err -o cat -n 20)" 'database was lost'
	expect_match "$1: Health says why" "$(health '.rebuilt // "" | tostring')" '[a-z]'
	expect_match "$1: so does xenpod-status" "$(xenpod-status 2>&1 >/dev/null)" 'database was lost'
	check "$1: xenpod fsck finds nothing" xenpod fsck
}

# stops NAME CODE: a pod that was found again is as good as any.
stops() {
	use "$1"
	check "$1 can be stopped" timeout 240 xenpod stop "$uuid"
	expect_end "$1" "$2" exited stopped
	expect_eq "$1: its code is told" "$(rkt_status busybox)" "$2"
	before=$(grep -v "$uuid" <<<"$before")
}

pods_begin
start net1 --net=default --memory=64M $images/busybox.aci -- -c "$quiet"
start net2 --net=default --memory=64M $images/busybox.aci -- -c "$quiet"
for n in 1 2 3 4 5 6 7 8; do
	launch "pod$n"
done
patiently 900 up_are 10 || bail "ten pods run" "$(xenpod-status; tail -n 3 $t/*.err)"
truth "ten pods run"
before=$(domids)
id=$(cat $store.id)

# ---- cut short ----------------------------------------------------------------------------------------

supervisor_down
# The file grows by a MiB at a time: its end is empty.
truncate -s 20480 $store
systemctl start "${sockets[@]}" xenpodd
found_again "cut short" 1
stops pod1 0
truth "cut short, and a pod stopped"

# ---- removed --------------------------------------------------------------------------------------------

supervisor_down
rm -f $store $store-wal $store-shm
systemctl start "${sockets[@]}" xenpodd
found_again "removed" 1
expect_eq "removed: it is the same store to Xen's domains" \
	"$(sqlite3 -readonly $store "SELECT value FROM meta WHERE key = 'store_id'") $(cat $store.id)" "$id $id"
stops net1 0
truth "removed, and a networked pod stopped"

# ---- overwritten while it is in use -------------------------------------------------------------------------

# All of it in the file, as after an hour of work.
old=$(systemctl show -P MainPID xenpodd)
sqlite3 $store 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
dd if=/dev/urandom of=$store bs=4096 seek=1 count=$(($(stat -c %s $store) / 4096 - 1)) conv=notrunc status=none
# Whoever reads the file meets it, and the supervisor ends to be started anew; what SQLite has in its memory is
# sound, so it may take until the next start.
kill -9 "$old" 2>/dev/null
soon "overwritten: another supervisor" 180 another_supervisor "$old"
found_again "overwritten" 2
stops pod2 0
truth "overwritten, and a pod stopped"

# ---- a version to come --------------------------------------------------------------------------------------

supervisor_down
version=$(sqlite3 $store 'PRAGMA user_version')
sqlite3 $store 'PRAGMA user_version = 4711'
sum=$(sha256sum <$store)
out=$(timeout 30 /usr/local/sbin/xenpodd 2>&1)
expect_match "a newer store is refused in one line" "$? $(wc -l <<<"$out"): $out" '^254 1: .*(newer|4711)'
expect_eq "and is not touched" "$(sha256sum <$store)" "$sum"
expect_eq "nothing more is put aside" "$(put_aside)" 2
sqlite3 $store "PRAGMA user_version = $version"
systemctl start "${sockets[@]}" xenpodd
soon "with the right version the supervisor takes up the work" 180 supervisor_runs
expect_eq "the same domains" "$(domids)" "$before"
truth "after a refused store"

# ---- a new pod, and the end ------------------------------------------------------------------------------------

launch late
runs late
check "it can be stopped" timeout 240 xenpod stop "$uuid"
expect_end late 0 exited stopped
stop_all
truth "when all are stopped"
check "gc gives back the networks of pods that were found again" xenpod gc --grace-period=0
truth "after gc"
# A store of which nothing is told, for whoever comes next.
supervisor_down
rm -rf $store* $datadir/records
systemctl start "${sockets[@]}" xenpodd
pods_end
