#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs the scenarios of a tier on one machine of the lab and adds up what they found. Each scenario
# starts from the same state: after one that failed or ran out of time the machine goes back to the
# snapshot taken when it was set up. Knows nothing of what the scenarios do.
set -uo pipefail

here=$(dirname "$(realpath "$0")")
top=$(realpath "$here/../..")
shard=${SHARD:-1/1}
resume=${RESUME:-0}
max_core_pods=25

usage() {
	cat <<-'END'
	usage: run.sh [--list] core|full [SCENARIO...]

	  core          the scenarios with '# TIER: core' in their head: one boot, at most 25 pods
	  full          all of them
	  SCENARIO      only those whose file name holds one of these words
	  --list        show what would be run

	SHARD=i/n       only the i-th of n parts; each part has a machine of its own
	RESUME=1        keep the results of an earlier run of this very source that passed
	XENLAB_NAME     the machine to use as it is, instead of a fresh one (for work on one scenario)

	If tests/lab/setup.sh is there it prepares the machine (called with XENLAB_NAME set).
	The last line is 'N passed, N failed'; exit code 1 when anything failed, 254 when nothing ran.
	END
}

die() {
	echo "lab: $*" >&2
	exit 254
}

header() {
	sed -n "s/^# $2: *//p" "$1" | head -n 1
}

# Scenario files of this tier, shard and choice.
scenarios() {
	local file tier i=0

	for file in "$here"/scenarios/*.sh; do
		tier=$(header "$file" TIER)
		case $tier in
		core | full) ;;
		*) die "$file: no '# TIER: core|full' in its head" ;;
		esac
		[ "$1" = full ] || [ "$tier" = core ] || continue
		chosen "$file" "${@:2}" || continue
		[ $((i++ % ${shard#*/} + 1)) -ne "${shard%/*}" ] || echo "$file"
	done
}

chosen() {
	local word

	[ $# -gt 1 ] || return 0
	for word in "${@:2}"; do
		[[ ${1##*/} != *"$word"* ]] || return 0
	done
	return 1
}

# A tier's promise is a number, so it is counted.
pods_check() {
	local file sum=0

	for file in "$here"/scenarios/*.sh; do
		[ "$(header "$file" TIER)" != core ] || sum=$((sum + $(header "$file" PODS)))
	done
	[ "$sum" -le $max_core_pods ] || die "core scenarios start $sum pods, more than $max_core_pods"
}

# What the results are results of: the source as it lies here, committed or not. Docs hold results, but for the one
# that scenarios read.
source_key() {
	{ git -C "$top" ls-files -co --exclude-standard -- . ':!docs' && echo docs/INSTALL.md; } | sort -u |
		(cd "$top" && xargs -d '\n' sha256sum 2>/dev/null) | sha256sum | cut -c 1-16
}

results_open() {
	results=$top/build/lab/results/$1-${shard/\//-of-}
	mkdir -p "$results"
	if [ "$resume" != 1 ] || [ "$(cat "$results/key" 2>/dev/null)" != "$key" ]; then
		rm -f "$results"/*
	fi
	echo "$key" >"$results/key"
}

machine_open() {
	[ "$own_machine" = yes ] || return 0
	"$here/xenlab" up --fresh || die "the lab does not start"
	[ ! -e "$here/setup.sh" ] || bash "$here/setup.sh" || die "tests/lab/setup.sh failed"
	"$here/xenlab" snapshot scenario || die "the lab's state cannot be saved"
}

# After a failure nothing of it may reach the next scenario.
machine_reset() {
	[ "$own_machine" = yes ] || return 0
	"$here/xenlab" status >/dev/null || "$here/xenlab" up || true
	"$here/xenlab" restore scenario || machine_open
}

# "passed failed" of a scenario from its output and exit code; one that says nothing has failed.
tally() {
	local last

	last=$(grep . "$1" | tail -n 1)
	if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
		local good=${BASH_REMATCH[1]} bad=${BASH_REMATCH[2]}
		[ "$2" -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
		[ $((good + bad)) -gt 0 ] || bad=1
		echo "$good $bad"
	else
		echo "$(grep -c '^ok' "$1") $(($(grep -c '^not ok' "$1") + 1))"
	fi
}

# Each failure with the first and the last lines of its details, and how it ended.
excerpt() {
	awk '
	function flush(i) {
		for (i = 1; i <= n; i++)
			if (i <= 12 || i > n - 8)
				print line[i]
			else if (i == 13)
				print "[...]"
		n = 0
	}
	/^not ok/ { flush() }
	{ line[++n] = $0 }
	END { flush() }'
}

scenario_run() {
	local file=$1 base limit rc=0 start=$SECONDS result

	base=$(basename "$file" .sh)
	limit=$(header "$file" LIMIT)
	if [ -e "$results/$base.result" ]; then
		read -r _ failed _ <"$results/$base.result"
		[ "$failed" -ne 0 ] || { printf '  kept    %s\n' "$base" && return; }
	fi
	timeout -k 10 "${limit:-900}" bash "$file" >"$results/$base.log" 2>&1 </dev/null || rc=$?
	[ $rc -ne 124 ] || echo "# stopped: took longer than ${limit:-900} s" >>"$results/$base.log"
	result=$(tally "$results/$base.log" $rc)
	echo "$result $((SECONDS - start)) $(date -u +%Y-%m-%dT%H:%MZ)" >"$results/$base.result"
	if [ "${result#* }" = 0 ]; then
		printf '  ok      %-36s %3d  %4d s\n' "$base" "${result% *}" $((SECONDS - start))
	else
		printf '  FAILED  %-36s %s of %d, exit code %d\n' "$base" "${result#* }" \
			$((${result% *} + ${result#* })) $rc
		grep -v '^ok ' "$results/$base.log" | excerpt | sed 's/^/          /'
		machine_reset
	fi
}

summary() {
	cat "$results"/*.result | awk '
	{ good += $1; bad += $2 }
	END {
		if (NR == 0) bad = 1
		printf "%d passed, %d failed\n", good, bad
		exit bad > 0
	}'
}

main() {
	local tier list=no file

	[ "${1-}" != --list ] || { list=yes && shift; }
	tier=${1-}
	case $tier in
	core | full) shift ;;
	--help | -h) usage && exit 0 ;;
	*) usage >&2 && exit 254 ;;
	esac
	[[ $shard =~ ^[1-9][0-9]*/[1-9][0-9]*$ ]] || die "SHARD is i/n, not '$shard'"
	pods_check
	if [ $list = yes ]; then
		scenarios "$tier" "$@"
		return
	fi
	own_machine=no
	[ -n "${XENLAB_NAME-}" ] || own_machine=yes
	export XENLAB_NAME=${XENLAB_NAME:-check-${shard%/*}}
	key=$(source_key)
	results_open "$tier"
	machine_open
	while read -r file <&3; do
		scenario_run "$file"
	done 3< <(scenarios "$tier" "$@")
	[ "$own_machine" = no ] || "$here/xenlab" down || true
	summary
}

main "$@"
