#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: full
# PODS: 0
# LIMIT: 2400
#
# The lab's machine: what was synced survives a reboot and a power cut, a snapshot brings everything
# back, and the journal tells of each boot.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"

boot_id() {
	lab_run cat /proc/sys/kernel/random/boot_id
}

first=$(boot_id)
lab_run 'echo before-reboot >/root/mark; sync'
check "a reboot comes back" "$xenlab" reboot
second=$(boot_id)
check_not "with a new boot id" [ "$first" = "$second" ]
expect_eq "a file outlives the reboot" "$(lab_run cat /root/mark)" before-reboot
check "Xen's services are back" lab_run 'systemctl is-active xen.service && xl list'

lab_run 'echo before-crash >/root/mark; sync /root/mark'
check "a power cut" "$xenlab" crash
"$xenlab" status >/dev/null
expect_eq "the machine is down" $? 3
check "it starts from its disk" "$xenlab" up
third=$(boot_id)
check_not "with a new boot id again" [ "$second" = "$third" ]
expect_eq "a synced file outlives the power cut" "$(lab_run cat /root/mark)" before-crash
check "the journal knows the boot that was cut" lab_run "journalctl --list-boots | grep -q ${second//-/}"

check "a snapshot" "$xenlab" snapshot power-test
lab_run 'echo after-snapshot >/root/mark; sync'
check "the way back" "$xenlab" restore power-test
expect_eq "the disk is as it was" "$(lab_run cat /root/mark)" before-crash
expect_eq "the boot is the same" "$(boot_id)" "$third"
# The answer takes its time on a busy host: the clock is right when it lies between ours.
before=$(date +%s)
clock=$(lab_run date +%s)
check "the clock is right" [ "$clock" -ge $((before - 3)) -a "$clock" -le $(($(date +%s) + 3)) ]
lab_run 'rm -f /root/mark'
finish
