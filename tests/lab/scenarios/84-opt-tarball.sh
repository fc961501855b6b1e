#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: full
# PODS: 1
# LIMIT: 1800
#
# The walk-through's last section, from the tarball for /opt and nothing else of ours: unpacked, the supervisor
# set up from there, a pod at a terminal that sees a Xen PV guest and 9pfs, its row in the list and in `xl list`,
# a stop by the beginning of its UUID; then all of it is taken away again. What setup.sh has installed goes aside
# for the time. `xenpod` stands for rkt here: tests/contract/xenpod-run.sh holds it against rkt's contract.
if [ "${LAB_INSIDE-}" != 1 ]; then
	# shellcheck source=tests/lab/lib.sh
	. "$(dirname "$0")/../lib.sh"
	# shellcheck source=tests/lab/parts.sh
	. "$(dirname "$0")/../parts.sh"
	check "make dist-opt" make -C "$top" --no-print-directory dist-opt
	lab_put "$top/build/dist/stage1-xen-build.tar.gz" /root/stage1-xen-build.tar.gz || bail "the tarball is in Dom-0"
	scenario_send
	scenario_part "all"
	finish
fi
# shellcheck source=tests/lab/fleet.sh
. "$(dirname "$0")/../fleet.sh"
# shellcheck source=tests/lab/packages.sh
. "$(dirname "$0")/../packages.sh"
opt=/opt/stage1-xen

remove() {
	[ ! -x $opt/bin/xenpod ] || {
		$opt/bin/xenpod stop --all --force
		$opt/bin/xenpod gc --grace-period=0
		$opt/bin/xenpod host services teardown
	} >/dev/null 2>&1
	rm -rf $opt /root/stage1-xen-build.tar.gz
	put_back
}
# shellcheck disable=SC2154 # scratch is lib.sh's
trap 'remove; rm -rf "$scratch"; kill $(jobs -p) 2>/dev/null' EXIT

# All of /etc but accounts: the group of who may look stays.
belongings() {
	find /etc /usr /opt -xdev -printf '%p %y %m %U:%G %l\n' |
		grep -vE '^/etc/(\.pwd\.lock|((passwd|shadow|group|gshadow)-?)) |^/(etc|opt|etc/systemd/system) d '
	find /etc -xdev -type f ! -name '*-' ! -name group ! -name gshadow ! -name '.pwd.lock' -exec sha256sum {} +
}

until_true 120 supervisor_runs || bail "the supervisor that setup.sh has installed runs"
[ -z "$(records)" ] || bail "the machine has no pods to begin with" "$(xenpod-status)"
put_aside
mkdir -p $t
belongings | sort >"$scratch/before"

# ---- unpack, set up ----------------------------------------------------------------------------------

check "tar zxf stage1-xen-build.tar.gz -C /opt" tar zxf /root/stage1-xen-build.tar.gz -C /opt
expect_match "ls /opt" "$(ls /opt)" stage1-xen
# shellcheck source=dist/source_path.sh
. $opt/bin/source_path.sh
hash -r
expect_eq "source_path.sh: xenpod is that of /opt" "$(type -P xenpod) $(type -P xenpodd)" "$opt/bin/xenpod $opt/sbin/xenpodd"
said=$(xenpod host services setup --xenpodd 2>&1) || not_ok "xenpod host services setup --xenpodd" "$said"
documented "xenpod host services setup --xenpodd" <(echo "$said") 's,/run/systemd/generator.late,/etc/systemd/system,'
expect_match "Xen's services are the distribution's" "$said" "is so +Xen's services: .*xen.*\.service starts them"
expect_match "the supervisor is up" "$said" 'up +xenpodd \(answers\)'
expect_match "it runs out of /opt" "$(readlink "/proc/$(systemctl show -P MainPID xenpodd)/exe")" "^$opt/sbin/xenpodd$"
expect_eq "no other program of ours is there" "$(installed | grep -v /usr/lib/xen)" ''
expect_eq "setup again changes nothing" "$(xenpod host services setup --xenpodd 2>&1 | grep -cE '^(done|undone)')" 0
expect_match "status" "$(xenpod host services status)" 'up +xenpodd'

# ---- run ---------------------------------------------------------------------------------------------

rm -f $t/alpine.uuid
# As rkt calls a stage1: it passes --net=default where nobody says otherwise, `xenpod run` only when told to. Memory
# and CPUs are those of a pod whose apps have no isolators: 1 GiB, 2. In the walk-through nothing restricts an app,
# and the kernel's log is for who has CAP_SYSLOG.
# shellcheck disable=SC2016 # for the shell in the domain
python3 $inside/tools/typist.py 40x120 'wait # 
type dmesg | grep -i xen\r
wait 9pfs
wait # 
type echo at $((20+1))\r
wait at 21
end' xenpod run --interactive --net=default --insecure-options=image,all-run --uuid-file-save=$t/alpine.uuid \
	--stage1-path=$opt/aci/stage1-xen.aci $images/busybox.aci >"$t/terminal" 2>&1 &
person=$!
soon "a person has typed in the pod" 400 grep -q 'at 21' "$t/terminal"
uuid=$(cat $t/alpine.uuid)
short=${uuid%%-*}
seen=$(tr -d '\r' <"$t/terminal")
expect_match "dmesg: a Xen PV guest" "$seen" 'Hypervisor detected: Xen PV'
expect_match "dmesg: its kernel boots on Xen" "$seen" 'Booting (paravirtualized )?kernel on Xen'
expect_match "dmesg: 9pfs" "$seen" 'Initialising Xen transport for 9pfs'

list=$(xenpod list)
expect_match "list: its headings" "$list" 'UUID +APP +IMAGE +STATE +CREATED +STARTED +NETWORKS'
expect_match "list: the pod, with its address" "$list" "$short +busybox +.* running .* default:ip4=172\.16\.28\.[0-9]+"
expect_match "xl list: its UUID, 1024 MB, 2 vCPUs" "$(xl list)" "$uuid +[0-9]+ +1024 +2 "
expect_match "stop by the beginning of its UUID" "$(xenpod stop "$short" 2>&1)" "$uuid"
soon "xl list: only Domain-0 is left" 120 no_domain "$uuid"
expect_match "xl list is as before" "$(xl list | tail -n +2)" '^Domain-0[^'$'\n'']*$'
wait $person
expect_match "the terminal is given back" "$(tail -n 2 "$t/terminal")" 'terminal as before'

# ---- and back ------------------------------------------------------------------------------------------

expect_eq "gc" "$(xenpod gc --grace-period=0 2>&1 >/dev/null)" ''
truth "after gc"
check "xenpod host services teardown" xenpod host services teardown
expect_eq "the slice of pods is gone, too" "$(systemctl show -P ActiveState xenpod.slice)" inactive
expect_eq "Xen's services were left alone" "$(systemctl is-active xenstored xenconsoled xen | paste -sd' ')" 'active active active'
rm -rf $opt
belongings | sort >"$scratch/after"
expect_eq "/etc, /usr, /opt are as before" "$(diff "$scratch/before" "$scratch/after" | head -n 10)" ''
hash -r
PATH=${PATH//$opt\/bin:/}
PATH=${PATH//$opt\/sbin:/}
remove
soon "what setup.sh had installed is back" 120 supervisor_runs
expect_eq "no unit has failed" "$(systemctl list-units --failed --plain --no-legend)" ''
finish
