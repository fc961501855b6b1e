#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# `xenpod host efi` on a host that lives on: new kernels and hypervisors, other options, another ESP, a firmware
# that has ideas of its own about the boot order. What is new is tried once before it is what every boot takes.
set -uo pipefail
# shellcheck source=tests/contract/checks.bash
. "$(dirname "$0")/checks.bash"
# shellcheck source=tests/contract/efikit.bash
. "$(dirname "$0")/efikit.bash"

first_uuid=7d511991-0001-4000-8000-00000000000a
not_booted='xenpod: what is installed was not booted yet: reboot into it first, or use --force'

# new_kernel N: a package has brought it, and grub knows it.
new_kernel() {
	file "/boot/vmlinuz-6.1.0-$1-amd64" "kernel $1"
	file "/boot/initrd.img-6.1.0-$1-amd64" "ramdisk $1"
	printf "menuentry 'Debian' {\n\tlinux /boot/vmlinuz-6.1.0-%s-amd64 root=UUID=11 ro\n\tinitrd /boot/initrd.img-6.1.0-%s-amd64\n}\n" "$1" "$1" >>"$R/boot/grub/grub.cfg"
}

# order WHAT ORDER NEXT
order() {
	same "$1" "$2 ${3-}" "$(shows BootOrder) $(shows BootNext)"
}

# confirmed ID: installed, booted, and the first from now on.
confirmed() {
	efi install >/dev/null
	on_xen "$1"
	efi confirm >/dev/null
	order "$R: confirmed" 010000000300
}

# ---- a new kernel and a new Xen --------------------------------------------------------------------------

debian
before=$(picture)
confirmed second
new_kernel 51
file /boot/xen-4.19-amd64.efi 'MZ newer xen'
made=$(picture)
out=$(efi plan)
same "the older kernel runs; the newer one is taken" "kernel      /boot/vmlinuz-6.1.0-51-amd64" "$(grep ^kernel <<<"$out")"
same "plan says that it is to be tried first" 1 "$(grep -c '^would undo *first of the boot order: Boot0001$' <<<"$out")"
same "and that the next boot tries it" 1 "$(grep -c '^would do *next boot, once: Boot0001$' <<<"$out")"
same "plan changes nothing" "$made" "$(picture)"
same "plan as JSON has both" "true Boot0001 true" "$(efi plan --json | jq -r '"\(.confirmed | not) \(.undo[0].name) \([.steps[].name] | index("BootNext") != null)"')"
out=$(efi install)
same "install" 0 $?
same "those before are gone" "initrd.img-6.1.0-51-amd64 vmlinuz-6.1.0-51-amd64 xen-4.19-amd64.cfg xen-4.19-amd64.efi" "$(find "$E/EFI/xen" -mindepth 1 -printf '%f\n' | sort | paste -sd' ')"
order "the boot order is as before, the next boot is Xen's" 00000300 0100
out=$(efi confirm)
same "the Xen that runs is not what was installed" "254 $not_booted" "$? $out"
same "status: not confirmed" "false" "$(efi status --json | jq .confirmed)"
out=$(efi install)
same "install again finds all so" "is so" "$(grep -o '^[a-z]* [a-z]*' <<<"$out" | grep -v ^the | sort -u)"
out=$(efi confirm)
same "and it still has to be booted" "254 $not_booted" "$? $out"
on_xen third
out=$(efi install)
out=$(efi confirm)
same "after that boot it is taken" "0 010000000300" "$? $(shows BootOrder)"
out=$(efi install)
out=$(efi install)
same "install finds all so" "is so" "$(grep -o '^[a-z]* [a-z]*' <<<"$out" | sort -u)"
order "a confirmed one needs no next boot" 010000000300
file /boot/initrd.img-6.1.0-51-amd64 'ramdisk 51, made again'
out=$(efi install --force)
same "the same name, other content" "ramdisk 51, made again" "$(cat "$E/EFI/xen/initrd.img-6.1.0-51-amd64")"
order "by force it stays confirmed" 010000000300
out=$(efi install --dom0-mem=2048M)
order "other options are to be tried, too" 00000300 0100
on_xen fourth
out=$(efi confirm)
variable BootOrder 050001000000
out=$(efi status)
same "somebody has changed the order" 1 $?
out=$(efi remove)
same "what others have added stays" 05000000 "$(shows BootOrder)"
variable BootOrder 00000300
variable BootCurrent 0300
same "after upgrades all is as it was" "$before" "$(picture)"

# ---- options stay ------------------------------------------------------------------------------------------

