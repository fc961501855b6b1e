#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# `xenpod host efi` among others: their boot entries under numbers that were ours, firmware that puts entries where
# it likes, files that somebody has changed or made, two calls at a time, names that cannot be.
set -uo pipefail
# shellcheck source=tests/contract/checks.bash
. "$(dirname "$0")/checks.bash"
# shellcheck source=tests/contract/efikit.bash
. "$(dirname "$0")/efikit.bash"

order() { # WHAT ORDER NEXT
	same "$1" "$2 ${3-}" "$(shows BootOrder) $(shows BootNext)"
}

confirmed() {
	efi install >/dev/null
	on_xen second
	efi confirm >/dev/null
	order "$R: confirmed" 010000000300
}

# ---- another system under our number ---------------------------------------------------------------------

debian taken
confirmed
rm "$R/sys/firmware/efi/efivars/Boot0001-$guid"
variable Boot0001 0100000004004f0000007fff0400
variable BootCurrent 0300
made=$(picture)
out=$(efi status)
same "status tells" 1 $?
out=$(efi confirm --force)
same "it is not confirmed" 254 $?
out=$(efi remove --dry-run)
same "a dry run says that it would be left" 2 "$(grep -c '^would leave .*Boot0001' <<<"$out")"
same "and changes nothing" "$made" "$(picture)"
out=$(efi install)
same "install takes another number" "0 0200" "$? $(shows BootNext)"
order "the other one keeps its place" 010000000300 0200
out=$(efi status)
same "status is of the new one" "0 Boot0002 false" "$? $(efi status --json | jq -r '"\(.entry) \(.confirmed)"')"
out=$(efi remove)
order "after remove, too" 010000000300
same "and it is there" 0100000004004f0000007fff0400 "$(shows Boot0001)"

# ---- first without us ------------------------------------------------------------------------------------

debian pushed
before=$(picture)
efi install >/dev/null
on_xen second
variable BootOrder 010000000300
out=$(efi confirm)
same "what is first already is confirmed" "0 is so" "$? $(cut -c1-5 <<<"$out")"
file /boot/initrd.img-6.1.0-50-amd64 'made again'
out=$(efi install --dry-run)
same "a dry run says that it leaves the order" 1 "$(grep -c '^would do .*out of the boot order: Boot0001$' <<<"$out")"
same "plan as JSON, too" "out of the boot order: Boot0001" "$(efi plan --json | jq -r '.undo[0].say')"
out=$(efi install)
order "what is new is not what every boot takes" 00000300 0100
same "status: not confirmed" "up false" "$(efi status --json | jq -r '"\(.state) \(.confirmed)"')"
EFIBOOTMGR_FAILS=1 efi remove >/dev/null
order "a remove that stops half-way does not make it the first again" 00000300
efi install >/dev/null
on_xen third
out=$(efi confirm)
order "after that boot it is" 010000000300
variable BootCurrent 0300
variable BootOrder 00000300
back "pushed"

# The only one: its end of the order is not to be in it.
debian alone
efi install >/dev/null
on_xen second
variable BootOrder 0100
efi confirm >/dev/null
file /boot/initrd.img-6.1.0-50-amd64 'made again'
out=$(efi install)
order "what is new is not what every boot takes" '' 0100
out=$(efi install)
order "install again leaves it so" '' 0100
same "status" "up false" "$(efi status --json | jq -r '"\(.state) \(.confirmed)"')"
on_xen third
out=$(efi confirm)
order "after that boot it is" 0100

# Others in the order, but none that would start.
debian dead
efi install >/dev/null
on_xen second
variable BootOrder 01000900
efi confirm >/dev/null
file /boot/initrd.img-6.1.0-50-amd64 'made again'
efi install >/dev/null
order "an entry that is dead is no way around what is new" 0900 0100
variable BootOrder 090003000100
same "the firmware has put it into the order again: status" "up false" "$(efi status --json | jq -r '"\(.state) \(.confirmed)"')"

# Firmware that puts each new entry first.
export EFIBOOTMGR_PUTS_FIRST=1
debian eager
before=$(picture)
efi install >/dev/null
order "a new entry is in no order" 00000300 0100
back "eager"
rm "$R/sys/firmware/efi/efivars/BootOrder-$guid"
before=$(picture)
efi install >/dev/null
order "nor where there was none" '' 0100
rm "$R/sys/firmware/efi/efivars/BootCurrent-$guid"
same "status, without BootOrder and BootCurrent" up "$(efi status --json | jq -r .state)"
variable BootCurrent 0300
back "eager, without an order"
unset EFIBOOTMGR_PUTS_FIRST

