#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The packages are built once more from the same commit, elsewhere: another-folder, time zone, locale,
# umask and order of files do not matter. Compared with build/deb, byte by byte. The last line is
# `N passed, N failed`.
set -u
cd "$(dirname "$0")/../.." || exit 1
: "${VERSION:?}"

T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
passed=0
failed=0
same() { # WHAT FILE FILE
	if cmp "$2" "$3"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED: $1 is not the same"
	fi
}

umask 077
export TZ=Asia/Kathmandu LC_ALL=C.UTF-8
tarball=xenpod-$VERSION.tar.xz
sh dist/dist.sh "$VERSION" "$T/$tarball" || exit 1
same "$tarball" "build/dist/$tarball" "$T/$tarball"
sh dist/deb.sh "$T/$tarball" "$T/another-folder" "$T/out" >"$T/log" 2>&1 || {
	tail -n 40 "$T/log"
	exit 1
}
# .buildinfo and .changes tell when and where it was built: they are the protocol, not the product.
for f in build/deb/*.deb build/deb/*.dsc build/deb/*.tar.*; do
	same "${f##*/}" "$f" "$T/out/${f##*/}"
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
