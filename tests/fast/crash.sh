#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is installed has no crash points (src/base/crash.h): not their names, not the file that arms
# them. That this would be seen is shown on an object that has them. Prints TAP.
set -eu

cd "$(dirname "$0")/../.."
build=${BUILD:-build/release}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trace='crash_point|crash-at|go-received|trees-removed'

echo 1..2
"${CC:-gcc}" -std=gnu17 -D_GNU_SOURCE -DXENPOD_CRASH -Isrc -c -o "$tmp/crash.o" src/base/crash.c
if grep -qaE "$trace" "$tmp/crash.o"; then
	echo "ok 1 - a trace would be found"
else
	echo "not ok 1 - a trace would not be found"
fi
if found=$(grep -laE "$trace" "$build"/bin/* "$build"/lib*.a); then
	echo "not ok 2 - crash points in $found" | tr '\n' ' '
	echo
else
	echo "ok 2 - no program has crash points"
fi