# Killed when that firmware had just done so.
debian cut
efi install >/dev/null
boot first
variable BootOrder 010000000300
jq '.complete = false' "$S/efi.json" >"$T/cut.json" && cp "$T/cut.json" "$S/efi.json"
out=$(efi install)
order "a call that was cut is gone on with: it is not what every boot takes" 00000300 0100
same "status: not confirmed" "up false" "$(efi status --json | jq -r '"\(.state) \(.confirmed)"')"

# What `confirm` has done is half taken back.
debian halfway
confirmed
variable BootOrder 00000300
jq '.complete = false' "$S/efi-order.json" >"$T/order" && cp "$T/order" "$S/efi-order.json"
file /boot/initrd.img-6.1.0-50-amd64 'made again'
out=$(efi install)
same "install ends that" "0 up" "$? $(efi status --json | jq -r .state)"
order "and has it tried" 00000300 0100

# ---- what somebody has changed -----------------------------------------------------------------------------

debian changed
before=$(picture)
efi install >/dev/null
on_xen second
rm "$E/EFI/xen/vmlinuz-6.1.0-50-amd64"
out=$(efi confirm)
same "a kernel that is gone is not confirmed" "254 1" "$? $(grep -c 'something has changed since it was installed' <<<"$out")"
efi install >/dev/null
out=$(efi confirm)
same "put back it has to be booted" "254 1" "$? $(grep -c 'was not booted yet' <<<"$out")"
on_xen third
printf 'caf\351\n' >>"$E/EFI/xen/xen-4.17-amd64.cfg"
out=$(efi status)
same "a file that is no text any more is told" "1 1" "$? $(grep -c '^changed .*xen-4.17-amd64.cfg' <<<"$out")"
out=$(efi install --dry-run)
same "it would be replaced" 1 "$(grep -c '^would do .*xen-4.17-amd64.cfg (changed since)$' <<<"$out")"
rm "$E/EFI/xen/xen-4.17-amd64.cfg"
mkdir "$E/EFI/xen/xen-4.17-amd64.cfg"
out=$(efi remove --dry-run)
same "a directory in its place" "1 1" "$(grep -c '^would leave .*xen-4.17-amd64.cfg (changed since)$' <<<"$out") $(grep -c '^would leave .*directory /boot/efi/EFI/xen (it is not empty)$' <<<"$out")"
out=$(efi remove)
same "is left" "0 2" "$? $(grep -c '^left ' <<<"$out")"
rmdir "$E/EFI/xen/xen-4.17-amd64.cfg" "$E/EFI/xen"
variable BootCurrent 0300
same "all else is as it was" "$before" "$(picture)"

# The man page's own advice, but late: what was changed by hand is asked for by an option.
debian edited
before=$(picture)
confirmed
variable BootCurrent 0300
sed -i 's/dom0_mem=[^ ]*/dom0_mem=3G/' "$E/EFI/xen/xen-4.17-amd64.cfg"
out=$(efi install --dom0-mem=3G)
same "an option that says what somebody has written" "0 0" "$? $(grep -c '^done .*cfg' <<<"$out")"
order "it has to be tried" 00000300 0100
same "status: all of it is so" up "$(efi status --json | jq -r .state)"
on_xen third
out=$(efi confirm)
order "it can be confirmed" 010000000300
variable BootCurrent 0300
back "edited"

# ---- what others have made ---------------------------------------------------------------------------------

debian made
file /boot/efi/EFI/xen/xen-4.17-amd64.efi 'MZ xen'
file /boot/efi/EFI/xen/xen-4.17-amd64.cfg 'of somebody'
before=$(picture)
for how in 'plan' 'install --dry-run' 'install'; do
	# shellcheck disable=SC2086 # words
	out=$(efi $how)
	same "$how: a file of options of somebody's" "254 1" "$? $(grep -c 'options /boot/efi/EFI/xen/xen-4.17-amd64.cfg is there already, and is not of xenpod' <<<"$out")"
done
same "nothing is changed" "$before" "$(picture)"

# ---- two calls at a time -------------------------------------------------------------------------------------

debian both
confirmed
efi install --dom0-mem=1G >/dev/null
on_xen third
truncate -s 200M "$R/boot/initrd.img-6.1.0-50-amd64"
efi install >"$T/first" &
until grep -q ":$(stat -c %i "$S") " /proc/locks || ! kill -0 $!; do
	sleep 0.01
done
out=$(efi confirm)
rc=$?
wait $!
same "confirm while install is at work waits for it" "254 1" "$rc $(grep -c 'was not booted yet\|is at work' <<<"$out")"
out=$(efi confirm)
same "and after it" "254 1" "$? $(grep -c 'was not booted yet' <<<"$out")"
order "what is new is not what every boot takes" 00000300 0100

# ---- ESPs at other places ----------------------------------------------------------------------------------------

