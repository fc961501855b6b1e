#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: full
# PODS: 19
# LIMIT: 5400
#
# A supervisor and helpers that die where they are told to (src/base/crash.h), twice in each phase of a
# pod's life: while it starts, while it ends (an app's failure, a stop, a stop by force, xl destroy), while
# it is collected. Some lives are lived undisturbed, to count the points that each phase comes to; the others
# die at a spread of them, and once more a little later. At every second one that a helper comes to the
# supervisor is killed instead, while the helper goes on. systemd starts the supervisor again; the end must
# be the same, or that of a start that failed, the checker finds no difference, and nothing is left.
top=$(realpath "$(dirname "$0")/../../..")
if [ "${LAB_INSIDE-}" != 1 ]; then
	make -C "$top" --no-print-directory VARIANT=crash build/crash/bin/xenpod{d,-act} >/dev/null || exit 254
	for f in xenpodd xenpod-act; do
		"$top/tests/lab/xenlab" put "$top/build/crash/bin/$f" "/root/$f.crash" || exit 254
	done
fi
# shellcheck source=tests/lab/fleet.sh
. "$(dirname "$0")/../fleet.sh"

at=/run/xenpod/crash-at
log=/run/xenpod/crash-log
flag=$inside/flag        # a host volume: its file `go` lets the app fail
installed=(/usr/local/sbin/xenpodd /usr/local/lib/xenpod/xenpod-act)
kinds=(failure stop force destroy)
lives=${LIVES:-16}
hits=0
declare -A total         # points of each phase

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

# ---- what happens in each phase of a life ------------------------------------------------------------------

start_failure() {
	mkdir -p $flag
	rm -f $flag/go
	start "$1" "--net=$2" --memory=64M --volume=flag,kind=host,source=$flag --mount=volume=flag,target=/flag \
		"$images/busybox.aci" -- -c 'until [ -e /flag/go ]; do sleep 1; done; exit 7'
}

start_other() {
	start "$1" "--net=$2" --memory=64M "$images/busybox.aci" -- -c "$quiet"
}

end_failure() {
	touch "$flag/go"
}

end_stop() {
	xenpod stop "$uuid" >/dev/null 2>&1
}

end_force() {
	xenpod stop --force "$uuid" >/dev/null 2>&1
}

end_destroy() {
	xl destroy "$uuid" >/dev/null 2>&1
}

# `state cause code-of-run`; a helper that is killed may cost a stop its order.
declare -A ends=(
	[failure]='exited finished 7'
	[stop]='exited stopped (0|254)'
	[force]='exited killed 137'
	[destroy]='exited destroyed 254'
)
failed_start='failed (export|network|create|start)-failed 254'

end_of() {
	echo "$(status "$uuid" '.pod | .state + " " + .cause') $(cat "$t/$name.code" 2>&1)"
}

has_ended() {
	[ -s "$t/$name.code" ] && in_state "$uuid" 'exited|failed'
}

gc_is_done() {
	xenpod gc --grace-period=0 >/dev/null 2>&1 && [ -z "$(records)" ]
}

# ---- points ---------------------------------------------------------------------------------------------------

# A point of the phase in this life's turn, from here on; when somebody has died there, another one soon.
arm() {
	point=0
	[ "$turn" = count ] || point=$((1 + turn * ${total[$1]} / lives))
	rm -f "$log" $inside/died
	echo "$point $who" >"$at"
	watcher=
	[ "$turn" != count ] || return
	{
		while [ -e $at ]; do
			sleep 0.2
		done
		died
		echo "$((2 + turn * 7 % 13)) ${who:-parent}" >"$at"
	} &
	watcher=$!
}

# Nothing is told in the log while nothing is armed: its last line is where.
died() {
	sed -n '$s/^[0-9]* //p' "$log" >>$inside/died
}

# disarm PHASE: the first lives count; later ones note where they died.
disarm() {
	[ -z "$watcher" ] || { kill "$watcher" && wait "$watcher"; } 2>/dev/null
	if [ "$turn" = count ]; then
		total[$1]=$(wc -l <"$log")
	else
		[ -e $at ] || died
		where+=" $1: $(paste -sd, $inside/died 2>/dev/null || echo nowhere);"
		hits=$((hits + $(cat $inside/died 2>/dev/null | wc -l)))
	fi
	rm -f $at
}

# ---- a life: prints what is wrong with it, nothing when all is well -----------------------------------------

wrong() {
	trouble+="$*"$'\n'
}

differences() {
	local found

	found=$(python3 -ISB $inside/tools/truth.py --wait 120 2>&1) || wrong "$1: $found"
}

phase_start() {
	arm start
	if [ "$1" = failure ]; then
		start_failure "$name" "$2"
	else
		start_other "$name" "$2"
	fi
	patiently 400 in_state "$uuid" 'running|exited|failed' || wrong "it does not start: $(xenpod-status "$uuid" 2>&1)"
	disarm start
}

phase_end() {
	if in_state "$uuid" running; then
		arm end
		"end_$1"
		patiently 300 has_ended || wrong "it does not end: $(xenpod-status "$uuid" 2>&1)"
		disarm end
		[[ $(end_of) =~ ^(${ends[$1]})$ ]] || wrong "its end: $(end_of)"
	else
		patiently 300 has_ended || wrong "a start does not end: $(xenpod-status "$uuid" 2>&1)"
		[[ $turn != count && $(end_of) =~ ^($failed_start)$ ]] || wrong "it did not start: $(end_of)"
	fi
	end=$(end_of)
	differences "when it has ended"
}

phase_gc() {
	arm gc
	xenpod gc --grace-period=0 >/dev/null 2>&1
	disarm gc
	until_true 180 gc_is_done || wrong "gc: $(records)"
	differences "after gc"
}

# live TURN KIND NET
live() {
	local name=$2-$3-$1 where='' trouble='' end

	turn=$1
	phase_start "$2" "$3"
	phase_end "$2"
	phase_gc "$3"
	expect_eq "$name, killed ${who:-itself}: $end;$where" "$trouble" ''
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
nets=(none default)
who=
live count stop default
live count failure none
for ((k = 0; k < lives; k++)); do
	who=$([ $(((k + k / 4) % 2)) = 0 ] || echo parent)
	live $k "${kinds[k % 4]}" "${nets[(k / 2 + k / 4) % 2]}"
done
check "sixty points and more were come to" test $hits -ge "${HITS:-60}"
echo "# $hits deaths; points of a start ${total[start]}, an end ${total[end]}, a gc ${total[gc]}"
harmless
soon "the supervisor without crash points runs" 120 supervisor_runs
pods_end
