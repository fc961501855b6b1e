#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# DEEP: hundreds of runs, each killed at another moment
#
# `xenpod host efi` on trees as Debian and Fedora have them, with a double of efibootmgr: what is planned and
# made, twice, after upgrades, killed at any moment; after remove the ESP and the variables are what they were,
# byte for byte.
set -uo pipefail
# shellcheck source=tests/contract/checks.bash
. "$(dirname "$0")/checks.bash"

# shellcheck source=tests/contract/efikit.bash
. "$(dirname "$0")/efikit.bash"

# ---- Debian --------------------------------------------------------------------------------------------

debian
before=$(picture)
out=$(efi plan)
same "plan" 0 $?
same "plan changes nothing" "$before" "$(picture)"
same "plan: the newest kernel" "kernel      /boot/vmlinuz-6.1.0-50-amd64" "$(grep '^kernel' <<<"$out")"
same "plan as JSON" "/boot/xen-4.17-amd64.efi 8" "$(efi plan --json | jq -r '"\(.hypervisor) \(.steps | length)"')"
out=$(efi install --dry-run)
same "a dry run changes nothing" "$before" "$(picture)"
out=$(efi status)
same "status: nothing there" 1 $?
out=$(efi confirm --force)
same "confirm before install" "254 xenpod: Xen is not installed for EFI, or not all of it: xenpod host efi install" "$? $out"
out=$(efi install)
same "install" 0 $?
same "the file of options" "[global]
default=xenpod

[xenpod]
options=$options
kernel=vmlinuz-6.1.0-50-amd64 root=UUID=11 ro \"x=a b\" console=hvc0 console=tty0
ramdisk=initrd.img-6.1.0-50-amd64" "$(cfg xen-4.17-amd64)"
same "the copies" "MZ xen kernel 50 ramdisk 50" "$(cat "$E"/EFI/xen/xen-4.17-amd64.efi) $(cat "$E"/EFI/xen/vmlinuz-6.1.0-50-amd64) $(cat "$E"/EFI/xen/initrd.img-6.1.0-50-amd64)"
same "the boot order stays" 00000300 "$(shows BootOrder)"
same "the next boot is Xen's, by a free number" 0100 "$(shows BootNext)"
made=$(picture)
out=$(efi install)
same "install again: all is so" "is so" "$(grep -o '^[a-z]* [a-z]*' <<<"$out" | grep -v ^the | sort -u)"
same "install again changes nothing" "$made" "$(picture)"
out=$(efi status)
same "status" "0 state       up, not confirmed yet: reboot, then xenpod host efi confirm" "$? $(grep ^state <<<"$out")"
out=$(efi confirm)
same "confirm without Xen" 254 $?
same "confirm without Xen: says so" 1 "$(grep -c 'this is not running on Xen' <<<"$out")"
file /proc/xen/capabilities 'control_d\n'
out=$(efi confirm)
same "confirm without a boot" "254 xenpod: what is installed was not booted yet: reboot into it first, or use --force" "$? $out"
boot second
out=$(efi confirm)
same "confirm on another Xen" "254 xenpod: this Xen was started by Boot0003, not by Boot0001: reboot into that one first, or use --force" "$? $out"
variable BootCurrent 0100
out=$(efi confirm)
same "confirm" "0 010000000300" "$? $(shows BootOrder)"
out=$(efi status)
same "status: confirmed" "0 state       up, confirmed" "$? $(grep ^state <<<"$out")"
same "status as JSON" "up true true Boot0001" "$(efi status --json | jq -r '"\(.state) \(.confirmed) \(.xen) \(.entry)"')"
variable BootCurrent 0300
back "confirmed"
out=$(efi remove)
same "remove: nothing is there" "0 nothing is installed" "$? $out"

# ---- Fedora --------------------------------------------------------------------------------------------

# With entries of their own, a /boot of its own, arguments in grubenv; the root on a subvolume. The older
# kernel is the saved one.
tree fedora /boot/efi
file /boot/grub2/grubenv '# GRUB Environment Block\nsaved_entry=m-6.5.6-300\nkernelopts=root=UUID=aa ro rootflags=subvol=root rhgb \n#####'
file /boot/grub2/grub.cfg 'load_env -f ${config_directory}/grubenv\nset tuned_params=""\nblscfg\n'
for v in 6.5.6-300 6.5.7-300; do
	file /boot/loader/entries/m-$v.conf "title Fedora ($v)\nversion $v.fc39.x86_64\nlinux /vmlinuz-$v.fc39.x86_64\ninitrd /initramfs-$v.fc39.x86_64.img \$tuned_initrd\noptions \$kernelopts \$tuned_params\ngrub_users \$grub_users\n"
	file /boot/vmlinuz-$v.fc39.x86_64 "kernel $v"
	file /boot/initramfs-$v.fc39.x86_64.img "ramdisk $v"