debian twice
ln -s boot/efi "$R/efi"
file /proc/self/mountinfo '20 1 8:2 / / rw - ext4 /dev/sda2 rw\n21 20 8:1 / /boot/efi rw - vfat /dev/sda1 rw\n22 20 8:1 / /efi rw - vfat /dev/sda1 rw\n'
efi install >/dev/null
before=$(picture)
refused "the same ESP by another name" "what is mounted at /efi is the ESP that was written to at /boot/efi" install --esp=/efi
file /proc/self/mountinfo '20 1 8:2 / / rw - ext4 /dev/sda2 rw\n22 20 8:1 / /efi rw - vfat /dev/sda1 rw\n'
refused "it is not lost" "what is mounted at /efi is the ESP that was written to at /boot/efi" install --esp-lost

refused "nor for remove" "what is mounted at /efi is the ESP that was written to at /boot/efi" remove --esp-lost

# Not where it usually is, and not lost.
debian elsewhere
mkdir -p "$R/mnt"
partition sdb 8:17 7d511991-0002-4000-8000-00000000000b
file /proc/self/mountinfo '20 1 8:2 / / rw - ext4 /dev/sda2 rw\n21 20 8:1 / /boot/efi rw - vfat /dev/sda1 rw\n22 20 8:17 / /mnt rw - vfat /dev/sdb1 rw\n'
efi install --esp=/mnt >/dev/null
made=$(find "$R/mnt" "$E")
out=$(efi install --esp-lost)
same "--esp-lost leaves what is there" "0 $made" "$? $(find "$R/mnt" "$E")"
touch "$R/mnt/EFI/xen/.vmlinuz-6.1.0-50-amd64.part" "$R/mnt/EFI/xen/xen-4.17-amd64.cfg.new"
out=$(efi remove --dry-run)
same "what a killed call has left goes, too" 0 "$(grep -c '^would leave' <<<"$out")"
file /proc/self/mountinfo '20 1 8:2 / / rw - ext4 /dev/sda2 rw\n21 20 8:1 / /boot/efi rw - vfat /dev/sda1 rw\n'
out=$(efi remove --esp-lost --dry-run)
same "a dry run tells what is lost" 6 "$(grep -c '^would lose ' <<<"$out")"
mv "$R/sys/firmware/efi/efivars" "$R/sys/firmware/efi/gone"
mkdir "$R/sys/firmware/efi/efivars"
out=$(efi remove --esp-lost)
same "without variables nothing is forgotten" "254 1" "$? $(grep -c "the firmware's variables are not at" <<<"$out")"
rmdir "$R/sys/firmware/efi/efivars"
mv "$R/sys/firmware/efi/gone" "$R/sys/firmware/efi/efivars"
out=$(efi remove --esp-lost)
same "then it is" "0 6" "$? $(grep -c '^lost ' <<<"$out")"
same "and the entry is gone" "" "$(shows Boot0001)"

# "/boot/efi" is below "/boot", and yet another one.
tree nested /boot
partition sdb 8:17 7d511991-0002-4000-8000-00000000000b
file /boot/vmlinuz-6 kernel
file /boot/initrd-6 ramdisk
file /boot/grub/grub.cfg "menuentry 'x' {\n linux /vmlinuz-6 root=x\n initrd /initrd-6\n}\n"
file /opt/xen-4.17/boot/efi/EFI/xen/xen-4.17.efi 'MZ xen'
efi install >/dev/null
mkdir -p "$R/boot/efi"
file /proc/self/mountinfo '20 1 8:2 / / rw - ext4 /dev/sda2 rw\n21 20 8:1 / /boot rw - vfat /dev/sda1 rw\n22 21 8:17 / /boot/efi rw - vfat /dev/sdb1 rw\n'
efi install --esp=/boot/efi >/dev/null
same "moved" "/boot/efi" "$(jq -r '.options.esps[0].at' "$S/efi.json")"
file /proc/self/mountinfo '20 1 8:2 / / rw - ext4 /dev/sda2 rw\n22 20 8:17 / /boot/efi rw - vfat /dev/sdb1 rw\n'
out=$(efi install)
same "the one before is forgotten" "0 1" "$? $(jq '.options.esps | length' "$S/efi.json")"
same "status" up "$(efi status --json | jq -r .state)"