debian options
before=$(picture)
efi install --dom0-mem=1G,max:1G --xen-args=smt=0 --kernel-args='root=UUID=11 ro mitigations=off' >/dev/null
made=$(picture)
out=$(efi install)
same "install without options" 0 $?
same "what was asked for stays" "$made" "$(picture)"
out=$(efi install --dom0-mem=2G,max:2G)
same "one is given again" "dom0_mem=2G,max:2G smt=0" "$(cfg xen-4.17-amd64 | grep -o 'dom0_mem.*')"
same "the others stay" "root=UUID=11 ro mitigations=off console=hvc0 console=tty0" "$(cfg xen-4.17-amd64 | sed -n 's/^kernel=[^ ]* //p')"
efi install --kernel=/boot/vmlinuz-6.1.0-49-amd64 --kernel-args='root=UUID=11' >/dev/null
new_kernel 51
out=$(efi install)
same "a kernel that was named stays" "kernel=vmlinuz-6.1.0-49-amd64 root=UUID=11 console=hvc0 console=tty0" "$(cfg xen-4.17-amd64 | grep ^kernel)"
rm "$R/boot/vmlinuz-6.1.0-49-amd64"
out=$(efi install)
same "until it is gone" "254 xenpod: with the options of before (--defaults forgets them): --kernel=/boot/vmlinuz-6.1.0-49-amd64: there is no such file" "$? $out"
out=$(efi install --defaults --loglvl=warning)
same "defaults again, but for what is given" "0 ${options/loglvl=all/loglvl=warning}" "$? $(cfg xen-4.17-amd64 | sed -n s/^options=//p)"
same "the kernel, too" "kernel=vmlinuz-6.1.0-51-amd64 root=UUID=11 ro console=hvc0 console=tty0" "$(cfg xen-4.17-amd64 | grep ^kernel)"
sed -i 's/dom0_mem=[^ ]*/dom0_mem=3G/' "$E/EFI/xen/xen-4.17-amd64.cfg"
out=$(efi install)
same "what somebody has changed since is told" 1 "$(grep -c '^done .*/EFI/xen/xen-4.17-amd64.cfg (changed since)$' <<<"$out")"
same "and is as it was asked for" "dom0_mem=4096M,max:4096M" "$(cfg xen-4.17-amd64 | grep -o 'dom0_mem.*')"
back "options"

# ---- another ESP -------------------------------------------------------------------------------------------

both='20 1 8:2 / / rw - ext4 /dev/sda2 rw\n21 20 8:1 / /boot/efi rw - vfat /dev/sda1 rw\n22 20 8:17 / /efi rw - vfat /dev/sdb1 rw\n'
first_alone='20 1 8:2 / / rw - ext4 /dev/sda2 rw\n21 20 8:1 / /boot/efi rw - vfat /dev/sda1 rw\n'
second_alone='20 1 8:2 / / rw - ext4 /dev/sda2 rw\n22 20 8:17 / /efi rw - vfat /dev/sdb1 rw\n'
second_esp() {
	partition sdb 8:17 7d511991-0002-4000-8000-00000000000b
	mkdir -p "$R/efi"
	file /proc/self/mountinfo "$both"
}

# of_entry: bytes 24 to 39 of its first node, the partition.
of_entry() {
	od -An -v -tx1 "$R/sys/firmware/efi/efivars/Boot0001-$guid" | tr -d ' \n' | grep -o '9119517d0[0-9a-f]00'
}

debian two
second_esp
before=$(picture)
confirmed second
same "the entry names the first disk's partition" 9119517d0100 "$(of_entry)"
out=$(efi install)
same "the ESP stays, though two are there" "0 /boot/efi" "$? $(efi plan --json | jq -r .esp.at)"
out=$(efi install --esp=/efi)
same "to the other disk" 0 $?
same "the entry names that one's" 9119517d0200 "$(of_entry)"
same "the files are there" "initrd.img-6.1.0-50-amd64 vmlinuz-6.1.0-50-amd64 xen-4.17-amd64.cfg xen-4.17-amd64.efi" "$(find "$R/efi/EFI/xen" -type f -printf '%f\n' | sort | paste -sd' ')"
same "and on the first no more" "" "$(find "$E" -path "*/EFI/xen/*")"
order "it is to be tried" 00000300 0100
on_xen third
same "status looks at that ESP" "up" "$(efi status --json | jq -r .state)"
out=$(efi install --dry-run)
same "and install stays there" 0 "$(grep -vc '^is so\|^would do *next boot' <<<"$out")"
variable BootCurrent 0300
back "two ESPs"
same "nor on the second" "" "$(find "$R/efi" -type f)"

debian unmounted
second_esp
confirmed second
file /proc/self/mountinfo "$second_alone"
made=$(picture)
for args in 'install' 'install --esp=/efi' 'plan' 'remove'; do
	# shellcheck disable=SC2086 # words
	out=$(efi $args)
	same "$args while the ESP is not mounted" "254 xenpod: the ESP is not mounted at /boot/efi as it was (partition $first_uuid): mount it there, or, if it is gone for good, use --esp-lost" "$? $out"
done
file /proc/self/mountinfo '20 1 8:2 / / rw - ext4 /dev/sda2 rw\n22 20 8:17 / /boot/efi rw - vfat /dev/sdb1 rw\n'
out=$(efi install)
same "another one is mounted there" "254 1" "$? $(grep -c 'at /boot/efi is another ESP than the one that was written to' <<<"$out")"
same "nothing is changed by any of them" "$made" "$(picture)"

# A move that stops half-way: both count, until all is on one of them.
debian half
second_esp
before=$(picture)
confirmed second
EFIBOOTMGR_FAILS=1 efi install --esp=/efi >/dev/null
file /proc/self/mountinfo "$second_alone"
out=$(efi install)
same "the first has files still" "254 1" "$? $(grep -c 'the ESP is not mounted at /boot/efi as it was' <<<"$out")"
file /proc/self/mountinfo "$first_alone"
out=$(efi remove)
same "so has the second" "254 1" "$? $(grep -c 'the ESP is not mounted at /efi as it was' <<<"$out")"
out=$(efi install --esp-lost)
same "the second is lost: back to the first" "0 9119517d0100" "$? $(of_entry)"
out=$(efi status)
same "all is well" "0 up, not confirmed yet: xenpod host efi confirm" "$? $(sed -n 's/^state *//p' <<<"$out")"
variable BootCurrent 0300
back "a half move"

