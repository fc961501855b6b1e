#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: full
# PODS: 1
# LIMIT: 3600
#
# `xenpod host efi` for real, on a machine of its own with OVMF: Linux, booted by grub, installs Xen; through
# BootNext the firmware starts it, a pod runs; confirmed it is started again; taken back the ESP and the
# firmware's variables are as they were, byte for byte, and Linux comes up as before.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/lab/efi.sh
. "$(dirname "$0")/../efi.sh"
# shellcheck disable=SC2154 # scratch is lib.sh's
trap 'efi_down; rm -rf "$scratch"' EXIT

stage=$top/build/lab/stage-efi
xenpod_host=/usr/local/bin/xenpod-host

# Partitions and variables at their places, as a distribution's units have them.
# shellcheck disable=SC2317 # called by check
mounted() {
	lab_run 'set -e; modprobe -a efivarfs vfat nls_cp437 nls_ascii
		mountpoint -q /sys/firmware/efi/efivars || mount -t efivarfs efivarfs /sys/firmware/efi/efivars
		mountpoint -q /boot || mount LABEL=boot /boot
		mkdir -p /boot/efi
		mountpoint -q /boot/efi || mount /dev/vdc1 /boot/efi'
}

# Every file of the ESP with its hash, every folder.
esp() {
	lab_run 'cd /boot/efi && find . -type d -printf "%p/\n" -o -type f -exec sha256sum {} + | sort'
}

# Variables that are kept over a boot, byte for byte. Not MTC: the firmware counts its starts there.
# shellcheck disable=SC2016 # for Dom-0
vars() {
	lab_run 'cd /sys/firmware/efi/efivars && for f in *; do
		case $f in MTC-*) continue ;; esac
		[ $((0x$(od -An -tx1 -N1 "$f" | tr -d " ") & 1)) = 0 ] || echo "$f $(od -An -v -tx1 "$f" | tr -d " \n")"
	done'
}

efi() {
	lab_run "$xenpod_host" efi "$@"
}

status() {
	efi status --json | jq -r "$1"
}

# boot NAME: what efibootmgr says of BootOrder, BootNext, BootCurrent.
boot() {
	lab_run efibootmgr | sed -n "s/^$1: //p"
}

efi_up
check "the firmware's variables and the ESP are mounted" mounted
check "xenpod-host is there" lab_put "$top/build/release/bin/xenpod-host" $xenpod_host
expect_match "this is not Xen" "$(lab_run dmesg)" 'efi: EFI v'
check_not "no hypervisor is seen" lab_run 'dmesg | grep -q "Hypervisor detected: Xen"'
esp >"$scratch/esp-before"
vars >"$scratch/vars-before"
expect_match "there is a boot order" "$(cat "$scratch/vars-before")" 'BootOrder-'

# ---- install ------------------------------------------------------------------------------------------

ask=('--dom0-mem=2048M,max:2048M' --console=com1 '--xen-args=dom0_max_vcpus=2 bootscrub=0')
plan=$(efi plan "${ask[@]}" --json)
expect_eq "what is found" "$(jq -r '"\(.esp.at) \(.esp.disk) \(.esp.partition) \(.hypervisor) \(.ramdisk)"' <<<"$plan")" \
	"/boot/efi /dev/vdc 1 /boot/xen-4.17-amd64.efi $(lab_run 'ls /boot/initrd.img-*')"
check_not "confirm comes after Xen" efi confirm
order=$(boot BootOrder)
check "install" efi install "${ask[@]}"
entry=$(status .entry)
expect_eq "only the next boot is Xen's" "$(boot BootNext) $(boot BootOrder)" "${entry#Boot} $order"
expect_match "efibootmgr sees it" "$(lab_run efibootmgr)" "$entry\* Xen \(xenpod\)"
check "take it back without a boot" efi remove
diff <(esp) "$scratch/esp-before" >"$scratch/diff" || true
expect_eq "the ESP is as before" "$(cat "$scratch/diff")" ''
diff <(vars) "$scratch/vars-before" >"$scratch/diff" || true
expect_eq "the variables are as before" "$(cat "$scratch/diff")" ''
efi install "${ask[@]}" >"$scratch/said" 2>&1 || not_ok "install again" "$(cat "$scratch/said")"
documented "xenpod host efi install" "$scratch/said"

