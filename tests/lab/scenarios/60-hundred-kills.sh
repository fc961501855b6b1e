#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: full
# PODS: 60
# LIMIT: 5400
#
# kill -9 of the supervisor a hundred times, at moments that a seed draws, while ten pods run and others
# start, stop and die. SEED=n draws the same again, as far as a machine does the same twice.
# shellcheck source=tests/lab/fleet.sh
. "$(dirname "$0")/../fleet.sh"

seed=${SEED:-$(date +%N | sed 's/^0*//;s/...$//')}
RANDOM=$seed
echo "# SEED=$seed"
kills=${KILLS:-100}
launched=0
# shellcheck disable=SC2034 # the observer's: an end that is begun anew every few seconds takes its time
held=900
slot=()                  # names of the pods that are there now
declare -A touched       # by name: somebody has ended it, or it ends by itself

# draw N: 0 to N-1, in `drawn`; a subshell would draw the same again and again.
draw() {
	drawn=$((RANDOM % $1))
}

# fill SLOT: a new pod there; one in four ends by itself.
fill() {
	local name=c$((++launched))

	slot[$1]=$name
	draw 4
	if [ "$drawn" = 0 ]; then
		touched[$name]=itself
		start "$name" --net=none --memory=64M $images/busybox.aci -- -c 'sleep 15; exit 3'
	else
		launch "$name"
	fi
}

# end SLOT: in one of the ways in which pods end.
end() {
	local name=${slot[$1]}

	use "$name"
	draw 4
	touched[$name]=$drawn
	case $drawn in
	0) xenpod stop "$uuid" >/dev/null 2>&1 & ;;
	1) xenpod stop --force "$uuid" >/dev/null 2>&1 & ;;
	2) xl destroy "$uuid" >/dev/null 2>&1 & ;;
	3) kill -9 "$(cat "$t/$name.pid")" 2>/dev/null & ;;
	esac
	pids+=($!)
}

some_are_up() {
	[ "$(up)" -ge "$1" ]
}

# Half of the time nothing happens to the pods between two kills.
something() {
	draw 20
	[ "$drawn" -lt 10 ] || return 0
	if [ -s "$t/${slot[$drawn]}.code" ]; then
		fill "$drawn"
	elif [ -z "${touched[${slot[$drawn]}]-}" ]; then
		end "$drawn"
	fi
}

kill_at_random() {
	draw 30
	sleep "$((drawn / 10)).$((drawn % 10))"
	until_true 60 pidof xenpodd || bail "systemd starts it again" "$(systemctl status xenpodd)"
	kill -9 "$(pidof xenpodd)"
}

# What nobody has touched and what had come to run runs on, and so does what xl was to destroy before there
# was a domain; the rest has a known end. Who ended while no supervisor lived long enough to see it run has
# its codes all the same.
fates() {
	local name

	for name in "${!touched[@]}" "${slot[@]}"; do
		use "$name"
		status "$uuid" '.pod | .word + " " + .cause + (if .started then " ran" else "" end)' |
			sed "s/^/${touched[$name]:-untouched} $name /"
	done | sort -u >$inside/fates
	grep -vE '^[^ ]+ [^ ]+ exited (finished|stopped|killed|destroyed|run-lost) ran$' $inside/fates |
		grep -vE '^(untouched|2) [^ ]+ running +ran$' |
		grep -vE '^itself [^ ]+ exited finished$' |
		grep -vE '^[^ ]+ [^ ]+ failed (export|create|start)-failed$' |
		grep -vE '^[0-3] [^ ]+ (exited|failed) (stopped|killed|destroyed|run-lost)$'
	grep -E '^untouched [^ ]+ exited' $inside/fates
}

# A `run` that died while no supervisor was there is missed half a minute after one has come back.
fates_known() {
	[ -z "$(fates)" ]
}

# `xenpod run` is there as long as its pod; who killed it is not asked.
runs_left() {
	local name

	for name in "${!touched[@]}" "${slot[@]}"; do
		[ "${touched[$name]-}" != 3 ] || continue
		use "$name"
		if in_state "$uuid" 'exited|failed'; then
			until_true 60 test -s "$t/$name.code" || echo "$name: run does not end"
		else
			! test -s "$t/$name.code" || echo "$name: run has ended: $(cat "$t/$name.code")"
		fi
	done
}

pods_begin
for ((i = 0; i < 10; i++)); do
	fill $i
done
patiently 900 some_are_up 6 || bail "pods come up" "$(xenpod-status)"
for ((k = 1; k <= kills; k++)); do
	something
	kill_at_random
done
ok "$kills kills, $launched pods"
soon "a supervisor has taken up the work" 180 supervisor_runs
truth "after $kills kills" 300
until_true 180 fates_known
expect_eq "each pod's end is a known one, and who was left alone runs" "$(fates)" ''
expect_eq "each xenpod run is there as long as its pod" "$(runs_left)" ''
sed 's/^\([^ ]*\) [^ ]* /# \1 /' $inside/fates | sort | uniq -c | sed 's/^ *\([0-9]*\) # /# \1 x /'
stop_all
truth "when all are stopped" 300
pods_end
