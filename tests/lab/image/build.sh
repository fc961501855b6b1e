#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds what the lab's machine boots: a Debian Dom-0 disk (ext4, raw, sparse), its ramdisk, its
# kernel, the hypervisor and the key of the command channel. Prints the folder that holds them.
# A folder's name carries the hash of everything it was made from, so nothing is built twice.
# Knows nothing of running machines.
set -euo pipefail

here=$(dirname "$(realpath "$0")")
suite=bookworm
disk_size=4G
# Hardware that QEMU's machine does not have; without it the modules take a fifth of the room.
unneeded_modules=(sound net/{wireless,mac80211,bluetooth,ceph,can,nfc,rxrpc,batman-adv,tipc,sunrpc}
	drivers/{gpu,media,infiniband,iio,usb,hid,input,staging,scsi,ata,mmc,isdn,bluetooth,hwmon,power}
	drivers/{nvme,thunderbolt,platform,leds,firewire,edac,message,crypto,mtd,comedi,soundwire,target}
	drivers/{rtc,i2c,spi,regulator,video,cxl,accel,parport,pcmcia,ufs,ntb,memstick,tty,w1}
	drivers/net/{ethernet,wireless,usb,can,wwan,fddi,hamradio,phy,ieee802154,arcnet,plip,fjes}
	fs/{ocfs2,xfs,btrfs,f2fs,gfs2,jfs,reiserfs,nfs,nfsd,cifs,smb,ceph,dlm,afs,coda,ntfs3,ubifs,udf,bcachefs})

die() {
	echo "lab image: $*" >&2
	exit 254
}

say() {
	echo "lab image: $*" >&2
}

need() {
	local tool

	for tool in "$@"; do
		command -v "$tool" >/dev/null || die "$tool is missing: run 'make setup'"
	done
}

packages() {
	grep -Ev '^(#|$)' "$here/packages"
}

# Debian's own package sources as this machine knows them; mmdebstrap's default where it has none.
sources() {
	local file

	for file in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
		if grep -qsE "^[^#].*\b$suite\b" "$file"; then
			echo "$file"
			return
		fi
	done
}

versions() {
	dpkg-query -W -f '${Package} ${Version}\n' xen-hypervisor-4.17-amd64 libxen-dev libxenmisc4.17 \
		"linux-image-$release" libsqlite3-0 libev4 libjansson4 2>/dev/null || true
}

hash_of() {
	sha256sum | cut -c 1-12
}

root_hash() {
	{
		packages
		versions
		echo "$suite"
	} | hash_of
}

image_hash() {
	{
		root_hash
		cat "$0" "$here/init" "$here/../kernel.sh"
		cd "$here/rootfs"
		find . \( -type f -o -type l \) -printf '%p %m %l\n' | sort
		find . -type f | sort | xargs cat
	} | hash_of
}

root_try() {
	# shellcheck disable=SC2046 # no word at all when there are no sources
	mmdebstrap --quiet --variant=minbase --mode=auto --format=tar \
		--aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Retries "5"' \
		--include="$(packages | paste -sd,)" "$suite" "$1" $(sources) >&2
}

# Debian's packages, nothing of ours yet: the slow part, kept as a tar archive. A mirror that is
# renewed just now, or a connection cut, is no reason for a whole run to fail: asked again, later.
root_build() {
	local out=$1 pause

	say "installing Debian $suite with $(packages | wc -l) packages (about 3 minutes)"
	for pause in 15 45 90 0; do
		if root_try "$out.tmp"; then
			mv "$out.tmp" "$out"
			return
		fi
		rm -f "$out.tmp"
		if [ "$pause" != 0 ]; then
			say "mmdebstrap failed; once more in $pause s"
			sleep "$pause"
		fi
	done
	die "mmdebstrap failed: are Debian's package servers reachable? (see apt-get update)"
}

modules_copy() {
	local root=$1 path

	mkdir -p "$root/lib/modules"
	cp -a "/lib/modules/$release" "$root/lib/modules/"
	for path in "${unneeded_modules[@]}"; do
		rm -rf "$root/lib/modules/$release/kernel/$path"
	done
	rm -f "$root/lib/modules/$release"/{build,source}
	depmod -b "$root" "$release"
}

