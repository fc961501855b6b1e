#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# docs/STATES.md and its drawing say what the tables in src/fsm say. Prints TAP.
set -eu

cd "$(dirname "$0")/../.."
build=${BUILD:-build/release}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

echo 1..2
"${MAKE:-make}" -s VARIANT="${build##*/}" states >/dev/null
"$build/tests/tools/states" md >"$tmp/STATES.md"
if diff -u docs/STATES.md "$tmp/STATES.md" >"$tmp/diff"; then
	echo "ok 1 - docs/STATES.md is fresh"
else
	echo "not ok 1 - docs/STATES.md is stale: run make docs"
	head -n 20 "$tmp/diff" | sed 's/^/# /'
fi
sum=$("$build/tests/tools/states" dot | sha256sum | cut -c -64)
if grep -q "^<!-- from $sum -->$" docs/states.svg; then
	echo "ok 2 - docs/states.svg is drawn from the tables"
else
	echo "not ok 2 - docs/states.svg is stale: run make docs"
fi