done
file /boot/efi/EFI/fedora/xen-4.17.2.efi 'MZ xen'
before=$(picture)
out=$(efi install --dom0-mem=2G,max:2G --console=com2 --loglvl=warning --xen-args='iommu=off dom0_max_vcpus=2')
same "Fedora: install" 0 $?
same "Fedora: options" "options=console=com2 com2=115200,8n1 ucode=scan flask=disabled conring_size=2097152 loglvl=warning autoballoon=0 dom0_mem=2G,max:2G iommu=off dom0_max_vcpus=2" "$(cfg xen-4.17.2 | grep ^options)"
same "Fedora: kernel" "kernel=vmlinuz-6.5.6-300.fc39.x86_64 root=UUID=aa ro rootflags=subvol=root rhgb console=hvc0 console=tty0" "$(cfg xen-4.17.2 | grep ^kernel)"
same "Fedora: ramdisk" "ramdisk=initramfs-6.5.6-300.fc39.x86_64.img" "$(cfg xen-4.17.2 | grep ^ramdisk)"
back "Fedora"

# The walk-through's: linuxefi, on the ESP; Xen from the tarball.
tree fedora25 /boot/efi
file /boot/efi/EFI/fedora/grub.cfg "menuentry 'Fedora (4.8.6-300.fc25.x86_64) 25' --class fedora {\n\tset root='hd0,gpt2'\n\tlinuxefi /vmlinuz-4.8.6-300.fc25.x86_64 root=UUID=bb ro rhgb quiet\n\tinitrdefi /initramfs-4.8.6-300.fc25.x86_64.img\n}\nmenuentry 'Fedora (0-rescue) 25' {\n\tlinuxefi /vmlinuz-9-rescue-cc root=UUID=bb ro\n\tinitrdefi /initramfs-9-rescue-cc.img\n}\n"
for f in vmlinuz-4.8.6-300.fc25.x86_64 initramfs-4.8.6-300.fc25.x86_64.img vmlinuz-9-rescue-cc initramfs-9-rescue-cc.img; do
	file /boot/$f "$f"
done
file /opt/xen-4.9.0/boot/efi/EFI/xen/xen-4.9.0.efi 'MZ xen'
file /boot/efi/EFI/xen/mine 'of somebody'
before=$(picture)
out=$(efi install)
same "Fedora 25: install" 0 $?
same "Fedora 25: the walk-through's file" "options=$options
kernel=vmlinuz-4.8.6-300.fc25.x86_64 root=UUID=bb ro rhgb quiet console=hvc0 console=tty0
ramdisk=initramfs-4.8.6-300.fc25.x86_64.img" "$(cfg xen-4.9.0 | sed 1,4d)"
back "Fedora 25, beside somebody's file"

# ---- what is refused -------------------------------------------------------------------------------------

