#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the Debian packages from the source tarball: dist/debian becomes debian/ there. Nothing of the
# checkout's own build is used. Results are moved to OUTDIR when all of them are there.
# usage: deb.sh TARBALL WORKDIR OUTDIR
set -eu

tarball=$(realpath "$1") work=$2 out=$3
version=${tarball##*/xenpod-}
version=${version%.tar.xz}

rm -rf "$work"
mkdir -p "$work" "$out"
work=$(realpath "$work")
cp "$tarball" "$work/xenpod_$version.orig.tar.xz"
tar -C "$work" -xf "$tarball"
cd "$work/xenpod-$version"
cp -a dist/debian debian

# The changelog has the version too: one without the other is a mistake.
changelog=$(dpkg-parsechangelog -S Version)
if [ "${changelog%-*}" != "$version" ]; then
	echo "deb: VERSION is $version, dist/debian/changelog says $changelog" >&2
	exit 1
fi
# What dpkg would let the number of processors decide.
export DPKG_DEB_THREADS_MAX=1
umask 022
dpkg-buildpackage -us -uc ${DEB_BUILD_JOBS:+-j"$DEB_BUILD_JOBS"}
cd "$OLDPWD"
rm -rf "$out"/xenpod* "$out/commit"
find "$work" -maxdepth 1 -type f -exec mv -t "$out" {} +
rm -rf "$work"
