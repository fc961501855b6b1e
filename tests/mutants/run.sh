#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Are the tests worth something? Each *.patch beside this file is one mistake that could be made. In
# a copy of the sources (build/mutants/tree) it is made, what the tests named in it need is compiled
# again, and they are run until one fails. A test that crashes or hangs has noticed it as well.
# A patch that does not apply any more, or does not compile, is a failure, as is one that survives.
# usage: run.sh [NAME...]
set -eu

cd "$(dirname "$0")/../.."
: "${MAKE:=make}" "${JOBS:=2}"
out=build/mutants
tree=$out/tree
built=$tree/build/debug
export LC_ALL=C

# Files that git knows or would take and that are there.
sources() {
	git ls-files --cached --others --exclude-standard | while read -r f; do
		[ ! -f "$f" ] || echo "$f"
	done | sort
}

# Brings the copy up to date; what has not changed keeps its time, so that it is not compiled again.
copy_tree() {
	# A run that was ended in the middle may have left objects of what is not there any more.
	[ ! -e "$out/unfinished" ] || rm -rf "$tree"
	sources >"$out/sources"
	if [ ! -d "$tree" ]; then
		mkdir -p "$tree/build"
		xargs -d '\n' cp -p --parents -t "$tree" <"$out/sources"
		# What was compiled already need not be compiled for this.
		[ ! -d build/debug ] || cp -a build/debug "$tree/build/"
	fi
	while read -r f; do
		cmp -s "$f" "$tree/$f" || { mkdir -p "$tree/$(dirname "$f")" && cp "$f" "$tree/$f"; }
	done <"$out/sources"
	(cd "$tree" && find . -path ./build -prune -o -type f -print) | sed 's,^\./,,' | sort |
		comm -23 - "$out/sources" | (cd "$tree" && xargs -r -d '\n' rm)
}

# The names given, or all. Those that break the same file follow each other: that file is compiled
# half as often.
patches() {
	if [ $# = 0 ]; then
		for p in tests/mutants/*.patch; do
			set -- "$@" "$(basename "$p" .patch)"
		done
	fi
	for name; do
		p=tests/mutants/$name.patch
		echo "$(sed -n 's,^+++ b/,,p' "$p" | head -n 1) $name"
	done | sort | sed 's/.* //'
}

tests_of() {
	sed -n 's/^TESTS: //p' "tests/mutants/$1.patch"
}

# A suite of a program's contract needs that program: those of `xenpod host` one, any other all of them.
needs() {
	case $1 in
	contract/host-*) echo build/debug/bin/xenpod-host ;;
	contract/*) echo all ;;
	*) echo "build/debug/tests/$1" ;;
	esac
}

command_of() {
	case $1 in
	contract/*) echo "env BUILD=$PWD/$built bash $tree/tests/$1.sh" ;;
	*) echo "$built/tests/$1" ;;
	esac
}

# build TEST...
build() {
	for t; do
		needs "$t"
	done | sort -u | xargs "$MAKE" --no-print-directory -j"$JOBS" -C "$tree" VARIANT=debug >"$out/build.log" 2>&1
}

# run_test TEST SECONDS: sets $rc, its exit status, and $ms. The seconds are of the processor's time,
# for the machine may be busy; what sleeps for ever is ended after six times as many. cmocka ends it
# at the first assertion that fails (CMOCKA_TEST_ABORT); as root it has a /tmp of its own, so that
# nothing is left then.
run_test() {
	start=$(date +%s%N)
	rc=0
	apart=
	[ "$(id -u)" != 0 ] || apart='unshare -m sh -c'
	# shellcheck disable=SC2086 # words, or none
	CMOCKA_TEST_ABORT=1 CMOCKA_MESSAGE_OUTPUT=TAP timeout -k 2 $(($2 * 6)) ${apart:-sh -c} \
		"ulimit -t $2; ${apart:+mount -t tmpfs tmpfs /tmp &&} exec $(command_of "$1")" \
		>"$out/test.log" 2>&1 </dev/null || rc=$?
	ms=$((($(date +%s%N) - start) / 1000000))
}

# Without any defect every test passes, or what follows says nothing. How long each takes here and
# now is the measure of what is a hang.
check_tests() {
	for name; do
		tests_of "$name" | tr ' ' '\n'
	done | sort -u >"$out/tests"
	# shellcheck disable=SC2046 # words
	if ! build $(cat "$out/tests"); then
		tail -n 30 "$out/build.log"
		echo "mutants: the tests do not build"
		exit 1
	fi
	: >"$out/times"
	while read -r t; do
		run_test "$t" 200
		if [ $rc != 0 ]; then
			tail -n 30 "$out/test.log"
			echo "mutants: $t fails without any defect"
			exit 1
		fi
		echo "$t $((ms / 1000))" >>"$out/times"
	done <"$out/tests"
	echo "$(wc -l <"$out/tests") tests pass without any defect"
}

# Prints what became of the defect that stands in the tree now; status 1 when it is not caught.
judge() {
	for t in $(tests_of "$1"); do
		if ! build "$t"; then
			grep -m 3 -E 'error|Error' "$out/build.log" || :
			echo "DOES NOT COMPILE"
			return 1
		fi
		usual=$(awk -v t="$t" '$1 == t { print $2 }' "$out/times")
		run_test "$t" $((usual * 4 + 20))
		case $rc in
		0) continue ;;
		124 | 137 | 152) echo "caught by $t, which hangs ($((ms / 1000)) s)" ;;
		*) echo "caught by $t ($((ms / 1000)).$((ms / 100 % 10)) s)" ;;
		esac
		return 0
	done
	echo "SURVIVED"
	return 1
}

# one NAME: makes the mistake, judges, unmakes it.
one() {
	patch=$PWD/tests/mutants/$1.patch
	files=$(sed -n 's,^+++ b/,,p' "$patch")
	if ! patch -d "$tree" -p1 --dry-run -s -f <"$patch" >"$out/patch.log" 2>&1; then
		echo "DOES NOT APPLY: $(tail -n 1 "$out/patch.log")"
		return 1
	fi
	patch -d "$tree" -p1 -s -f --no-backup-if-mismatch <"$patch"
	status=0
	judge "$1" || status=1
	for f in $files; do
		cp "$f" "$tree/$f"
	done
	return $status
}

for name; do
	[ -e "tests/mutants/$name.patch" ] || {
		echo "mutants: there is no tests/mutants/$name.patch"
		exit 2
	}
done
mkdir -p "$out"
# shellcheck disable=SC2046 # words
set -- $(patches "$@")
copy_tree
check_tests "$@"
passed=0
failed=0
for name; do
	: >"$out/unfinished"
	if verdict=$(one "$name"); then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
	printf '  %-36s %s\n' "$name" "$verdict"
done
rm -f "$out/unfinished"
echo "score: $passed of $((passed + failed))"
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