# ---- Xen ------------------------------------------------------------------------------------------------

efi_reboot xen
check "mounted in Dom-0" mounted
expect_match "Dom-0 runs on Xen" "$(lab_run dmesg)" 'Hypervisor detected: Xen'
expect_match "Xen was started by EFI" "$(lab_run xl dmesg)" 'EFI'
expect_match "with these options" "$(lab_run xl info)" 'xen_commandline +: .*dom0_mem=2048M,max:2048M'
expect_eq "by the entry, once" "$(boot BootCurrent) $(boot BootNext) $(boot BootOrder)" "${entry#Boot}  $order"
check "xenpod is installed" bash "$lab_dir/deploy.sh" "$stage"
check "a pod runs" lab_run 'timeout 300 xenpod run --memory=128M /root/images/worker.aci -- 0'
efi confirm >"$scratch/said" 2>&1 || not_ok "confirm" "$(cat "$scratch/said")"
documented "xenpod host efi confirm" "$scratch/said"
expect_eq "it is the first of the order" "$(status .confirmed) $(boot BootOrder)" "true ${entry#Boot},$order"
check "install finds it so" efi install "${ask[@]}"
expect_eq "and wants no other try" "$(status .confirmed) $(boot BootNext)" "true "

# ---- an upgrade is tried again ----------------------------------------------------------------------------

check "install with another option" efi install '--xen-args=dom0_max_vcpus=2 bootscrub=0 sched=credit'
said=$(efi confirm 2>&1)
expect_match "this Xen is not the one that was installed" "$said" 'what is installed was not booted yet'
expect_eq "that is tried by one boot" "$(status .confirmed) $(boot BootNext) $(boot BootOrder)" "false ${entry#Boot} $order"
efi_reboot xen
check "mounted in that Dom-0" mounted
expect_match "it has the option" "$(lab_run xl info)" 'xen_scheduler +: credit[[:space:]]'
expect_match "and those of before" "$(lab_run xl info)" 'xen_commandline +: .*dom0_mem=2048M,max:2048M'
expect_eq "by the entry, once" "$(boot BootCurrent) $(boot BootNext) $(boot BootOrder)" "${entry#Boot}  $order"
check "confirm" efi confirm

# ---- again, and back ------------------------------------------------------------------------------------

efi_reboot xen
check "mounted again" mounted
expect_match "Xen again" "$(lab_run dmesg)" 'Hypervisor detected: Xen'
expect_eq "by the boot order" "$(status .confirmed) $(boot BootCurrent)" "true ${entry#Boot}"
efi remove >"$scratch/said" 2>&1 || not_ok "remove" "$(cat "$scratch/said")"
documented "xenpod host efi remove" "$scratch/said" "/^was undone/d" # BootNext: install after confirm has let go of it
check_not "status says so" efi status
diff <(esp) "$scratch/esp-before" >"$scratch/diff" || true
expect_eq "the ESP is as before" "$(cat "$scratch/diff")" ''
diff <(vars) "$scratch/vars-before" >"$scratch/diff" || true
expect_eq "the variables are as before" "$(cat "$scratch/diff")" ''
efi_reboot linux
check "mounted at last" mounted
check_not "Linux comes up without Xen" lab_run 'dmesg | grep -q "Hypervisor detected: Xen"'
said=$(lab_run 'for i in 1 2 3 4 5 6; do xenpod-status; xenpod run --net=none /root/images/worker.aci; done' 2>&1)
expect_match "xenpod says why no supervisor answers" "$said" 'this host does not run under Xen'
expect_eq "none of its units has failed for that" "$(lab_run "systemctl list-units --failed --no-legend 'xenpod*' 2>&1")" ''
diff <(vars) "$scratch/vars-before" >"$scratch/diff" || true
expect_eq "the variables are as before, after a boot" "$(cat "$scratch/diff")" ''
finish
