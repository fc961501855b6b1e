#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: full
# PODS: 5
# LIMIT: 1800
#
# xenpod-watch and xenpod-act against the real Xen, driven by their frames as xenpodd does it: a
# whole life of a pod, the ways it can end, told apart; a hostile guest; kill -9 in the middle of a
# create. The guest is a busybox one of its own (tools/world_init.sh).
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"

guest_ramdisk() {
	local dir=$scratch/ramdisk release path

	release=$("$lab_dir/kernel.sh" --release)
	mkdir -p "$dir/bin" "$dir/sbin" "$dir/modules"
	cp /bin/busybox "$dir/bin/"
	cp "$lab_dir/tools/world_init.sh" "$dir/init"
	chmod +x "$dir/init"
	gcc -std=gnu17 -O1 -Wall -Wextra -Werror -static -o "$dir/bin/xsput" \
		"$lab_dir/tools/worldguest.c" || return
	ln -s ../bin/xsput "$dir/sbin/poweroff"
	modprobe -S "$release" --show-depends -a 9p 9pnet_xen | sed -n 's/^insmod \([^ ]*\).*/\1/p' |
		awk '!seen[$0]++' | while read -r path; do
		cp "$path" "$dir/modules/"
		basename "$path"
	done >"$dir/modules/order"
	(cd "$dir" && find . | cpio --quiet -o -H newc) >"$scratch/ramdisk.cpio"
}

kernel=$(lab_kernel) || bail "the guest's kernel"
guest_ramdisk || bail "the guest's ramdisk"
programs=$top/build/${VARIANT:-release}/bin
[ -x "$programs/xenpod-act" ] || bail "xenpod-act is built" "run make first"

leftovers_snapshot
lab_run 'rm -rf /root/world && mkdir -p /root/world'
lab_put "$kernel" /root/world/vmlinux || bail "put the kernel"
lab_put "$scratch/ramdisk.cpio" /root/world/ramdisk || bail "put the ramdisk"
for f in "$programs"/xenpod-{watch,act} "$lab_dir"/tools/world{,_test}.py; do
	lab_put "$f" "/root/world/${f##*/}" || bail "put $f"
done

ended=
while read -r line; do
	case $line in
	'ok '*) ok "${line#ok }" ;;
	'not ok '*)
		line=${line#not ok }
		not_ok "${line%% | *}" "${line#* | }"
		;;
	end) ended=1 ;;
	*) echo "# $line" ;;
	esac
done < <(lab_run 'python3 -u /root/world/world_test.py 2>&1')
expect_eq "the checks in Dom-0 came to their end" "$ended" 1
lab_run 'rm -rf /root/world'
expect_nothing_left "nothing is left in Dom-0"
finish
