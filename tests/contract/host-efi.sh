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

guid=8be4df61-93ca-11d2-aa0d-00e098032b8c
mkdir "$T/bin"
cp "$top/tests/contract/efibootmgr.py" "$T/bin/efibootmgr"
chmod 755 "$T/bin/efibootmgr"
PATH=$T/bin:$PATH

# ---- trees ---------------------------------------------------------------------------------------------

# variable NAME HEX: without its attributes.
variable() {
	printf '%b' "\\x07\\x00\\x00\\x00$(fold -w 2 <<<"$2" | sed 's/^/\\x/' | tr -d '\n')" >"$R/sys/firmware/efi/efivars/$1-$guid"
}

# shows NAME: a variable as hex, without its attributes.
shows() {
	od -An -v -tx1 -j4 "$R/sys/firmware/efi/efivars/$1-$guid" 2>/dev/null | tr -d ' \n'
}

file() { # PATH TEXT
	mkdir -p "$(dirname "$R$1")"
	printf '%b' "$2" >"$R$1"
}

# tree NAME POINT RELEASE: a host booted by EFI, an ESP at POINT, entries 0000 and 0003.
tree() {
	R=$T/$1
	S=$T/$1.state
	E=$R$2
	host=("$bin/xenpod-host" "--root=$R" "--state-dir=$S" efi)
	mkdir -p "$R/sys/firmware/efi/efivars" "$R/sys/dev/block" "$R/sys/devices/d/sda/sda1" "$E/EFI/BOOT"
	ln -s ../../devices/d/sda/sda1 "$R/sys/dev/block/8:1"
	file /sys/devices/d/sda/sda1/partition '1\n'
	file /run/udev/data/b8:1 'E:ID_PART_ENTRY_TYPE=c12a7328-f81f-11d2-ba4b-00a0c93ec93b\nE:ID_PART_ENTRY_UUID=7d511991\n'
	file /proc/self/mountinfo "20 1 8:2 / / rw - ext4 /dev/sda2 rw\n21 20 8:1 / $2 rw - vfat /dev/sda1 rw\n"
	file /proc/sys/kernel/osrelease "$3\n"
	file "$2/EFI/BOOT/BOOTX64.EFI" 'shim'
	variable BootOrder 00000300
	variable BootCurrent 0300
	variable Boot0000 010000000400440000007fff0400
	variable Boot0003 010000000400460000007fff0400
}

debian() {
	tree "${1-debian}" /boot/efi 6.1.0-49-amd64
	file /boot/grub/grub.cfg "menuentry 'Debian' --class debian {\n\tsearch --fs-uuid 11\n\tlinux\t/boot/vmlinuz-6.1.0-50-amd64 root=UUID=11 ro quiet console=ttyS0\n\tinitrd\t/boot/initrd.img-6.1.0-50-amd64\n}\nsubmenu 'More' {\n\tmenuentry 'Debian, 49' {\n\t\tlinux\t/boot/vmlinuz-6.1.0-49-amd64 root=UUID=11 ro \"x=a b\"\n\t\tinitrd\t/boot/initrd.img-6.1.0-49-amd64\n\t}\n}\n"
	for v in 49 50; do
		file /boot/vmlinuz-6.1.0-$v-amd64 "kernel $v"
		file /boot/initrd.img-6.1.0-$v-amd64 "ramdisk $v"
	done
	file /boot/xen-4.17-amd64.efi 'MZ xen'
	file /boot/xen-4.14-amd64.efi 'MZ old xen'
}

