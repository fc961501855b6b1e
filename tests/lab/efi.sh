# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# A machine that boots by EFI: the lab's Dom-0 disk, beside it a disk with an EFI system partition and a /boot
# of its own, and OVMF, with its variables in a file. What boots at first is grub, and by that Linux without
# Xen. To be sourced after lib.sh; then XENLAB_NAME is this machine, and lab_run, lab_put go there.
# xenlab itself boots Xen without firmware; of it, machine.sh is used with another start.

# shellcheck disable=SC2034 # for machine.sh
here=${lab_dir:?}
lab=${XENLAB_DIR:-$top/build/lab}
name=efi variant=pv memory=4096 ceiling=600

die() {
	bail "$*"
}

say() {
	echo "# $*"
}

# shellcheck source=tests/lab/machine.sh
. "$lab_dir/machine.sh"
run=$lab/run/$name

# What needs xsave, which is off: Xen hides it then, Linux by itself uses it and dies.
no_vectors=avx2=off,fma=off,f16c=off,vaes=off,vpclmulqdq=off

# In place of machine.sh's: firmware, a disk that it can boot from, the same devices else. With five levels of
# page tables, which Xen does not use, programs die under Linux on QEMU 7.2's emulation: la57=off. A reboot ends
# the process: in one that has run Linux before, Xen's copying of its modules takes an hour.
qemu_start() {
	(
		cd "$run" || exit
		rm -f qmp pid
		truncate -s "$bulk_size" bulk
		exec setsid qemu-system-x86_64 -nodefaults -no-user-config -name "xenlab-$name" \
			-M q35 -no-reboot -accel tcg,thread=multi -cpu "$(cpu_flags),la57=off,$no_vectors" -m "$memory" -smp 2 -display none \
			-drive if=pflash,format=raw,unit=0,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd \
			-drive if=pflash,format=raw,unit=1,file=vars.fd \
			-chardev file,id=console,path=console.log,append=on -serial chardev:console \
			-drive file=disk.qcow2,if=virtio,cache=writeback \
			-drive file=bulk,format=raw,if=virtio,readonly=on,file.locking=off \
			-drive file=boot.raw,format=raw,if=virtio,cache=writeback \
			-netdev "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:$port-:22" \
			-device virtio-net-pci,netdev=net,romfile= -device virtio-rng-pci \
			-qmp unix:qmp,server=on,wait=off -pidfile pid "$@" \
			</dev/null >qemu.log 2>&1 7>&- 9>&-
	) &
	disown
}

# grub of the ESP goes on with the grub.cfg of /boot, as on any host.
# shellcheck disable=SC2016 # grub's variables
grub_make() { # OUT
	printf 'search --no-floppy --label --set=root boot\nset prefix=($root)/grub\nconfigfile $prefix/grub.cfg\n' \
		>"$run/stub.cfg"
	grub-mkstandalone -O x86_64-efi -o "$1" --modules='normal configfile part_gpt fat ext2 search search_label echo linux test' \
		--locales= --fonts= --themes= "boot/grub/grub.cfg=$run/stub.cfg"
}

boot_tree() { # DIR RELEASE
	mkdir -p "$1/grub"
	cp "$image/vmlinuz" "$1/vmlinuz-$2"
	cp "$image/initrd" "$1/initrd.img-$2"
	cp /boot/xen-4.17-amd64.efi "$1/"
	cat >"$1/grub/grub.cfg" <<-END
		set timeout=0
		menuentry 'Debian GNU/Linux' --class debian --class os {
			search --no-floppy --label --set=root boot
			linux	/vmlinuz-$2 root=/dev/vda ro net.ifnames=0 console=ttyS0,115200
			initrd	/initrd.img-$2
		}
	END
}

# /dev/vdc: 1 is the ESP (100 MB, FAT32), 2 is /boot.
boot_disk() {
	local release

	release=$("$lab_dir/kernel.sh" --release)
	rm -rf "${run:?}/boot" "$run/boot.raw"
	boot_tree "$run/boot" "$release"
	grub_make "$run/grubx64.efi"
	truncate -s 200M "$run/boot.raw"
	sgdisk -a 2048 -n 1:2048:+100M -t 1:ef00 -n 2:0:+80M -t 2:8300 "$run/boot.raw" >/dev/null
	mkfs.vfat -F 32 --offset 2048 "$run/boot.raw" $((100 * 1024)) >/dev/null
	mmd -i "$run/boot.raw@@1M" ::EFI ::EFI/BOOT ::EFI/debian
	mcopy -i "$run/boot.raw@@1M" "$run/grubx64.efi" ::EFI/BOOT/BOOTX64.EFI
	mcopy -i "$run/boot.raw@@1M" "$run/grubx64.efi" ::EFI/debian/grubx64.efi
	mke2fs -q -F -t ext4 -L boot -E offset=$((101 * 1024 * 1024)) -d "$run/boot" "$run/boot.raw" 80M
}

# The machine, new, up to a Linux without Xen; `image` is what its disk is of.
efi_up() {
	image=$("$lab_dir/image/build.sh" "$lab") || bail "the lab's image is there"
	power_off
	rm -rf "$run"
	mkdir -p "$run"
	qemu-img create -q -f qcow2 -F raw -b "$image/disk.raw" "$run/disk.qcow2"
	cp /usr/share/OVMF/OVMF_VARS_4M.fd "$run/vars.fd"
	boot_disk || bail "the disk to boot from is made"
	: >"$run/console.log"
	export XENLAB_NAME=$name XENLAB_DIR=$lab
	# shellcheck disable=SC2119 # it needs none
	machine_start
	linux_wait
}

# A boot other than $1 in which ssh answers: without Xen the lab does not call itself ready.
linux_wait() {
	local old=${1:-none} end=$((SECONDS + ceiling)) id=

	while [ $SECONDS -lt $end ] && machine_pid >/dev/null; do
		if channel_open; then
			id=$(dom0 'cat /proc/sys/kernel/random/boot_id' 2>/dev/null) || id=
			[ -z "$id" ] || [ "$id" = "$old" ] || return 0
			channel_close
		fi
		sleep 1
	done
	bail "Linux comes up" "$(tail -n 30 "$run/console.log" | tr -d '\r')"
}

# efi_reboot linux|xen: a reboot in order, as with the power switched off and on; the firmware keeps its variables.
efi_reboot() {
	local old pid

	old=$(dom0 'cat /proc/sys/kernel/random/boot_id')
	pid=$(machine_pid) || bail "the machine runs"
	dom0 'umount /boot/efi; systemctl start reboot.target --job-mode=replace-irreversibly --no-block' || true
	channel_close
	gone_wait "$pid" "$ceiling" || bail "the machine reboots" "$(tail -n 30 "$run/console.log" | tr -d '\r')"
	# shellcheck disable=SC2119 # it needs none
	machine_start
	if [ "$1" = xen ]; then
		ready_wait "$old"
	else
		linux_wait "$old"
	fi
}

power_off() {
	local pid

	pid=$(machine_pid) || return 0
	kill -KILL "$pid"
	gone_wait "$pid" 30
	channel_close
}

efi_down() {
	power_off
	rm -rf "$run"
}