debian refusing
before=$(picture)
variable SecureBoot 01
before=$(picture)
refused "Secure Boot" "Secure Boot is on, and the firmware would not start Xen" install
variable SecureBoot 00
before=$(picture)
refused "no such kernel" "--kernel=/boot/none: there is no such file" install --kernel=/boot/none
refused "no such Xen" "--xen=/boot/none: there is no such file" install --xen=/boot/none
refused "no such ramdisk" "--ramdisk=/boot/none: there is no such file" install --ramdisk=/boot/none
refused "a kernel that grub does not know" "say --ramdisk=FILE, or --ramdisk=none" install --kernel=/boot/grub/grub.cfg
refused "a line's end in arguments" "control characters" install --kernel-args=$'root=x\nkernel=other'
refused "a comment in arguments" "takes what follows for a comment" install --kernel-args='root=x #y'
refused "a path that is none" "--xen=relative: a path that begins with / is wanted" install --xen=relative
mv "$R/proc/self/mountinfo" "$T/mountinfo"
file /proc/self/mountinfo '20 1 8:2 / / rw - ext4 /dev/sda2 rw\n21 20 9:127 / /boot/efi rw - vfat /dev/md127 rw\n'
refused "an ESP on RAID" "/boot/efi is on no partition of a disk: firmware could not boot from it" install
file /proc/self/mountinfo '20 1 8:2 / / rw - ext4 /dev/sda2 rw\n'
refused "an ESP that is not mounted" "no EFI system partition is mounted at /boot/efi, /efi or /boot" install
mv "$T/mountinfo" "$R/proc/self/mountinfo"
refused "where no ESP is" "nothing is mounted at /efi" install --esp=/efi
refused "what is no ESP" "--esp=/: / is on no partition of a disk" install --esp=/
EFIBOOTMGR_FAILS=1 efi install >"$T/out"
same "the firmware is full" "254 yes" "$? $(grep -q 'No space left' "$T/out" && echo yes)"
out=$(efi status)
same "the firmware is full: half of it is done" "1 state       interrupted" "$? $(grep ^state <<<"$out")"
back "half of it"
file /boot/efi/EFI/xen/xen-4.17-amd64.efi "somebody's"
before=$(picture)
out=$(efi install)
same "somebody's hypervisor is there" "254 yes" "$? $(grep -q 'is there already, and is not of xenpod' <<<"$out" && echo yes)"
same "somebody's hypervisor stays" "$before" "$(picture)"
back "somebody's hypervisor"
rm -r "$E/EFI/xen"
before=$(picture)
efi install >"$T/out"
made=$(picture)
mv "$R/sys/firmware/efi/efivars" "$R/sys/firmware/efi/gone"
mkdir "$R/sys/firmware/efi/efivars"
out=$(efi remove)
same "remove without variables" "254 yes" "$? $(grep -q "the firmware's variables are not at" <<<"$out" && echo yes)"
rmdir "$R/sys/firmware/efi/efivars"
mv "$R/sys/firmware/efi/gone" "$R/sys/firmware/efi/efivars"
mv "$R/proc/self/mountinfo" "$T/mountinfo"
file /proc/self/mountinfo '20 1 8:2 / / rw - ext4 /dev/sda2 rw\n'
out=$(efi remove)
same "remove without the ESP" "254 yes" "$? $(grep -q 'the ESP is not mounted at /boot/efi as it was' <<<"$out" && echo yes)"
mv "$T/mountinfo" "$R/proc/self/mountinfo"
same "both have changed nothing" "$made" "$(picture)"
back "after that"

# ---- killed at any moment --------------------------------------------------------------------------------

# killed MS ARGS...: true when it was; what it has started ends by itself.
killed() {
	(timeout -s KILL "$(printf '0.%03d' "$1")" "${host[@]}" "${@:2}" & wait $!) >/dev/null 2>&1
	[ $? = 137 ]
}

# finally ARGS...: when what a killed one has started has ended.
finally() {
	local i

	for ((i = 0; i < 200; i++)); do
		efi "$@" >"$T/out" && return
		grep -q 'is at work' "$T/out" || break
		sleep 0.05
	done
	cat "$T/out"
	return 1
}

debian killed
before=$(picture)
wrong=0
for ((ms = 2; ms < 400; ms += 7)); do
	killed $ms install || { [ $ms -lt 100 ] || break; }
	finally remove || wrong=$((wrong + 1))
	[ "$before" = "$(picture)" ] || { wrong=$((wrong + 1)); echo "install killed after $ms ms"; }
done
same "killed while it installs, then removed" 0 $wrong
finally install
made=$(picture)
for ((ms = 2; ms < 400; ms += 13)); do
	killed $ms remove || { [ $ms -lt 100 ] || break; }
	finally install || wrong=$((wrong + 1))
	[ "$made" = "$(picture)" ] || { wrong=$((wrong + 1)); echo "remove killed after $ms ms"; }
done
same "killed while it removes, then installed" 0 $wrong
for ((ms = 2; ms < 400; ms += 13)); do
	file /boot/initrd.img-6.1.0-50-amd64 "ramdisk $ms"
	killed $ms install
	finally remove || wrong=$((wrong + 1))
	[ "$before" = "$(picture)" ] || { wrong=$((wrong + 1)); echo "upgrade killed after $ms ms"; }
	finally install
done
same "killed while it upgrades, then removed" 0 $wrong
finally remove
same "at the end all is as it was" "$before" "$(picture)"
finish
