#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Writes the source tarball of the commit that is checked out. The same commit gives the same bytes:
# sorted, owned by root, modes without the umask, every file as old as the commit (or
# SOURCE_DATE_EPOCH). What is not committed is not in it, and is told.
# usage: dist.sh VERSION OUT.tar.xz
set -eu

version=$1 out=$2
name=xenpod-$version
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

[ -z "$(git status --porcelain)" ] ||
	echo 'dist: there are changes that are not committed; they are not in the tarball' >&2
mkdir -p "$(dirname "$out")"
git archive --format=tar --prefix="$name/" HEAD | tar -C "$dir" -xf -
tar --sort=name --format=ustar --owner=0 --group=0 --numeric-owner --mtime="@$epoch" \
	--mode='u+rw,go=u-w,a+X' -C "$dir" -cf - "$name" | xz -6 --threads=1 >"$out.tmp"
mv "$out.tmp" "$out"
