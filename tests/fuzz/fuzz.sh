#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs the given libFuzzer targets FUZZ_SECONDS each, from the checked-in corpus and what earlier
# runs found; inputs that break one are kept in build/fuzz/found: copy them into the corpus.
# The last line is `N passed, N failed`.
set -eu

cd "$(dirname "$0")/../.."
: "${FUZZ_SECONDS:=30}"
found=build/fuzz/found
passed=0
failed=0
for target in "$@"; do
	grown=build/fuzz/corpus/$target
	mkdir -p "$grown" "$found"
	log=$found/$target.log
	if "build/fuzz/tests/fuzz/$target" -max_total_time="$FUZZ_SECONDS" -max_len=8192 -timeout=10 \
		-artifact_prefix="$found/$target-" "$grown" "tests/fuzz/corpus/${target#fuzz_}" \
		>"$log" 2>&1 </dev/null; then
		passed=$((passed + 1))
		runs=$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$log")
		printf '  ok      %-20s %s runs\n' "$target" "${runs:-?}"
	else
		failed=$((failed + 1))
		printf '  FAILED  %-20s\n' "$target"
		tail -n 40 "$log" | sed 's/^/          /'
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
