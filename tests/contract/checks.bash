# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What suites need that compare texts: where things are, a folder of their own, counted results.
# To be read by bash with `.`; who has more to put right at the end than the folder sets another trap.

top=${TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck disable=SC2034 # for the suites
bin=${BUILD:-$top/build/release}/bin
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
passed=0
failed=0

same() { # WHAT WANTED GOT
	if [ "$2" = "$3" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'FAILED: %s\n    wanted: %s\n    got:    %s\n' "$1" "$2" "$3"
	fi
}

# The last line, and the suite's exit status.
finish() {
	printf '%d passed, %d failed\n' "$passed" "$failed"
	[ "$failed" = 0 ]
}
