#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Writes the uncompressed ELF kernel (vmlinux) out of the newest installed distribution kernel that
# can be a Xen guest. libxl unpacks a bzImage in user space at each create; an ELF it takes as it is.
# Knows the x86 boot protocol (linux: Documentation/arch/x86/boot.rst) and /boot, nothing else.
set -euo pipefail

usage() {
	cat <<-'END'
	usage: kernel.sh OUT          write the uncompressed kernel to OUT
	       kernel.sh --release    print the release of the kernel that is taken
	END
}

die() {
	echo "kernel.sh: $*" >&2
	exit 254
}

# The newest release with a kernel, its modules and Xen PV support.
kernel_release() {
	local image release

	while read -r image; do
		release=${image#/boot/vmlinuz-}
		if [ -d "/lib/modules/$release" ] && grep -qs '^CONFIG_XEN_PV=y' "/boot/config-$release"; then
			echo "$release"
			return
		fi
	done < <(find /boot -maxdepth 1 -name 'vmlinuz-*' | sort -rV)
	die "no kernel with Xen PV support in /boot: install linux-image-amd64"
}

# A little-endian number of $3 bytes at offset $2 of file $1.
number_at() {
	od -An -v -t "u$3" -j "$2" -N "$3" "$1" | tr -d ' '
}

unpack() {
	case $(od -An -t x1 -N 4 "$1" | tr -d ' ') in
	1f8b*) gzip -dc "$1" ;;
	fd377a58) xz -dc "$1" ;;
	28b52ffd) zstd -dc "$1" ;;
	02214c18) lz4 -dc "$1" ;;
	*) die "kernel payload with an unknown compression" ;;
	esac
}

kernel_extract() {
	local image=$1 out=$2 offset length

	[ "$(od -An -c -j 514 -N 4 "$image" | tr -d ' ')" = HdrS ] || die "$image is not a bzImage"
	offset=$((($(number_at "$image" 497 1) + 1) * 512 + $(number_at "$image" 584 4)))
	length=$(number_at "$image" 588 4)
	tail -c "+$((offset + 1))" "$image" | head -c "$length" >"$out.payload" || true
	# Where the format has no size of its own the build appends it (4 bytes).
	[ "$(od -An -t x1 -N 2 "$out.payload" | tr -d ' ')" = 1f8b ] || truncate -s -4 "$out.payload"
	unpack "$out.payload" >"$out.tmp"
	rm -f "$out.payload"
	[ "$(od -An -t x1 -N 4 "$out.tmp" | tr -d ' ')" = 7f454c46 ] || die "$image holds no ELF kernel"
	mv "$out.tmp" "$out"
}

case ${1-} in
--help | -h) usage ;;
--release) kernel_release ;;
'' | -*) usage >&2 && exit 254 ;;
*) release=$(kernel_release) && kernel_extract "/boot/vmlinuz-$release" "$1" ;;
esac
