#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The next version of packages, for tests of upgrades: the same files under a number with "+next" behind
# it. Not compressed: it is used once.
# usage: next.sh FOLDER-OF-PACKAGES OUT-FOLDER
set -eu

from=$1 out=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
rm -rf "$out"
mkdir -p "$out"
for deb in "$from"/xenpod_*.deb "$from"/xenpod-stage1_*.deb; do
	name=$(dpkg-deb -f "$deb" Package)
	next=$(dpkg-deb -f "$deb" Version)+next
	dpkg-deb -R "$deb" "$dir/$name"
	sed -i "s/^Version: .*/Version: $next/; s/\(xenpod[a-z0-9-]* (= \)[^)]*)/\1$next)/" "$dir/$name/DEBIAN/control"
	dpkg-deb --root-owner-group -Znone -b "$dir/$name" "$out/${name}_${next}_amd64.deb" >/dev/null
	rm -rf "${dir:?}/$name"
done
