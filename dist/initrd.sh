#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Writes the guests' ramdisk: an uncompressed newc archive, because libxl would try to inflate a
# compressed one together with the pod's spec that is appended to it. Holds xenpod-init under its
# three names and the kernel modules that a guest needs, with their load order.
# Device nodes are not needed: the kernel's built-in ramdisk has /dev/console.
set -eu

# 9p over Xen rings, the two device files of a vchan server, and what the next features need
# (network, layers). No xenfs and no gntdev: nothing here maps other domains' pages or makes
# hypercalls, so their device files would only be in reach of apps.
modules='netfs fscache 9pnet 9p 9pnet_xen xen-evtchn xen-gntalloc xen-netfront overlay'

if [ $# != 3 ]; then
	echo 'usage: initrd.sh XENPOD-INIT KERNEL-RELEASE OUT' >&2
	exit 254
fi
init=$1 release=$2 out=$3

die() {
	echo "initrd.sh: $*" >&2
	exit 254
}

[ -d "/lib/modules/$release" ] || die "no modules of kernel $release: install linux-image-amd64"
case $(file -b "$init") in
*'statically linked'*) ;;
*) die "$init is not static: build it with VARIANT=release" ;;
esac

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
umask 022
mkdir -p "$dir/lib/xenpod" "$dir/lib/modules" "$dir/sbin" "$dir/dev" "$dir/proc" "$dir/sys" \
	"$dir/run" "$dir/apps" "$dir/xenpod"
cp "$init" "$dir/init"
strip "$dir/init"
ln "$dir/init" "$dir/sbin/poweroff"
ln "$dir/init" "$dir/sbin/reboot"

# Lines "insmod PATH" in load order, each file once; a built-in module has a line of another kind.
for m in $modules; do
	PATH=$PATH:/sbin modprobe -S "$release" --show-depends "$m" || die "kernel $release has no module $m"
done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' >"$dir/files"
[ -s "$dir/files" ] || die "kernel $release: no modules found"
while read -r path; do
	name=${path##*/}
	case $path in
	*.ko) cp "$path" "$dir/lib/modules/$name" ;;
	*.ko.xz) name=${name%.xz} && xz -dc "$path" >"$dir/lib/modules/$name" ;;
	*.ko.zst) name=${name%.zst} && zstd -qdc "$path" >"$dir/lib/modules/$name" ;;
	*) die "module $path: compression not known" ;;
	esac
	echo "/lib/modules/$name"
done <"$dir/files" >"$dir/lib/xenpod/modules"
rm "$dir/files"

# The same input gives the same bytes.
find "$dir" -exec touch -h -d @0 {} +
(cd "$dir" && find . -mindepth 1 | LC_ALL=C sort | cpio -o -H newc -R 0:0 --reproducible --quiet) \
	>"$out.tmp"
mv "$out.tmp" "$out"