# What must be as it was: names, modes, content of the ESP; every variable.
picture() {
	(cd "$E" && find . -printf '%y %m %p\n' | sort && find . -type f -print0 | sort -z | xargs -0 sha256sum)
	(cd "$R/sys/firmware/efi/efivars" && sha256sum ./*)
}

efi() {
	"${host[@]}" "$@" 2>&1
}

cfg() {
	cat "$E/EFI/xen/$1.cfg"
}

options='console=vga,com1 com1=115200,8n1 iommu=verbose ucode=scan flask=disabled conring_size=2097152 loglvl=all autoballoon=0 dom0_mem=4096M,max:4096M'

# back WHAT: remove, and all is as it was.
back() {
	out=$(efi remove)
	same "$1: remove" 0 $?
	same "$1: all is as it was" "$before" "$(picture)"
	same "$1: no record is left" "" "$(find "$S" -name '*.json')"
}

# ---- Debian --------------------------------------------------------------------------------------------

debian
before=$(picture)
out=$(efi plan)
same "plan" 0 $?
same "plan changes nothing" "$before" "$(picture)"
same "plan: the kernel that runs" "kernel      /boot/vmlinuz-6.1.0-49-amd64" "$(grep '^kernel' <<<"$out")"
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
kernel=vmlinuz-6.1.0-49-amd64 root=UUID=11 ro \"x=a b\" console=hvc0 console=tty0
ramdisk=initrd.img-6.1.0-49-amd64" "$(cfg xen-4.17-amd64)"
same "the copies" "MZ xen kernel 49 ramdisk 49" "$(cat "$E"/EFI/xen/xen-4.17-amd64.efi) $(cat "$E"/EFI/xen/vmlinuz-6.1.0-49-amd64) $(cat "$E"/EFI/xen/initrd.img-6.1.0-49-amd64)"
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
rm "$R/sys/firmware/efi/efivars/BootNext-$guid"
file /proc/xen/capabilities 'control_d\n'
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

# ---- upgrades ------------------------------------------------------------------------------------------

out=$(efi install && efi confirm --force)
file /proc/sys/kernel/osrelease '6.1.0-50-amd64\n'
file /boot/xen-4.19-amd64.efi 'MZ newer xen'
out=$(efi install)
same "another kernel and another Xen" 0 $?
same "those before are gone" "initrd.img-6.1.0-50-amd64 vmlinuz-6.1.0-50-amd64 xen-4.19-amd64.cfg xen-4.19-amd64.efi" "$(find "$E/EFI/xen" -mindepth 1 -printf '%f\n' | sort | paste -sd' ')"
same "they are to be tried first: the boot order is as before" 00000300 "$(shows BootOrder)"
same "and the next boot is theirs" 0100 "$(shows BootNext)"
rm "$R/sys/firmware/efi/efivars/BootNext-$guid"
same "status: not confirmed" "false" "$(efi status --json | jq .confirmed)"
out=$(efi confirm --force)
same "confirmed" 010000000300 "$(shows BootOrder)"
out=$(efi install)
out=$(efi install)
same "install finds all so" "is so" "$(grep -o '^[a-z]* [a-z]*' <<<"$out" | sort -u)"
same "a confirmed one needs no next boot" "010000000300 " "$(shows BootOrder) $(shows BootNext)"
file /boot/initrd.img-6.1.0-50-amd64 'ramdisk 50, made again'
made=$(picture)
out=$(efi plan)
same "plan says that it is to be tried again" 1 "$(grep -c '^would undo *first of the boot order: Boot0001$' <<<"$out")"
same "and that the next boot tries it" 1 "$(grep -c '^would do *next boot, once: Boot0001$' <<<"$out")"
same "and changes nothing" "$made" "$(picture)"
out=$(efi install --force)
same "the same name, other content" "ramdisk 50, made again" "$(cat "$E/EFI/xen/initrd.img-6.1.0-50-amd64")"
same "by force it stays confirmed" "010000000300 " "$(shows BootOrder) $(shows BootNext)"
out=$(efi install --dom0-mem=2048M)
same "other options are to be tried, too" "00000300 0100" "$(shows BootOrder) $(shows BootNext)"
rm "$R/sys/firmware/efi/efivars/BootNext-$guid"
out=$(efi confirm --force)
variable BootOrder 050001000000
out=$(efi status)
same "somebody has changed the order" 1 $?
out=$(efi remove)
same "what others have added stays" 05000000 "$(shows BootOrder)"
variable BootOrder 00000300
rm "$R/boot/xen-4.19-amd64.efi"
same "after upgrades all is as it was" "$before" "$(picture)"

# ---- Fedora --------------------------------------------------------------------------------------------

# With entries of their own, a /boot of its own, arguments in grubenv; the root on a subvolume.
tree fedora /boot/efi 6.5.6-300.fc39.x86_64
file /boot/grub2/grubenv '# GRUB Environment Block\nkernelopts=root=UUID=aa ro rootflags=subvol=root rhgb \n#####'
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

# The walk-through's: linuxefi, on the ESP; Xen from the tarball; none of its kernels runs.
tree fedora25 /boot/efi ''
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

# refused WHAT TEXT ARGS...: one line, and nothing is changed.
refused() {
	local what=$1 text=$2

	shift 2
	out=$(efi "$@")
	same "$what" "254 1 yes" "$? $(wc -l <<<"$out") $(grep -qF -- "$text" <<<"$out" && echo yes || echo "$out")"
	same "$what: nothing is changed" "$before" "$(picture)"
}

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
	file /boot/initrd.img-6.1.0-49-amd64 "ramdisk $ms"
	killed $ms install
	finally remove || wrong=$((wrong + 1))
	[ "$before" = "$(picture)" ] || { wrong=$((wrong + 1)); echo "upgrade killed after $ms ms"; }
	finally install
done
same "killed while it upgrades, then removed" 0 $wrong
finally remove
same "at the end all is as it was" "$before" "$(picture)"
finish
