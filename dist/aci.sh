#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Packs the stage1 image (appc image layout; contract 2.1 says what stage0 wants in it). The same
# inputs give the same bytes: fixed order, owner and times. Uncompressed: the ramdisk and kernel are
# what is large, and rkt unpacks the image for each new tree.
# usage: aci.sh VERSION BINDIR VMLINUX INITRD OUT
set -eu

version=$1 bin=$2 vmlinux=$3 initrd=$4 out=$5
mtime=${SOURCE_DATE_EPOCH:-0}

case $(uname -m) in
x86_64) arch=amd64 ;;
i?86) arch=i386 ;;
aarch64) arch=aarch64 ;;
*) echo "aci.sh: no ACI architecture is known for $(uname -m)" >&2; exit 1 ;;
esac

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
root=$dir/rootfs
umask 022

# An annotation only for what exists: stage0 takes each one as a promise (contract 1.1).
cat >"$dir/manifest" <<END
{
  "acKind": "ImageManifest",
  "acVersion": "0.8.11",
  "name": "xenpod.io/stage1-xen",
  "labels": [
    {"name": "version", "value": "$version"},
    {"name": "os", "value": "linux"},
    {"name": "arch", "value": "$arch"}
  ],
  "annotations": [
    {"name": "coreos.com/rkt/stage1/run", "value": "/run"},
    {"name": "coreos.com/rkt/stage1/enter", "value": "/enter"},
    {"name": "coreos.com/rkt/stage1/stop", "value": "/stop"},
    {"name": "coreos.com/rkt/stage1/gc", "value": "/gc"},
    {"name": "coreos.com/rkt/stage1/interface-version", "value": "6"}
  ]
}
END

# rkt/status must be there or stage0 dies on overlays; the others are what stage0 writes into.
mkdir -p "$root/etc/rkt/net.d" "$root/opt/stage2" "$root/rkt/status" "$root/rkt/env" \
	"$root/rkt/iottymux" "$root/xenpod"
cat >"$root/etc/hosts-fallback" <<END
127.0.0.1	localhost
::1	localhost ip6-localhost ip6-loopback
END
ln -s xen "$root/flavor"
for hook in run enter stop gc; do
	strip -o "$root/$hook" "$bin/$hook"
	chmod 755 "$root/$hook"
done
install -m 644 "$(dirname "$0")"/nets/*.conf "$root/etc/rkt/net.d/"
install -m 644 "$vmlinux" "$root/xenpod/vmlinux"
install -m 644 "$initrd" "$root/xenpod/initrd.cpio"

tar --sort=name --format=ustar --owner=0 --group=0 --numeric-owner --mtime="@$mtime" \
	-C "$dir" -cf "$out.tmp" manifest rootfs
mv "$out.tmp" "$out"
