#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: full
# PODS: 3
# LIMIT: 3000
#
# `xenpod host services` on a Dom-0 that starts none of Xen's services: systemd's units for them are put aside
# and it is rebooted. Then a real runsvdir, setup, all four up in order and the supervisor with them, a pod runs
# and goes on while the supervisor is killed, teardown is refused under it and works without it. After
# a reboot the same with units that setup makes, which a further boot starts by itself. At the end the units of
# before are back, and all is as it was.
if [ "${LAB_INSIDE-}" != 1 ]; then
	# shellcheck source=tests/lab/lib.sh
	. "$(dirname "$0")/../lib.sh"
	# shellcheck source=tests/lab/parts.sh
	. "$(dirname "$0")/../parts.sh"
	scenario_send
	scenario_part before
	[ "$failed" -eq 0 ] || finish
	check "a reboot into a Dom-0 without Xen's services" "$xenlab" reboot
	scenario_part under_runit
	check "a reboot, for a boot has one xenstored" "$xenlab" reboot
	scenario_part under_systemd
	check "a reboot with the units that setup has made" "$xenlab" reboot
	scenario_part after_boot
	check "a reboot with systemd's units again" "$xenlab" reboot
	scenario_part as_before
	finish
fi
# shellcheck source=tests/lab/fleet.sh
. "$(dirname "$0")/../fleet.sh"
aside=/root/aside-units
units=/etc/systemd/system
xens=(xenstored.service xen-init-dom0.service xenconsoled.service xen-qemu-dom0-disk-backend.service xen.service
	proc-xen.mount)
ours=(xenpodd.service xenpod-admin.socket xenpod-status.socket xenpod-pods.service)
four="xenstored xen-init-dom0 xenconsoled xen-init-dom0-disk-backend"

before() {
	until_true 120 supervisor_runs || bail "the supervisor that setup.sh has installed runs"
	[ -z "$(records)" ] || bail "the machine has no pods to begin with" "$(xenpod-status)"
	expect_eq "by systemd all four are up" "$(xenpod host services status | awk '{ print $1, $2 }' | paste -sd' ')" \
		"up xenstored up xen-init-dom0 up xenconsoled up xen-init-dom0-disk-backend"
	said=$(xenpod host services setup)
	expect_match "there is nothing to set up: $said" "$said" "is so +Xen's services: $units/xen.*\.service starts them"
	expect_match "for runit it is refused while another xenstored runs" "$(xenpod host services setup --runit 2>&1)" \
		'xenstored runs already \(process [0-9]+\)'
	systemctl disable -q --now "${ours[@]}"
	mkdir "$aside"
	cp "$units"/lab-ready.service "$aside"/
	mv "${xens[@]/#/$units/}" "$aside"/
	# Debian's script of that name must not start them either.
	ln -s /dev/null "$units"/xen.service
	sed -i 's/xen\.service //' "$units"/lab-ready.service
	systemctl daemon-reload
	sync
}

# All of /etc, byte for byte.
etc() {
	find /etc -xdev -printf '%p %y %m %U:%G %l\n' | grep -v '^/etc d ' | sort
	find /etc -xdev -type f -print0 | sort -z | xargs -0 sha256sum
}

ups() {
	awk '$1 == "up" { print $2 }' | paste -sd' '
}

up_under_runit() {
	local said

	# As without systemd, whose children xenpodd takes for such as have a journal.
	systemd-run -q --unit=lab-runsvdir -p KillMode=mixed env -u INVOCATION_ID runsvdir -P /etc/service
	said=$(xenpod host services setup --runit --xenpodd 2>&1) ||
		not_ok "xenpod host services setup --runit --xenpodd" "$said"
	documented "xenpod host services setup --runit" <(echo "$said")
	expect_eq "setup: all are up, in order" "$(ups <<<"$said")" "$four xenpodd"
	expect_eq "setup again: all is so" "$(xenpod host services setup 2>&1 | grep -vcE '^(is so|up) ')" 0
	# As in the walk-through; the supervisor has a log beside it.
	# shellcheck disable=SC2011 # the names are ours
	said=$(ls /etc/service | xargs -L 1 -I {} sv status {})
	expect_eq "sv status: run: $said" "$(grep -cE '^run: [a-z0-9-]+: \(pid [0-9]+\) [0-9]+s(; run: log: .*)?$' <<<"$said")" 5
	expect_eq "xl list" "$(xl list | awk 'NR > 1 { print $1 }')" Domain-0
	said=$(xenpod host services status) || not_ok "status: exit status"
	expect_eq "status: $said" "$(ups <<<"$said")" "$four xenpodd"
	expect_eq "status --json" "$(xenpod host services status --json | jq -c '[.by, .up, (.services | map(.answers) | all)]')" \
		'["runit",true,true]'
}

another() {
	[ -n "$1" ] && [ "$(cat /run/xenpod-sv.xenpodd/pid)" != "$1" ] && supervisor_runs
}

