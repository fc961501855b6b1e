# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154
# Trees of hosts that EFI has booted, with a double of efibootmgr, for the suites of `xenpod host efi`.

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

# partition DISK NUMBERS UUID: its first, an ESP.
partition() {
	file "/sys/devices/d/$1/${1}1/partition" '1\n'
	ln -s "../../devices/d/$1/${1}1" "$R/sys/dev/block/$2"
	file "/run/udev/data/b$2" "E:ID_PART_ENTRY_TYPE=c12a7328-f81f-11d2-ba4b-00a0c93ec93b\nE:ID_PART_ENTRY_UUID=$3\n"
}

# boot ID: it was booted; `on_xen` by our entry, into Xen.
boot() {
	file /proc/sys/kernel/random/boot_id "$1\n"
	rm -f "$R/sys/firmware/efi/efivars/BootNext-$guid"
}

on_xen() {
	boot "$1"
	file /proc/xen/capabilities 'control_d\n'
	variable BootCurrent 0100
}

# tree NAME POINT: a host booted by EFI, an ESP at POINT, entries 0000 and 0003.
tree() {
	R=$T/$1
	S=$T/$1.state
	E=$R$2
	host=("$bin/xenpod-host" "--root=$R" "--state-dir=$S" efi)
	mkdir -p "$R/sys/firmware/efi/efivars" "$R/sys/dev/block" "$E/EFI/BOOT"
	partition sda 8:1 7d511991-0001-4000-8000-00000000000a
	file /proc/self/mountinfo "20 1 8:2 / / rw - ext4 /dev/sda2 rw\n21 20 8:1 / $2 rw - vfat /dev/sda1 rw\n"
	file /proc/sys/kernel/random/boot_id 'first\n'
	file "$2/EFI/BOOT/BOOTX64.EFI" 'shim'
	variable BootOrder 00000300
	variable BootCurrent 0300
	variable Boot0000 010000000400440000007fff0400
	variable Boot0003 010000000400460000007fff0400
}

debian() {
	tree "${1-debian}" /boot/efi
	file /boot/grub/grub.cfg "menuentry 'Debian' --class debian {\n\tsearch --fs-uuid 11\n\tlinux\t/boot/vmlinuz-6.1.0-50-amd64 root=UUID=11 ro \"x=a b\" console=ttyS0\n\tinitrd\t/boot/initrd.img-6.1.0-50-amd64\n}\nsubmenu 'More' {\n\tmenuentry 'Debian, 49' {\n\t\tlinux\t/boot/vmlinuz-6.1.0-49-amd64 root=UUID=11 ro quiet\n\t\tinitrd\t/boot/initrd.img-6.1.0-49-amd64\n\t}\n}\n"
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

# refused WHAT TEXT ARGS...: one line, and nothing is changed.
refused() {
	local what=$1 text=$2

	shift 2
	out=$(efi "$@")
	same "$what" "254 1 yes" "$? $(wc -l <<<"$out") $(grep -qF -- "$text" <<<"$out" && echo yes || echo "$out")"
	same "$what: nothing is changed" "$before" "$(picture)"
}
