#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A vif by our hotplug program and a tie, beside Debian's vif-bridge; traffic through the tie, beside a
# plain bridge to the same domain, alternately. Prints figures and ratios; judges nothing.
# XENLAB_NAME: a machine that is up.
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
"$lab/xenlab" put "$top/build/release/lab/vifattach" /root/vifattach
tar -C "$lab" -cf - lib.sh pods.sh inside.sh net.sh leftovers.py -C "$here" inside-net.sh |
	"$lab/xenlab" run 'rm -rf /root/lab && mkdir /root/lab && tar -xmf - -C /root/lab'
"$lab/xenlab" run 'cd /root/lab && LAB_INSIDE=1 exec bash inside-net.sh' </dev/null
[ -z "$own" ] || "$lab/xenlab" destroy
