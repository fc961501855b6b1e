#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Output and enter through xenpod, beside libxenvchan alone in the same domain, alternately; and what
# the guest costs. Prints figures and ratios; judges nothing. XENLAB_NAME: a machine that is up.
set -euo pipefail

here=$(dirname "$(realpath "$0")")
lab=$here/../lab
top=$(realpath "$here/../..")
own=

if [ -z "${XENLAB_NAME-}" ]; then
	export XENLAB_NAME=bench
	own=yes
	"$lab/xenlab" up --fresh
fi
bash "$lab/setup.sh"
"$lab/xenlab" put "$top/build/release/lab/vchanecho" /root/vchanecho
tar -C "$lab" -cf - lib.sh pods.sh inside.sh leftovers.py -C "$here" inside-streams.sh |
	"$lab/xenlab" run 'rm -rf /root/lab && mkdir /root/lab && tar -xmf - -C /root/lab'
"$lab/xenlab" run 'cd /root/lab && LAB_INSIDE=1 exec bash inside-streams.sh' </dev/null

ramdisk=$top/build/guest/initrd.cpio
modules=$(cpio -itv --quiet <"$ramdisk" | awk '$NF ~ /[.]ko$/ { sum += $5 } END { print sum + 0 }')
echo "ramdisk without modules: $((($(stat -c %s "$ramdisk") - modules) / 1024)) KiB (modules: $((modules / 1024)) KiB)"
[ -z "$own" ] || "$lab/xenlab" destroy
