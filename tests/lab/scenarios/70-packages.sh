#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: full
# PODS: 4
# LIMIT: 3600
#
# From the Debian packages only: installed, started by a question to a socket, a pod's journal, an upgrade,
# a stop of the supervisor, a removal and a new installation while three pods run, and a purge after which
# nothing is left. What setup.sh has installed goes aside for the time and comes back at the end.
# The packages of this very commit are built when they are not there: make deb-next.
if [ "${LAB_INSIDE-}" != 1 ]; then
	# shellcheck source=tests/lab/lib.sh
	. "$(dirname "$0")/../lib.sh"
	# shellcheck source=tests/lab/parts.sh
	. "$(dirname "$0")/../parts.sh"
	# shellcheck source=tests/lab/packages.sh
	. "$(dirname "$0")/../packages.sh"
	debs_send
	scenario_send
	scenario_part
	finish
fi
# shellcheck source=tests/lab/fleet.sh
. "$(dirname "$0")/../fleet.sh"
# shellcheck source=tests/lab/packages.sh
. "$(dirname "$0")/../packages.sh"
# shellcheck disable=SC2154 # scratch is lib.sh's
trap 'put_back; rm -rf "$scratch"; kill $(jobs -p) 2>/dev/null' EXIT

# ---- what the packages change ----------------------------------------------------------------------

# Every path below the folders where packages put things, with its kind, mode and owner, what is in the
# files of /etc, users, groups, units of our name, and who has failed. Not what others write meanwhile:
# dpkg's, the linker's and systemd's own books, copies that who changes /etc/group leaves.
belongings() {
	find /etc /usr /opt /srv /var/lib /var/spool -xdev \
		\( -path /var/lib/dpkg -o -path /var/lib/xen -o -path /var/lib/systemd/timers -o \
		-path /var/lib/systemd/random-seed \) -prune -o -printf '%p %y %m %U:%G %l\n' |
		grep -vE '^/etc/(\.pwd\.lock|(passwd|shadow|group|gshadow)-) '
	find /etc -xdev -type f ! -name '.pwd.lock' ! -name '*-' ! -name ld.so.cache -exec sha256sum {} +
	find /run /dev/shm -xdev -name '*xenpod*'
	getent passwd
	getent group
	systemctl list-units --all --plain --no-legend '*xenpod*'
	systemctl list-unit-files --no-legend '*xenpod*'
	systemctl list-units --failed --plain --no-legend
	dpkg-query -W -f '${binary:Package} ${Status}\n'
}

# domains: "UUID DOMID" of the three pods as Xen says, with nobody of ours asked.
domains() {
	local n

	for n in pod1 pod2 pod3; do
		use $n
		echo "$uuid $(domid "$uuid")"
	done
}

# same_domains DESCRIPTION: as $before has them.
same_domains() {
	expect_eq "$1: the same domains" "$(domains)" "$before"
}

as_before() {
	belongings | sort >"$inside"/after
	cmp -s "$inside"/before "$inside"/after
}

not_running() {
	[ "$(systemctl show -P MainPID xenpodd)" = 0 ]
}

until_true 120 supervisor_runs || bail "the supervisor that setup.sh has installed runs"
[ -z "$(records)" ] || bail "the machine has no pods to begin with" "$(xenpod-status)"
put_aside
expect_eq "nothing of ours is installed" "$(installed; find /etc /run /var/lib/systemd -xdev -name '*xenpod*')" ''
belongings | sort >$inside/before
leftovers_snapshot bare

# ---- installed ----------------------------------------------------------------------------------------

