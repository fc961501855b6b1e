#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Packs a tree that `make install-host` has made and the stage1 image into the tarball for /opt. The same input
# gives the same bytes: sorted, owned by root, modes without the umask, every file as old as the commit (or
# SOURCE_DATE_EPOCH), programs without what tells where they were built.
# usage: opt.sh STAGING-DIRECTORY PREFIX STAGE1.aci OUT.tar.gz
set -eu

stage=$1 prefix=$2 aci=$3 out=$4
name=stage1-xen
here=$(dirname "$0")
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

cp -r "$stage$prefix" "$dir/$name"
# What belongs into the host's own directories is for whoever sets it up.
mkdir -p "$dir/$name/share/xenpod/host"
cp -r "$stage/usr/lib/." "$dir/$name/share/xenpod/host/"
install -D -m 644 "$aci" "$dir/$name/aci/stage1-xen.aci"
install -m 644 "$here/source_path.sh" "$dir/$name/bin/source_path.sh"
for file in "$dir/$name"/bin/* "$dir/$name"/sbin/* "$dir/$name"/lib/xenpod/*; do
	case $file in
	*.sh) ;;
	*) strip -g -R .note.gnu.build-id "$file" ;;
	esac
done
mkdir -p "$(dirname "$out")"
tar --sort=name --format=ustar --owner=0 --group=0 --numeric-owner --mtime="@$epoch" \
	--mode='u+rw,go=u-w,a+X' -C "$dir" -cf - "$name" | gzip -9n >"$out.tmp"
mv "$out.tmp" "$out"
