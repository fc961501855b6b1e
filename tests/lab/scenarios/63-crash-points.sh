#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: full
# PODS: 80
# LIMIT: 7200
#
# A supervisor and helpers that die where they are told to (src/base/crash.h): each kind of life is lived
# once to count the points that it comes to, then once for each of a spread of them. At every second one
# that a helper comes to, the supervisor is killed instead, while the helper goes on. systemd starts the
# supervisor again; the life's end must be the same, or that of a start that failed, and nothing is left.
top=$(realpath "$(dirname "$0")/../../..")
if [ "${LAB_INSIDE-}" != 1 ]; then
	make -C "$top" --no-print-directory VARIANT=crash build/crash/bin/xenpod{d,-act} >/dev/null || exit 254
	for f in xenpodd xenpod-act; do
		"$top/tests/lab/xenlab" put "$top/build/crash/bin/$f" "/root/$f.crash" || exit 254
	done
fi
# shellcheck source=tests/lab/fleet.sh
. "$(dirname "$0")/../fleet.sh"

# Where they die, and how many points there are in all that were come to.
at=/run/xenpod/crash-at
log=/run/xenpod/crash-log
hits=0
installed=(/usr/local/sbin/xenpodd /usr/local/lib/xenpod/xenpod-act)

# The programs with crash points in the place of those without, and back.
deadly() {
	local f

	for f in "${installed[@]}"; do
		cp -a "$f" "$f.plain"
		install -m 755 "/root/${f##*/}.crash" "$f.new" && mv "$f.new" "$f"
	done
	systemctl restart xenpodd
}

harmless() {
	local f

	rm -f $at $log
	[ -e "${installed[0]}.plain" ] || return
	for f in "${installed[@]}"; do
		[ ! -e "$f.plain" ] || mv "$f.plain" "$f"
	done
	systemctl restart xenpodd
}

# arm WHAT: from here on.
arm() {
	rm -f "$log"
	echo "$1" >"$at"
}

# ---- lives: each from nothing to nothing, `$1` is armed where it becomes interesting -------------------

# born NAME SCRIPT [ARGS...]
born() {
	start "$1" "${@:3}" --memory=64M "$images/busybox.aci" -- -c "$2"
}

comes_up() {
	until_true 300 in_state "$uuid" 'running|exited|failed'
}

# A whole life, from before the start to the app's failure.
life_failure() {
	arm "$1"
	born "$2" 'exit 7' --net=none
}

life_network() {
	arm "$1"
	born "$2" 'exit 7' --net=default
}

life_stop() {
	born "$2" "$quiet" --net=none
	comes_up
	arm "$1"
	xenpod stop "$uuid" >/dev/null 2>&1
}

life_force() {
	born "$2" "$quiet" --net=none
	comes_up
	arm "$1"
	xenpod stop --force "$uuid" >/dev/null 2>&1
}

life_destroy() {
	born "$2" "$quiet" --net=none
	comes_up
	arm "$1"
	xl destroy "$uuid" >/dev/null 2>&1
}

# The pod's way out: its end is armed together with its gc.
life_gc() {
	born "$2" 'exit 7' --net=default
	until_true 300 in_state "$uuid" 'exited|failed'
	arm "$1"
	xenpod gc --grace-period=0 >/dev/null 2>&1
}

# What `state cause code-of-run` each may end with; gone: removed already. A helper that is killed may
# cost a start its pod, and a stop its order.
declare -A ends=(
	[failure]='exited finished 7|failed (export|create|start)-failed 254'
	[network]='exited finished 7|failed (export|network|create|start)-failed 254'
	[stop]='exited stopped (0|254)'
	[force]='exited killed 254'
	[destroy]='exited destroyed 254'
	[gc]='(exited finished|gone) 7'
)

# ---- one life ---------------------------------------------------------------------------------------------

end_of() {
	status "$uuid" '.pod | .state + " " + .cause' 2>/dev/null | grep . || echo gone
}

has_ended() {
	[[ $(end_of) =~ ^(exited|failed|gone) ]]
}

gc_is_done() {
	xenpod gc --grace-period=0 >/dev/null 2>&1 && [ -z "$(records)" ]
}

# live KIND WHAT NAME: prints what is wrong with how it ended, nothing when all is well.
live() {
	local end

	"life_$1" "$2" "$3"
	until_true 300 test -s "$t/$3.code" || echo "xenpod run does not end: $(xenpod-status "$uuid" 2>&1)"
	until_true 300 has_ended || echo "it does not end: $(xenpod-status "$uuid" 2>&1)"
	cp $log $inside/points 2>/dev/null
	until_true 120 supervisor_runs || echo "no supervisor: $(systemctl status xenpodd 2>&1 | head -n 5)"
	end="$(end_of) $(cat "$t/$3.code")"
	[[ $end =~ ^(${ends[$1]})$ ]] || echo "its end: $end"
	python3 -ISB $inside/tools/truth.py --wait 90 2>&1
	until_true 120 gc_is_done || echo "gc: $(records)"
	python3 -ISB $inside/tools/truth.py --wait 60 2>&1
	echo "$end" >$inside/end
}

# spread KIND N: that many of its points, evenly.
spread() {
	local total n k who wrong

	wrong=$(live "$1" 0 "$1-0")
	observed=$((observed + 1))
	expect_eq "$1: undisturbed" "$wrong" ''
	total=$(wc -l <$inside/points)
	rm -f $at
	for ((k = 0; k < $2; k++)); do
		n=$((1 + k * total / $2))
		who=$([ $((k % 2)) = 0 ] || echo parent)
		wrong=$(live "$1" "$n $who" "$1-$n")
		observed=$((observed + 1))
		if [ -e $at ]; then
			rm -f $at
			echo "# $1, point $n of $total: not come to"
		else
			hits=$((hits + 1))
		fi
		expect_eq "$1, point $n of $total${who:+, $who} ($(sed -n '$s/^[0-9]* //p' $inside/points)): $(cat $inside/end)" \
			"$wrong" ''
	done
}

# What plugins make once and keep is there before things are counted.
warm() {
	until_true 120 supervisor_runs
	xenpod run --net=default --memory=64M $images/busybox.aci -- -c 'exit 0' && xenpod gc --grace-period=0
}

put_right() {
	harmless
	rm -rf /root/xenpod{d,-act}.crash /var/lib/cni/networks
	nft flush ruleset
}
trap 'put_right; rm -rf "$scratch"; kill $(jobs -p) 2>/dev/null' EXIT

warm >/dev/null || bail "a networked pod"
pods_begin
deadly
soon "the supervisor with crash points runs" 120 supervisor_runs
spread failure "${POINTS:-22}"
spread network "${POINTS:-12}"
spread stop "${POINTS:-10}"
spread force "${POINTS:-8}"
spread destroy "${POINTS:-8}"
spread gc "${POINTS:-8}"
check "sixty points and more were come to" test $hits -ge "${HITS:-60}"
echo "# $hits points"
harmless
soon "the supervisor without crash points runs" 120 supervisor_runs
pods_end
