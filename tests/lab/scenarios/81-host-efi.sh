#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: full
# PODS: 2
# LIMIT: 3600
#
# Xen by EFI, for real: a machine of its own with OVMF's firmware, an ESP, and the lab's Dom-0 as its root.
# Linux is booted by EFI, `xenpod host efi install` is run there; the next boot is Xen's, a pod runs; it is
# confirmed, and Xen comes again; after remove the ESP and the variables are as before, byte for byte.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck disable=SC2154 # lib.sh's
stage=$top/build/lab/stage-efi
release=$("$lab_dir/kernel.sh" --release)
image=$("$lab_dir/image/build.sh" "${XENLAB_DIR:-$top/build/lab}") || bail "the lab's image is there"
trap '[ -z "${qemu-}" ] || kill "$qemu"; rm -rf "$scratch"' EXIT
for tool in sgdisk mkfs.vfat mcopy; do
	command -v "$tool" >/dev/null || bail "$tool is there" "run 'make setup'"
done
firmware=/usr/share/OVMF/OVMF_CODE_4M.fd
[ -e "$firmware" ] || bail "OVMF is there" "run 'make setup'"

# ---- the machine -----------------------------------------------------------------------------------------

# What goes in as a disk that is a tar archive: xenpod, the images, /boot as Debian has it.
stage_make() {
	rm -rf "$stage"
	make -C "$top" --no-print-directory install DESTDIR="$stage" PREFIX=/usr/local >/dev/null
	sh "$top/dist/test-images.sh" "$stage/root/images" >/dev/null
	install -d "$stage/boot/efi" "$stage/boot/grub"
	cp /boot/xen-4.17-amd64.efi "$stage/boot/"
	cp "$image/vmlinuz" "$stage/boot/vmlinuz-$release"
	cp "$image/initrd" "$stage/boot/initrd.img-$release"
	printf "menuentry 'Debian GNU/Linux' --class debian {\n\tlinux\t%s root=/dev/vda ro net.ifnames=0 console=ttyS0\n\tinitrd\t%s\n}\n" \
		"/boot/vmlinuz-$release" "/boot/initrd.img-$release" >"$stage/boot/grub/grub.cfg"
	tar -C "$stage" --numeric-owner --owner=0 --group=0 -cf "$scratch/stage.tar" .
}

# An ESP that boots Linux by the shell's script, and what another system may have there.
esp_make() {
	local esp=$scratch/esp

	truncate -s 192M "$esp"
	mkfs.vfat -F 32 "$esp" >/dev/null
	mmd -i "$esp" ::/EFI ::/EFI/debian
	mcopy -i "$esp" "$image/vmlinuz" ::/linux.efi
	mcopy -i "$esp" "$image/initrd" ::/initrd.img
	printf 'FS0:\r\nlinux.efi initrd=\\initrd.img root=/dev/vda rw net.ifnames=0 console=ttyS0\r\n' >"$scratch/startup.nsh"
	mcopy -i "$esp" "$scratch/startup.nsh" ::/startup.nsh
	mcopy -i "$esp" "$scratch/startup.nsh" ::/EFI/debian/kept
	truncate -s 200M "$scratch/boot.raw"
	sgdisk -n 1:2048:+192M -t 1:ef00 "$scratch/boot.raw" >/dev/null
	dd if="$esp" of="$scratch/boot.raw" bs=1M seek=1 conv=notrunc status=none
}

# The flags of the CPU: README.md, "Flags".
machine_start() {
	port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
	cp /usr/share/OVMF/OVMF_VARS_4M.fd "$scratch/vars.fd"
	qemu-img create -q -f qcow2 -F raw -b "$image/disk.raw" "$scratch/root.qcow2"
	qemu-system-x86_64 -nodefaults -no-user-config -name xenlab-efi -M q35 -accel tcg,thread=multi \
		-cpu max,smap=off,rdtscp=off,xsave=off,avx=off,svm=off -m 3584 -smp 2 -display none \
		-drive if=pflash,format=raw,readonly=on,file="$firmware" \
		-drive if=pflash,format=raw,file="$scratch/vars.fd" \
		-chardev file,id=console,path="$scratch/console.log" -serial chardev:console \
		-drive file="$scratch/root.qcow2",if=virtio,cache=unsafe \
		-drive file="$scratch/boot.raw",format=raw,if=virtio \
		-drive file="$scratch/stage.tar",format=raw,if=virtio,readonly=on \
		-netdev "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:$port-:22" \
		-device virtio-net-pci,netdev=net,romfile= -device virtio-rng-pci \
		</dev/null >"$scratch/qemu.log" 2>&1 &
	qemu=$!
}