# Another disk in the place of one that is gone, with files of somebody's.
debian replaced
efi install >/dev/null
rm -r "$E/EFI/xen"
file /run/udev/data/b8:1 'E:ID_PART_ENTRY_TYPE=c12a7328-f81f-11d2-ba4b-00a0c93ec93b\nE:ID_PART_ENTRY_UUID=7d511991-0003-4000-8000-00000000000c\n'
file /boot/efi/EFI/xen/xen-4.17-amd64.cfg 'of somebody'
before=$(picture)
refused "another ESP" "at /boot/efi is another ESP than the one that was written to" install
refused "which has somebody's file, in a dry run" "is there already, and is not of xenpod" install --esp-lost --dry-run
refused "which has somebody's file" "is there already, and is not of xenpod" install --esp-lost
rm "$E/EFI/xen/xen-4.17-amd64.cfg"
before=$(picture)
out=$(efi install --esp-lost)
same "without it" "0 4" "$? $(find "$E/EFI/xen" -type f | wc -l)"
same "what is lost is told" 5 "$(grep -c '^lost ' <<<"$out")"
out=$(efi status)
same "all is so" 0 $?
out=$(efi remove)
same "and taken back, but for somebody's directory" "0 ./EFI/xen" "$? $(cd "$E" && find . -path '*/xen*')"

debian older
efi install >/dev/null
jq '.options = (.options + {esp: .options.esps[0].at, uuid: .options.esps[0].uuid} | del(.esps))' "$S/efi.json" >"$T/older.json" && cp "$T/older.json" "$S/efi.json"
mv "$R/proc/self/mountinfo" "$T/mountinfo"
file /proc/self/mountinfo '20 1 8:2 / / rw - ext4 /dev/sda2 rw\n'
out=$(efi remove)
same "an older record knows its ESP, too" "254 1" "$? $(grep -c 'the ESP is not mounted at /boot/efi as it was' <<<"$out")"
mv "$T/mountinfo" "$R/proc/self/mountinfo"
boot second
variable BootNext 0100
same "after a kexec the next boot is Xen's still" 1 "$(efi status | grep -c '^is so .*next boot, once: Boot0001')"
efi remove >/dev/null
order "BootNext that a kexec has not used up goes with the entry" 00000300

# ---- names and files that cannot be ----------------------------------------------------------------------------

debian odd
file "/boot/xen-9$(printf '\377').efi" 'MZ odd'
before=$(picture)
out=$(efi plan)
same "a name that is no UTF-8 is passed over" "0 /boot/xen-4.17-amd64.efi" "$? $(sed -n 's/^hypervisor *//p' <<<"$out")"
refused "an argument that is none" "argument 5 is not UTF-8" install "--xen=/boot/xen-9$(printf '\377').efi"
file /k/img kernel
file /r/IMG ramdisk
refused "two files of one name" "/k/img and /r/IMG would have one name on the ESP" install --kernel=/k/img --ramdisk=/r/IMG
printf "menuentry 'x' {\n linux /boot/vmlinuz-\377 root=x\n initrd /boot/initrd.img-6.1.0-50-amd64\n}\n" >"$R/boot/grub/grub.cfg"
file "/boot/vmlinuz-$(printf '\377')" odd
refused "grub's kernel is none" "control characters and what is no UTF-8 cannot stand in the kernel's name" plan
chmod 700 "$R/boot/grub"
chmod 755 "$T" "$R"
out=$(setpriv --reuid=65534 --clear-groups "${host[@]}" plan 2>&1)
same "grub's files are for root" "254 1" "$? $(grep -c "grub's files are for root alone" <<<"$out")"

debian written
efi install >/dev/null
cp "$S/efi.json" "$T/record"
for change in '(.steps[] | select(.kind == "boot-entry") | .name) = "Bo"' '(.steps[] | select(.kind == "boot-entry") | .name) = "Boot00012"'; do
	jq "$change" "$T/record" >"$S/efi.json"
	out=$(efi remove)
	same "a record with a name that is none" "254 1" "$? $(grep -c 'is no name of a boot entry' <<<"$out")"
done
cp "$T/record" "$S/efi.json"
out=$(efi remove)
same "as it was it is taken back" 0 $?

# ---- BootNext of others ----------------------------------------------------------------------------------------

debian next
variable BootNext 0300
efi install >/dev/null
order "the next boot is Xen's" 00000300 0100
on_xen second
efi install --dom0-mem=1G >/dev/null
order "and once more" 00000300 0100
boot third
variable BootCurrent 0300
efi remove >/dev/null
order "one that a boot has used up does not come back" 00000300

# ---- options of before ------------------------------------------------------------------------------------------

debian kernels
efi install --kernel=/boot/vmlinuz-6.1.0-49-amd64 --ramdisk=/boot/initrd.img-6.1.0-49-amd64 >/dev/null
efi install --kernel=/boot/vmlinuz-6.1.0-50-amd64 >/dev/null
same "another kernel has a ramdisk of its own" "ramdisk=initrd.img-6.1.0-50-amd64" "$(cfg xen-4.17-amd64 | grep ^ramdisk)"
variable SecureBoot 01
out=$(efi install)
same "what has nothing to do with options says nothing of them" "254 0" "$? $(grep -c 'options of before' <<<"$out")"
finish