pods() {
	local pid

	soon "the supervisor serves" 120 supervisor_runs
	launch one
	runs one
	expect_eq "a command in it" "$(in_pod busybox echo inside)" inside
	pid=$(cat /run/xenpod-sv.xenpodd/pid)
	kill -9 "$pid"
	check_not "the supervisor is killed: the pod's lock is held" lock_free "$uuid"
	soon "runit starts another one" 120 another "$pid"
	in_state "$uuid" running || not_ok "the pod has gone on" "$(xenpod-status)"
	check_not "its lock is held still" lock_free "$uuid"
	truth "the supervisor was killed"
	check "sv restart xenpodd" sv -w 60 restart xenpodd
	soon "it serves again" 120 supervisor_runs
	truth "the supervisor was restarted"
	expect_match "its log" "$(cat /var/log/xenpodd/current)" '.'
	expect_match "teardown is refused" "$(xenpod host services teardown 2>&1)" 'domains run \([0-9]+\)'
	expect_eq "and has stopped nothing" "$(xenpod host services status | ups)" "$four xenpodd"
	stop_all
	expect_eq "gc" "$(xenpod gc --grace-period=0 2>&1 >/dev/null)" ''
	truth "after gc"
}

# Of the image's own services of runit one is there.
nothing_runs() {
	! pgrep -x 'oxenstored|xenconsoled|xenpodd|xen-qemu-system' && ! pgrep -af '^runsv xen'
}

under_runit() {
	local said

	check_not "no xenstored runs" pgrep -x 'oxenstored|xenstored'
	said=$(xenpod host services status)
	expect_eq "status says so: $? $said" "$(grep -c '^down' <<<"$said")" 4
	etc >"$scratch/before"
	up_under_runit
	pods
	said=$(xenpod host services teardown 2>&1) || not_ok "xenpod host services teardown" "$said"
	documented "xenpod host services teardown" <(echo "$said") '/group|sysusers/d'
	expect_eq "teardown: in the other order" "$(awk '$1 == "stopped" { print $2 }' <<<"$said" | paste -sd' ')" \
		"xenpodd xen-init-dom0-disk-backend xenconsoled xen-init-dom0 xenstored"
	# runsvdir looks after its children now and then.
	soon "nothing of it runs" 20 nothing_runs
	etc >"$scratch/after"
	expect_eq "/etc is as before, byte for byte" "$(diff "$scratch/before" "$scratch/after")" ''
	expect_match "xenstored cannot be started again in this boot" "$(xenpod host services setup --runit 2>&1)" \
		'reboot the host first'
	systemctl stop lab-runsvdir
	rm -rf /var/log/xenpodd
	cp "$scratch/before" /root/etc-before
	sync
}

under_systemd() {
	local said

	check_not "no xenstored runs" pgrep -x 'oxenstored|xenstored'
	said=$(xenpod host services setup 2>&1) || not_ok "xenpod host services setup" "$said"
	expect_eq "by itself it makes units here: all are up, in order" "$(ups <<<"$said")" "$four"
	expect_eq "xl list" "$(xl list | awk 'NR > 1 { print $1 }')" Domain-0
	expect_eq "setup again: all is so" "$(xenpod host services setup 2>&1 | grep -vcE '^(is so|up) ')" 0
	sync
}

after_boot() {
	local said

	until_true 240 xenpod host services status
	expect_eq "a boot starts them" "$(xenpod host services status | ups)" "$four"
	check "the supervisor after them" systemctl start xenpodd
	soon "it serves" 120 supervisor_runs
	launch three
	runs three
	stop_all
	expect_eq "gc" "$(xenpod gc --grace-period=0 2>&1 >/dev/null)" ''
	systemctl stop -q "${ours[@]}"
	said=$(xenpod host services teardown 2>&1) || not_ok "xenpod host services teardown" "$said"
	expect_eq "teardown: in the other order" "$(awk '$1 == "stopped" { print $2 }' <<<"$said" | paste -sd' ')" \
		"xen-init-dom0-disk-backend xenconsoled xen-init-dom0 xenstored"
	etc >"$scratch/after"
	expect_eq "/etc is as before, byte for byte" "$(diff /root/etc-before "$scratch/after")" ''
	rm /root/etc-before
	rm "$units"/xen.service
	mv "$aside"/* "$units"/
	rmdir "$aside"
	systemctl daemon-reload
	systemctl enable -q "${ours[@]}"
	sync
}

as_before() {
	soon "the supervisor is there again" 300 supervisor_runs
	expect_eq "by systemd all four are up again" "$(xenpod host services status | ups)" "$four"
	launch two
	runs two
	stop_all
	expect_eq "gc" "$(xenpod gc --grace-period=0 2>&1 >/dev/null)" ''
	expect_eq "no unit has failed" "$(systemctl list-units --failed --plain --no-legend)" ''
	expect_eq "nothing of runit is left" "$(find /etc/service/ /etc/xenpod /run -maxdepth 1 -name '*xen*-sv*' -o -path '/etc/service/xen*' 2>/dev/null)" ''
	truth "the end"
}

mkdir -p "$t"
"$PART"
finish