# The channel's keys: the host's identity and the one user who may come in.
keys_make() {
	local root=$1 out=$2

	ssh-keygen -q -t ed25519 -N '' -C xenlab -f "$out/id"
	install -d -m 700 "$root/root/.ssh"
	install -m 600 "$out/id.pub" "$root/root/.ssh/authorized_keys"
	rm -f "$root"/etc/ssh/ssh_host_*
	ssh-keygen -q -t ed25519 -N '' -C dom0 -f "$root/etc/ssh/ssh_host_ed25519_key"
	echo "xenlab $(cut -d ' ' -f 1,2 "$root/etc/ssh/ssh_host_ed25519_key.pub")" >"$out/known_hosts"
}

units_enable() {
	local root=$1 unit

	for unit in xen lab-net lab-ready; do
		ln -sf "/etc/systemd/system/$unit.service" "$root/etc/systemd/system/multi-user.target.wants/"
	done
	ln -sf /lib/systemd/system/ssh.service "$root/etc/systemd/system/multi-user.target.wants/"
	for unit in xendomains.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
		e2scrub_all.timer e2scrub_reap.service fstrim.timer getty.target getty-static.service \
		systemd-timesyncd.service serial-getty@hvc0.service; do
		ln -sf /dev/null "$root/etc/systemd/system/$unit"
	done
}

disk_make() {
	local root=$1 out=$2

	cp -a "$here/rootfs/." "$root/"
	modules_copy "$root"
	keys_make "$root" "$out"
	units_enable "$root"
	mkdir -p "$root/var/log/journal" "$root/var/log/xen/console"
	: >"$root/etc/machine-id"
	truncate -s "$disk_size" "$out/disk.raw"
	mke2fs -q -F -t ext4 -L dom0 -E lazy_itable_init=0,lazy_journal_init=0,discard -d "$root" \
		"$out/disk.raw" >&2
}

# Modules in the order in which they must be loaded, one file name a line in /modules/order.
ramdisk_modules() {
	local dir=$1 path

	mkdir -p "$dir/modules"
	modprobe -S "$release" --show-depends -a virtio_pci virtio_blk crc32c_generic ext4 |
		sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++' |
		while read -r path; do
			cp "$path" "$dir/modules/"
			basename "$path"
		done >"$dir/modules/order"
}

ramdisk_make() {
	local dir=$1/ramdisk out=$2

	mkdir -p "$dir/bin"
	cp /bin/busybox "$dir/bin/busybox"
	! ldd "$dir/bin/busybox" >/dev/null 2>&1 || die "busybox is not static: install busybox-static"
	install -m 755 "$here/init" "$dir/init"
	ramdisk_modules "$dir"
	(cd "$dir" && find . | cpio --quiet -o -H newc) >"$out/initrd"
}

boot_files_copy() {
	local out=$1 xen

	xen=$(find /boot -maxdepth 1 -name 'xen-4.17-*.gz' | sort -V | tail -n 1)
	[ -n "$xen" ] || die "no hypervisor in /boot: install xen-hypervisor-4.17-amd64"
	gzip -dc "$xen" >"$out/xen"
	cp "/boot/vmlinuz-$release" "$out/vmlinuz"
}

image_build() {
	local out=$1 root_tar=$2

	rm -rf "$out.tmp"
	mkdir -p "$out.tmp/root"
	say "making the disk"
	tar -C "$out.tmp/root" --numeric-owner --xattrs --xattrs-include='*' -xpf "$root_tar"
	disk_make "$out.tmp/root" "$out.tmp"
	ramdisk_make "$out.tmp" "$out.tmp"
	boot_files_copy "$out.tmp"
	rm -rf "$out.tmp/root" "$out.tmp/ramdisk"
	mv "$out.tmp" "$out"
}

main() {
	local dir=${1:?usage: build.sh DIR} root_tar image

	[ "$(id -u)" = 0 ] || die "must be root (device nodes and owners of Dom-0's files)"
	need mmdebstrap mke2fs cpio depmod modprobe busybox ssh-keygen gzip
	# apt verifies signatures as its own user; without this it says that gpgv were missing.
	[ "$(stat -c %a /dev/null)" = 666 ] ||
		die "/dev/null has mode $(stat -c %a /dev/null): run 'chmod 666 /dev/null'"
	release=$("$here/../kernel.sh" --release)
	mkdir -p "$dir"
	exec 9>"$dir/build.lock"
	flock 9
	root_tar=$dir/root-$(root_hash).tar
	image=$dir/image-$(image_hash)
	[ -e "$image" ] || [ -e "$root_tar" ] || root_build "$root_tar"
	[ -e "$image" ] || image_build "$image" "$root_tar"
	echo "$image"
}

main "$@"