dpkg_does "dpkg -i" -i $debs/*.deb
version=$(dpkg-deb -f $debs/xenpod_*.deb Version)
expect_eq "both packages are installed" "$(versions)" "$version $version "
expect_eq "the program is the package's" "$(command -v xenpod) $(xenpod --version)" \
	"/usr/bin/xenpod xenpod ${version%-*}"
expect_eq "the units are enabled" "$(systemctl is-enabled "${units[@]}" | sort -u)" enabled
expect_eq "the units are active" "$(systemctl is-active "${units[@]}" | sort -u)" active
expect_eq "who may look is in a group" "$(stat -c '%G %a' /run/xenpod/status)" 'xenpod 660'
expect_eq "every file is as it was packed" "$(dpkg -V xenpod xenpod-stage1)" ''

systemctl stop xenpodd.service xenpod-admin.socket xenpod-status.socket
check "systemctl start xenpodd.socket" systemctl start xenpodd.socket
expect_eq "that is both sockets" "$(systemctl is-active xenpod-admin.socket xenpod-status.socket | sort -u)" active
check "the supervisor waits to be asked" not_running
soon "a question to a socket starts it" 120 supervisor_runs

pods_begin
start one --memory=64M $images/worker.aci -- 3
expect_end one 3 exited finished
expect_app one worker 3 3 null
in_journal() {
	journalctl -q -o json "XENPOD_UUID=$uuid" | jq -es "any(.[]; $1)"
}
soon "the journal has its steps" 60 in_journal '.XENPOD_TO == "exited" and .XENPOD_CAUSE == "finished"'
soon "and its output" 60 in_journal \
	'.XENPOD_APP == "worker" and .XENPOD_STREAM == "stdout" and (.MESSAGE | test("done, code 3"))'
expect_match "as people read it" "$(journalctl -q -o cat "XENPOD_UUID=$uuid")" 'runs, domain [0-9]+.*worker: done, code 3'

# ---- upgraded, stopped, removed, installed again: three pods do not notice -----------------------------

fleet 3
truth "three pods run"
before=$(domains)
mapfile -t directories < <(sed "s,^,$datadir/pods/run/,; s, .*,," <<<"$before")
python3 -IS $inside/tools/locks.py "${directories[@]}" >$inside/locks &
prober=$!
until_true 30 grep -q ready $inside/locks || bail "the locks can be asked"

old=$(systemctl show -P MainPID xenpodd)
pods_since=$(systemctl show -P ActiveEnterTimestampMonotonic xenpod-pods.service)
dpkg_does "an upgrade" -i $debs/next/*.deb
soon "upgrade: the new supervisor has taken up the work" 180 another_supervisor "$old"
expect_eq "upgrade: both packages are the next version" "$(versions)" "$version+next $version+next "
expect_eq "upgrade: it is the new program" \
	"$(stat -Lc %i "/proc/$(systemctl show -P MainPID xenpodd)/exe")" "$(stat -c %i /usr/sbin/xenpodd)"
expect_eq "upgrade: what ends pods was not touched" \
	"$(systemctl show -P ActiveEnterTimestampMonotonic xenpod-pods.service)" "$pods_since"
same_domains "upgrade"
truth "after an upgrade"

# The pods' own `run` ask at once, through the socket, and so start the next one.
old=$(systemctl show -P MainPID xenpodd)
check "systemctl stop xenpodd" systemctl stop xenpodd.service
soon "stop: that supervisor is gone, the next one has taken up the work" 180 another_supervisor "$old"
same_domains "stop"
check "systemctl stop, of the sockets too" systemctl stop xenpodd.service xenpodd.socket
soon "stop: nobody serves" 30 not_running
sleep 10
check "stop: and nobody comes to" not_running
same_domains "stop, for longer"
check "systemctl start xenpodd" systemctl start xenpodd.service
soon "stop: a supervisor has taken up the work" 180 supervisor_runs
same_domains "stop, and start"
truth "after a stop"

dpkg_does "a removal while pods run" -r xenpod xenpod-stage1
expect_match "removal: it is told that pods are left" "$(cat $inside/dpkg)" '3 pods are left'
expect_eq "removal: the units are gone" "$(systemctl list-unit-files --no-legend 'xenpod*')" ''
sleep 5
same_domains "removal"
dpkg_does "a new installation" -i $debs/next/*.deb
soon "installation: a supervisor has taken up the work" 180 supervisor_runs
same_domains "installation"
truth "after a removal and an installation"

kill $prober
wait $prober
expect_match "no lock was free for a moment in all of that" "$(cat $inside/locks)" $'^ready\nrounds [0-9]+$'
echo "# locks: $(tail -n 1 $inside/locks)"
use pod1
check "a pod can be entered" timeout 120 xenpod enter "$uuid" /bin/true
stop_all
for n in pod1 pod2 pod3; do
	use $n
	expect_end $n 0 exited stopped
done
truth "when all are stopped"
pods_gone

# ---- purged ------------------------------------------------------------------------------------------------

dpkg_does "purge" -P xenpod xenpod-stage1
until_true 60 as_before # systemd forgets units when it has a moment
expect_eq "purge: files, users, groups and units are as before" "$(diff $inside/before $inside/after)" ''
expect_nothing_left "purge: nothing is left" bare 60

put_back
soon "what setup.sh had installed is back" 120 supervisor_runs
expect_eq "and has no pods" "$(records)" ''
check "its journal entries are explained again" journalctl --list-catalog c4a8df244e654feb8f7eb7f8ca74d40c
finish
