#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The tiers of tests; `make check-fast`, `check-deep`, `check` and `check-lab` call it.
#   fast  what needs no Xen, in three minutes
#   deep  what needs no Xen and takes longer
#   core  fast, deep, then the lab's core scenarios: one boot of a real Xen
#   full  every scenario on the real Xen (SHARD=i/n for a part), noted in docs/LAB-RESULTS.md
# Each ends in `N passed, N failed` and exits 1 when something failed. A build that fails is a
# failure, and nothing is run on top of it.
# usage: check.sh fast|deep|core|full
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

valgrind="valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite \
--show-leak-kinds=definite --suppressions=tests/unit/valgrind.supp"

# The suites of a tier, one `LABEL MODE COMMAND` a line (run.sh says what that is).
fast_suites() {
	# The longest, which mostly wait, are begun first.
	for suite in manifests xenpod-status hooks; do
		echo "contract/$suite count tests/contract/$suite.sh"
	done
	debug_suites fast
	for t in $(names tests/fuzz/fuzz_*.c); do
		t=${t#fuzz/fuzz_}
		echo "corpus/$t one build/debug/tests/fuzz/fuzz_$t tests/fuzz/corpus/$t"
	done
	for suite in tests/arrows.sh tests/fast/*.sh tests/contract/*.sh; do
		case $suite in
		*/manifests.sh | */xenpod-status.sh | */hooks.sh) continue ;;
		esac
		[ ! -x "$suite" ] || grep -q '^# DEEP: ' "$suite" || shell_suite "$suite"
	done
	valgrind_suites fast
}

deep_suites() {
	grep -l '^# DEEP: ' tests/contract/*.sh | while read -r suite; do
		shell_suite "$suite"
	done
	debug_suites deep
	valgrind_suites deep
}

shell_suite() {
	echo "$(basename "$(dirname "$1")")/$(basename "$1" .sh) count $1"
}

# /* DEEP: reason */ in a test's head (# DEEP: in a script's): it takes too long for the fast tier.
debug_suites() {
	for t in $(names tests/unit/test_*.c tests/sim/test_*.c); do
		tier=fast
		! grep -q '^/\* DEEP: ' "tests/$t.c" || tier=deep
		[ $tier != "$1" ] || echo "$t count build/debug/tests/$t"
	done
}

# A test says in its head when valgrind is of no use to it, or takes too long: /* VALGRIND: deep, */
valgrind_suites() {
	for t in $(names tests/unit/test_*.c tests/sim/test_*.c); do
		tier=$(sed -n 's,^/\* VALGRIND: \([a-z]*\)\, .*,\1,p' "tests/$t.c")
		[ "${tier:-fast}" != "$1" ] ||
			echo "valgrind/$t one $valgrind build/release/tests/$t"
	done
}

names() {
	for src; do
		t=${src#tests/}
		[ ! -e "$src" ] || echo "${t%.c}"
	done
}

builds() {
	mkdir -p "$report"
	say "building: release, debug (ASan, UBSan)"
	build release all units
	build debug all units
	export VARIANT=release BUILD="$PWD/build/release" TOP="$PWD"
}

# Runs the suites of a tier, which stand in its list.
suites() {
	# Twice as many as processors: a third of them mostly wait.
	sh tests/run.sh -j "$((JOBS * 2))" -o "$report/$1" <"$report/$1.list" >"$report/$1.out" 2>&1 || :
	sed '$d' "$report/$1.out"
	add "$report/$1.out" "the $1 tier"
}

fast() {
	builds
	say "unit tests (debug, and release under valgrind), corpora, contract, arrows"
	fast_suites >"$report/fast.list"
	suites fast
}

deep() {
	say "the longer ones: death at every point, and valgrind"
	deep_suites >"$report/deep.list"
	suites deep
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
deep)
	builds
	deep
	;;
core)
	fast
	deep
	lab core
	;;
full)
	export SHARD
	lab full
	note_results
	;;
*)
	echo "usage: check.sh fast|deep|core|full" >&2
	exit 2
	;;
esac
finish
