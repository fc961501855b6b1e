#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The three tiers of tests; `make check-fast`, `make check` and `make check-lab` call it.
#   fast  everything that needs no Xen
#   core  fast, then the lab's core scenarios: one boot of a real Xen
#   full  every scenario on the real Xen (SHARD=i/n for a part), noted in docs/LAB-RESULTS.md
# Each ends in `N passed, N failed` and exits 1 when something failed. A build that fails is a
# failure, and nothing is run on top of it.
# usage: check.sh fast|core|full
set -eu

cd "$(dirname "$0")/.."
: "${MAKE:=make}" "${JOBS:=2}" "${SHARD:=1/1}"
report=build/report
results=docs/LAB-RESULTS.md
passed=0
failed=0

say() {
	printf '== %s\n' "$*"
}

# Adds the last line of FILE, which must be `N passed, N failed`; without one: a failure.
add() {
	last=$(grep '[^[:space:]]' "$1" | tail -n 1 || :)
	case $last in
	*[0-9]' passed, '*[0-9]' failed')
		p=${last%% *}
		f=${last##*, }
		passed=$((passed + p))
		failed=$((failed + ${f% *}))
		;;
	*)
		echo "check: $2 ended without a result"
		failed=$((failed + 1))
		;;
	esac
}

finish() {
	printf '%d passed, %d failed\n' "$passed" "$failed"
	[ "$failed" = 0 ] || exit 1
	exit 0
}

build() {
	variant=$1
	shift
	if ! "$MAKE" --no-print-directory -j"$JOBS" VARIANT="$variant" "$@" >"$report/build-$variant" 2>&1; then
		cat "$report/build-$variant"
		echo "check: the $variant build failed"
		failed=$((failed + 1))
		finish
	fi
}

# The suites of the fast tier, one `LABEL MODE COMMAND` a line (run.sh says what that is).
fast_suites() {
	# The longest, which mostly waits, is begun first.
	echo "contract/manifests count tests/contract/manifests.sh"
	valgrind="valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite \
--show-leak-kinds=definite --suppressions=tests/unit/valgrind.supp"
	for src in tests/unit/test_*.c tests/sim/test_*.c; do
		[ -e "$src" ] || continue
		t=${src#tests/}
		t=${t%.c}
		echo "$t count build/debug/tests/$t"
	done
	for src in tests/fuzz/fuzz_*.c; do
		[ -e "$src" ] || continue
		t=$(basename "$src" .c)
		echo "corpus/$t one build/debug/tests/fuzz/$t tests/fuzz/corpus/${t#fuzz_}"
	done
	for suite in tests/arrows.sh tests/fast/*.sh tests/contract/*.sh; do
		[ "$suite" = tests/contract/manifests.sh ] || [ ! -x "$suite" ] || echo "$(basename "$(dirname "$suite")")/$(basename "$suite" .sh) count $suite"
	done
	for src in tests/unit/test_*.c tests/sim/test_*.c; do
		[ -e "$src" ] || continue
		t=${src#tests/}
		t=${t%.c}
		# A test says in its head why valgrind is of no use to it.
		grep -q '^/\* NOVALGRIND: ' "$src" || echo "valgrind/$t one $valgrind build/release/tests/$t"
	done
}

fast() {
	mkdir -p "$report"
	say "building: release, debug (ASan, UBSan)"
	build release all units
	build debug all units
	say "unit tests (debug, and release under valgrind), corpora, contract, arrows"
	export VARIANT=release BUILD="$PWD/build/release" TOP="$PWD"
	fast_suites >"$report/fast.list"
	sh tests/run.sh -j "$((JOBS + 1))" -o "$report/fast" <"$report/fast.list" >"$report/fast.out" 2>&1 || :
	sed '$d' "$report/fast.out"
	add "$report/fast.out" "the fast tier"
}

lab() {
	say "lab: $1 scenarios on a real Xen"
	if [ ! -x tests/lab/run.sh ]; then
		echo "check: tests/lab/run.sh is missing: there is no lab to test on"
		failed=$((failed + 1))
		return
	fi
	mkdir -p "$report"
	{ tests/lab/run.sh "$@" 2>&1 || :; } | tee "$report/lab-$1.out"
	add "$report/lab-$1.out" "tests/lab/run.sh $1"
}

# One row per scenario; a later run of the same scenario replaces its row. A result file holds
# "PASSED FAILED SECONDS DATE" (tests/lab/run.sh).
note_results() {
	[ -e "$results" ] || cat >"$results" <<-'END'
		# Lab results

		The last run of each scenario on a real Xen. Written by `make check-lab`.

		| scenario | date (UTC) | commit | passed | failed | seconds |
		| -------- | ---------- | ------ | ------ | ------ | ------- |
	END
	commit=$(git rev-parse --short HEAD)
	for file in build/lab/results/full-"$(echo "$SHARD" | sed 's,/,-of-,')"/*.result; do
		name=$(basename "$file" .result)
		read -r good bad seconds date <"$file"
		grep -vF "| $name |" "$results" >"$results.new"
		echo "| $name | $date | $commit | $good | $bad | $seconds |" >>"$results.new"
		{ grep -v '^| [0-9]' "$results.new"; grep '^| [0-9]' "$results.new" | sort; } >"$results"
		rm "$results.new"
	done
}

case ${1:-} in
fast) fast ;;
core)
	fast
	lab core
	;;
full)
	export SHARD
	lab full
	note_results
	;;
*)
	echo "usage: check.sh fast|core|full" >&2
	exit 2
	;;
esac
finish
