#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs suites and adds up what they found. Reads lines `LABEL MODE COMMAND...` from stdin:
#   MODE count  results are the command's TAP lines, or its last line `N passed, N failed`
#   MODE one    the whole command is one test: passed when it exits 0
# A suite that crashes, stops before its TAP plan is done, skips or runs no test at all has failed.
# Output of suites goes to files below -o DIR, that of failed ones to stdout as well, and of the
# others lines that begin with `#= `: figures that people want to see.
# The last line is `N passed, N failed`; exit status 1 when anything failed.
# usage: run.sh [-j JOBS] [-t SECONDS per suite] -o DIR <list
set -eu

jobs=2
limit=300
out=
while getopts j:t:o: opt; do
	case $opt in
	j) jobs=$OPTARG ;;
	t) limit=$OPTARG ;;
	o) out=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
: "${out:?-o DIR is needed}"

# Prints "passed failed" for a suite's output file, mode and exit status.
tally() {
	awk -v mode="$2" -v rc="$3" '
	{ sub(/\r$/, "") }
	/^1\.\.[0-9]+/ { plan += substr($1, 4) }
	/^ok/ { if (/# *SKIP/) bad++; else good++; tap = 1 }
	/^not ok/ { bad++; tap = 1 }
	/[^ \t]/ { last = $0 }
	END {
		if (mode == "one") {
			print (rc == 0 ? "1 0" : "0 1")
			exit
		}
		if (last ~ /^[0-9]+ passed, [0-9]+ failed$/) {
			split(last, w, " ")
			good = w[1] + 0
			bad = w[3] + 0
		} else if (tap && plan > good + bad)
			bad = plan - good
		if (rc != 0 && bad == 0 || good + bad == 0)
			bad++
		print good + 0, bad + 0
	}' "$1"
}

# What failed, without what passed: the beginning, where the first fault is told, and the end.
excerpt() {
	grep -av '^ok ' "$1" | awk '
		{ line[NR] = $0 }
		END {
			for (i = 1; i <= NR; i++)
				if (i <= 40 || i > NR - 20)
					print "          " line[i]
				else if (i == 41)
					print "          [...]"
		}'
}

# One suite, in a process of its own so that several can run at a time.
run_one() {
	label=$1 mode=$2 command=$3
	file=$out/$(echo "$label" | tr '/ ' '__')
	start=$(date +%s%N)
	rc=0
	CMOCKA_MESSAGE_OUTPUT=TAP timeout -k 5 "$limit" sh -c "$command" \
		>"$file.out" 2>&1 </dev/null || rc=$?
	ms=$((($(date +%s%N) - start) / 1000000))
	[ $rc -ne 124 ] || echo "# stopped: took longer than $limit s" >>"$file.out"
	result=$(tally "$file.out" "$mode" "$rc")
	echo "$result" >"$file.result"
	passed=${result% *} failed=${result#* }
	if [ "$failed" = 0 ]; then
		text=$(sed -n 's/^#= /          /p' "$file.out")
		printf '  ok      %-40s %4d  %3d.%03d s%s\n' "$label" "$passed" $((ms / 1000)) \
			$((ms % 1000)) "${text:+
$text}"
	else
		# One write, so that suites that end together do not mix.
		text=$(excerpt "$file.out")
		printf '  FAILED  %-40s %d of %d, exit status %d\n%s\n' \
			"$label" "$failed" $((passed + failed)) "$rc" "$text"
	fi
}

if [ "${RUN_ONE:-}" ]; then
	line=$1
	label=${line%% *}
	line=${line#* }
	run_one "$label" "${line%% *}" "${line#* }"
	exit 0
fi

rm -rf "$out"
mkdir -p "$out"
export RUN_ONE=1
xargs -r -d '\n' -P "$jobs" -n 1 sh "$0" -j "$jobs" -t "$limit" -o "$out"
cat "$out"/*.result 2>/dev/null | awk '
	{ good += $1; bad += $2 }
	END {
		if (NR == 0) bad = 1 # nothing was run
		printf "%d passed, %d failed\n", good, bad
		exit bad > 0
	}'
