#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs the unit tests and corpora of the coverage build and says what they reached: lines and
# functions per room, and one page per file below build/coverage/html.
set -eu

cd "$(dirname "$0")/.."
: "${JOBS:=2}"
b=build/coverage
find $b -name '*.gcda' -delete
for src in tests/unit/test_*.c tests/sim/test_*.c; do
	[ -e "$src" ] || continue
	t=${src#tests/}
	t=${t%.c}
	echo "$t count $b/tests/$t"
done >$b/list
for src in tests/fuzz/fuzz_*.c; do
	t=$(basename "$src" .c)
	echo "corpus/$t one $b/tests/fuzz/$t tests/fuzz/corpus/${t#fuzz_}"
done >>$b/list
rc=0
sh tests/run.sh -j "$JOBS" -o $b/report <$b/list >$b/run.out || rc=$?
grep FAILED $b/run.out || :
tail -n 1 $b/run.out
# What no test has run counts as not reached: the first pass is everything that was compiled.
set -- --directory $b --base-directory "$PWD" --no-external --rc lcov_branch_coverage=1
capture() {
	# Debian's geninfo tells of its own subroutines at each start.
	lcov -q --capture "$@" 2>$b/lcov.err || { cat $b/lcov.err; exit 1; }
}
capture --initial "$@" --output-file $b/none.info
capture "$@" --output-file $b/run.info
lcov -q -a $b/none.info -a $b/run.info --rc lcov_branch_coverage=1 --output-file $b/all.info
lcov -q --extract $b/all.info "$PWD/src/*" --output-file $b/src.info --rc lcov_branch_coverage=1
genhtml -q --branch-coverage --prefix "$PWD" --output-directory $b/html $b/src.info
awk -F: -v top="$PWD/src/" '
	/^SF:/ {
		room = substr($2, length(top) + 1)
		sub(/\/.*/, "", room)
	}
	/^LF:/ { lf[room] += $2 }
	/^LH:/ { lh[room] += $2 }
	/^BRF:/ { bf[room] += $2 }
	/^BRH:/ { bh[room] += $2 }
	END {
		printf "%-10s %8s %8s\n", "room", "lines", "branches"
		for (r in lf)
			printf "%-10s %7.1f%% %7.1f%%\n", r, 100 * lh[r] / lf[r],
				bf[r] ? 100 * bh[r] / bf[r] : 100 | "sort"
	}' $b/src.info
echo "pages: $b/html/index.html"
exit $rc