# Half-way, and back again: nothing says otherwise later.
debian turned
second_esp
before=$(picture)
efi install >/dev/null
EFIBOOTMGR_FAILS=1 efi install --esp=/efi >/dev/null
out=$(efi install --esp=/boot/efi)
same "back to the first" 0 $?
same "nothing is left on the second" "" "$(find "$R/efi" -type f)"
out=$(efi status)
same "status" "0 up" "$? $(efi status --json | jq -r .state)"
on_xen second
out=$(efi confirm)
same "it can be confirmed" "0 010000000300" "$? $(shows BootOrder)"
variable BootCurrent 0300
back "turned"

# ---- a firmware that puts entries into the order ---------------------------------------------------------------

debian firmware
efi install >/dev/null
on_xen second
variable BootOrder 000003000100
efi confirm >/dev/null
order "confirmed, out of the order's end" 010000000300
file /boot/initrd.img-6.1.0-50-amd64 'ramdisk 50, made again'
out=$(efi install)
same "an upgrade" 0 $?
order "is not what every boot takes: the place is as before" 000003000100 0100
on_xen third
out=$(efi confirm)
order "and is, when it was tried" 010000000300
variable BootOrder 000001000300
efi remove >/dev/null
order "remove takes the entry out of the order, too" 00000300
efi install >/dev/null
on_xen fourth
variable BootOrder 000001000300
efi confirm >/dev/null
variable BootOrder 01000000050003000200
out=$(efi install --dom0-mem=2G)
order "entries that have come since keep their places, and so does ours" 00000500010003000200 0100
efi remove >/dev/null
order "after remove, too" 0000050003000200

# ---- what grub has beside it -----------------------------------------------------------------------------------

debian probed
file /boot/grub/grub.cfg "menuentry 'Other (on /dev/sdb2)' --class gnu-linux \$menuentry_id_option 'osprober-gnulinux-simple-22' {\n\tlinux /boot/vmlinuz-6.1.0-50-amd64 root=/dev/sdb2 ro\n\tinitrd /boot/initrd.img-6.1.0-50-amd64\n}\nmenuentry 'Debian' {\n\tlinux /boot/vmlinuz-6.1.0-50-amd64 root=UUID=11 ro\n\tinitrd /boot/ucode.img /boot/initrd.img-6.1.0-50-amd64 /boot/overlay.img\n}\n"
out=$(efi plan)
same "not what os-prober has found" "root=UUID=11 ro console=hvc0 console=tty0" "$(sed -n 's/^arguments *//p' <<<"$out")"
same "nor microcode, nor what is laid over the system" "ramdisk     /boot/initrd.img-6.1.0-50-amd64" "$(grep ^ramdisk <<<"$out")"

mine=0123456789abcdef0123456789abcdef
other=fedcba9876543210fedcba9876543210
tree shared /boot/efi
file /etc/machine-id "$mine\n"
file /boot/efi/EFI/fedora/xen-4.17.2.efi 'MZ xen'
for entry in $mine-6.11.0~rc5 $mine-6.11.0 $mine-6.9.12 $mine-0-rescue $other-6.12.0; do
	v=${entry#*-}
	file "/boot/loader/entries/$entry.conf" "title F $v\nversion $v\nlinux /vmlinuz-$v\ninitrd /amd-ucode.img\ninitrd /initramfs-$v.img\noptions root=UUID=1\n"
	file "/boot/vmlinuz-$v" kernel
	file "/boot/initramfs-$v.img" ramdisk
done
kernel() {
	efi plan | sed -n 's/^\(kernel\|ramdisk\) *//p' | paste -sd' '
}
same "not another installation's; a release is newer than its candidate" "/boot/vmlinuz-6.11.0 /boot/initramfs-6.11.0.img" "$(kernel)"
file /boot/grub2/grubenv "saved_entry=$mine-6.9.12\n"
same "grub's saved entry" "/boot/vmlinuz-6.9.12 /boot/initramfs-6.9.12.img" "$(kernel)"
file /boot/grub2/grubenv "saved_entry=$mine-5.0\n"
same "one that is gone" "/boot/vmlinuz-6.11.0 /boot/initramfs-6.11.0.img" "$(kernel)"
file /boot/grub2/grubenv "saved_entry=$mine-0-rescue\n"
same "never a rescue entry" "/boot/vmlinuz-6.11.0 /boot/initramfs-6.11.0.img" "$(kernel)"
finish
