#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Everything about the sources that can be checked without running them. Prints TAP, and as last
# line `N passed, N failed`; exit status 1 when anything failed. Answers of the slow checkers are
# kept below build/lint by the hash of all that went into them.
set -eu

cd "$(dirname "$0")/.."
: "${JOBS:=2}" "${CLANG_FORMAT:=clang-format}" "${CLANG_TIDY:=clang-tidy}" "${CC_FLAGS:=}"
cache=build/lint
passed=0
failed=0

# Where machines live, and the one file of each that may assign a state (docs/HACKING.md).
MACHINES='src/fsm src/daemon src/guest'
STATE_WRITERS='src/daemon/turn\.c|src/guest/pod\.c'
LINES_MAX=500

# result NAME FILE: passed when FILE, the findings, is empty.
result() {
	n=$((passed + failed + 1))
	if [ ! -s "$2" ]; then
		passed=$((passed + 1))
		echo "ok $n - $1"
	else
		failed=$((failed + 1))
		echo "not ok $n - $1"
		sed 's/^/# /' "$2" | head -n "${LINT_LINES:-150}"
	fi
}

# Files that git knows or would take: what is ignored is nobody's source.
files() {
	git ls-files --cached --others --exclude-standard -- "$@" | while read -r f; do
		[ ! -f "$f" ] || echo "$f"
	done
}

# Text files with a shell's #! line.
shell_files() {
	files | while read -r f; do
		case $f in
		*.c | *.h | *.md | *.json | *.sql) continue ;;
		esac
		head -c 64 "$f" | head -n 1 | tr -d '\0' | grep -qE '^#! ?/(usr/)?bin/(env )?(ba|da|)sh' && echo "$f"
	done || :
}

format() {
	files '*.c' '*.h' | xargs -r "$CLANG_FORMAT" --dry-run -Werror 2>&1 |
		grep -E 'error:|warning:' | sed 's/: error.*/ is not formatted: clang-format -i/' |
		sed -E 's/:[0-9]+:[0-9]+ / /' | sort -u || :
}

# Sets $flags and $rules for a file.
flags_of() {
	case $1 in
	tests/*) flags="$CC_FLAGS -I$(dirname "$1") -Itests/unit" rules='.clang-tidy tests/.clang-tidy' ;;
	*) flags=$CC_FLAGS rules=.clang-tidy ;;
	esac
}

# One file: its answer is kept under the hash of the file, all our headers it reads, and the rules.
tidy_one() {
	flags_of "$1"
	# shellcheck disable=SC2086 # a list of flags
	inputs=$(clang -MM $flags "$1" 2>/dev/null | tr -s ' \\\n' '\n' | grep -v ':$' || echo "$1")
	# shellcheck disable=SC2086 # a list of files
	key=$({ echo "$flags"; cat $rules $inputs; } | sha256sum | cut -c1-40)
	kept=$cache/tidy/$key
	if [ ! -e "$kept" ]; then
		# shellcheck disable=SC2086 # a list of flags
		"$CLANG_TIDY" --quiet "$1" -- $flags >"$kept.$$" 2>"$kept.$$.log" || [ -s "$kept.$$" ] ||
			cat "$kept.$$.log" >"$kept.$$"
		rm -f "$kept.$$.log"
		mv "$kept.$$" "$kept"
	fi
	sed "s|$PWD/||g" "$kept" | findings
}

# A constant's own multiplication, (64 * 1024), is no danger: the compiler computes and checks it.
# Each finding is shown by its first lines.
findings() {
	awk '
	function flush_finding(    i) {
		for (i = 1; !(constant && product) && i <= n && i <= 6; i++)
			print text[i]
		n = constant = product = 0
	}
	/^[0-9]+ warnings? / { next }
	/: (error|warning): / {
		flush_finding()
		product = /implicit-widening-of-multiplication/
	}
	/expanded from macro/ { constant = 1 }
	{ text[++n] = $0 }
	END { flush_finding() }'
}

tidy() {
	mkdir -p "$cache/tidy"
	files 'src/*.c' 'tests/*.c' | LINT_TIDY=1 xargs -r -P "$JOBS" -n 1 sh tests/lint.sh
}

check_cpp() {
	mkdir -p "$cache/cppcheck"
	files 'src/*.c' | xargs -r cppcheck -q -j "$JOBS" --cppcheck-build-dir="$cache/cppcheck" \
		--std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=0 \
		--include=tests/cppcheck.h --suppressions-list=tests/cppcheck.supp --template='{file}:{line}: {message} ({id})' \
		-D_GNU_SOURCE -DXENPOD_VERSION='""' -Isrc 2>&1 || echo "cppcheck failed"
}

# gcc has its turn in the tests.
clang_build() {
	"${MAKE:-make}" --no-print-directory -j"$JOBS" VARIANT=clang all units >"$cache/clang.log" 2>&1 ||
		cat "$cache/clang.log"
}

spelling() {
	files 'src/*' 'tests/*.sh' 'tests/*.c' 'docs/*.md' '*.md' Makefile 'dist/*' 'sql/*' |
		xargs -r codespell --quiet-level=34 --ignore-words=tests/codespell.ignore || :
}

lengths() {
	files '*.c' '*.h' '*.sh' '*.awk' '*.mk' Makefile '*.sql' | xargs -r wc -l |
		awk -v max="$LINES_MAX" '$2 != "total" && $1 > max { print $2 " has " $1 " lines, at most " max }'
}

marks() {
	files src tests dist sql Makefile '.ci/*' | grep -v '^tests/lint\.sh$' |
		xargs -r grep -nIE '\b(TODO|FIXME|XXX|HACK)\b' || :
}

heads() {
	{ files '*.c' '*.h' '*.sh' '*.awk' '*.mk' '*.sql' Makefile '.ci/*'; shell_files; } | sort -u |
		while read -r f; do
			head -n 3 "$f" | grep -q 'SPDX-License-Identifier: Apache-2.0' ||
				echo "$f: no SPDX-License-Identifier in its first lines"
		done
}

state_writers() {
	# shellcheck disable=SC2086 # a list of folders
	files $MACHINES | grep '\.c$' | xargs -r grep -nE -- '->state = ' |
		grep -vE "^($STATE_WRITERS):" || :
}

# A path of the machine it was written on would work nowhere else.
machine_paths() {
	files | xargs -r grep -nIE "(^|[^A-Za-z0-9_.])/work/" |
		grep -v '^tests/lint\.sh:' || :
}

if [ "${LINT_TIDY:-}" ]; then
	tidy_one "$1"
	exit 0
fi

mkdir -p "$cache"
# check NAME COMMAND: the command prints findings.
check() {
	"$2" >"$cache/$2.out" 2>&1 || echo "$2: the checker itself failed" >>"$cache/$2.out"
	result "$1" "$cache/$2.out"
}
shell_lint() {
	# SC2119, SC2120: a function whose argument has a default is no mistake. SC2016: what is quoted
	# for another shell. SC2317: callbacks and code behind a sourced exit look unreachable.
	shell_files | xargs -r shellcheck -x -e SC2016,SC2119,SC2120,SC2317 || :
}

check "clang-format finds nothing to change" format
check "clang-tidy is content" tidy
check "cppcheck is content" check_cpp
check "clang compiles everything without a warning" clang_build
check "shellcheck is content" shell_lint
check "words are spelt right" spelling
check "no file is longer than $LINES_MAX lines" lengths
check "no marks of unfinished work" marks
check "every source names its licence" heads
check "a machine's state has one writer" state_writers
check "no path of this machine" machine_paths
echo "1..$((passed + failed))"
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