# inside LINE [SECONDS]: in the machine, as root.
inside() {
	timeout "${2:-600}" ssh -F none -i "$image/id" -p "$port" -o BatchMode=yes -o UserKnownHostsFile="$image/known_hosts" \
		-o HostKeyAlias=xenlab -o LogLevel=ERROR -o ConnectTimeout=20 root@127.0.0.1 -- "$1" </dev/null
}

# booted WHAT: waits for another boot than the last one, then mounts what the commands look at.
booted() {
	local end=$((SECONDS + 900)) id

	until id=$(inside 'cat /proc/sys/kernel/random/boot_id' 30 2>/dev/null) && [ "$id" != "${boot-}" ]; do
		if [ $SECONDS -ge $end ] || ! kill -0 "$qemu"; then
			bail "$1" "$(tail -n 30 "$scratch/console.log" | tr -d '\r')"
		fi
		sleep 2
	done
	boot=$id
	ok "$1"
	inside 'mkdir -p /boot/efi; modprobe -a efivarfs vfat nls_ascii nls_cp437
		mountpoint -q /sys/firmware/efi/efivars || mount -t efivarfs efivarfs /sys/firmware/efi/efivars
		mountpoint -q /boot/efi || mount -t vfat -o umask=0077 /dev/vdb1 /boot/efi; udevadm settle'
}

reboot_it() {
	inside 'umount /boot/efi; sync; systemd-run -q --on-active=1 systemctl reboot'
}

# esp, variables: names with hashes. Not what the firmware sets anew at each boot: MTC counts boots and changes,
# BootCurrent says which entry it was.
esp() {
	inside 'cd /boot/efi && find . -type d | sort && find . -type f -print0 | sort -z | xargs -0 sha256sum'
}

variables() {
	inside 'cd /sys/firmware/efi/efivars && sha256sum * 2>/dev/null' | grep -vE ' (MTC|BootCurrent)-'
}

# ---- Linux -------------------------------------------------------------------------------------------------

stage_make
esp_make
machine_start
booted "Linux is booted by EFI"
check "xenpod is installed there" inside 'set -e
	tar -C / --keep-directory-symlink --no-overwrite-dir -xf /dev/vdc
	systemd-sysusers
	systemctl daemon-reload
	systemctl enable -q xenpod-admin.socket xenpod-status.socket xenpodd.service'
esp >"$scratch/esp-before"
variables >"$scratch/variables-before"
order=$(inside 'efibootmgr | grep ^BootOrder')
expect_match "plan" "$(inside 'xenpod host efi plan')" "kernel +/boot/vmlinuz-$release"
check_not "confirm before Xen has run" inside 'xenpod host efi confirm'
check "install" inside "xenpod host efi install --dom0-mem=1536M,max:1536M --console=com1 --xen-args='bootscrub=0 dom0_max_vcpus=2'"
expect_match "install again: all is so" "$(inside "xenpod host efi install --dom0-mem=1536M,max:1536M --console=com1 --xen-args='bootscrub=0 dom0_max_vcpus=2' | grep -vc '^is so'")" '^0$'
expect_eq "the boot order is not touched" "$(inside 'efibootmgr | grep ^BootOrder')" "$order"

# ---- Xen ---------------------------------------------------------------------------------------------------

reboot_it
booted "the next boot comes up"
expect_match "it is on Xen" "$(inside dmesg)" 'Hypervisor detected: Xen'
check "Xen's services and the supervisor" inside 'systemctl start xen.service xenpodd.service && xl list'
expect_eq "a pod runs" "$(inside 'xenpod run --net=none --memory=64M /root/images/busybox.aci -- -c "exit 7" >/dev/null 2>&1; echo $?')" 7
expect_match "status: not confirmed" "$(inside 'xenpod host efi status')" 'not confirmed yet'
check "confirm" inside 'xenpod host efi confirm'
expect_match "status: confirmed" "$(inside 'xenpod host efi status')" 'up, confirmed'
reboot_it
booted "it comes up again"
expect_match "it is on Xen again" "$(inside dmesg)" 'Hypervisor detected: Xen'
check "remove" inside 'xenpod host efi remove'
esp >"$scratch/esp-after"
variables >"$scratch/variables-after"
check "the ESP is as before" diff "$scratch/esp-before" "$scratch/esp-after"
check "the variables are as before" diff "$scratch/variables-before" "$scratch/variables-after"
expect_eq "the boot order is as before" "$(inside 'efibootmgr | grep ^BootOrder')" "$order"
reboot_it
booted "the boot after that"
check_not "it is not on Xen" inside 'dmesg | grep "Hypervisor detected: Xen"'
finish
