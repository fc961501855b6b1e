# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# For scenarios of the whole system, as setup.sh installs it: `xenpod run` and its end, what the
# supervisor, rkt's files, Xen and the observer say of it. Such a scenario runs inside Dom-0 as a
# whole, where asking costs a tenth of what it costs from outside: sourced on the host this file
# takes the scenario there and ends with its result. Each starts with pods_begin and ends with
# pods_end, so that nothing of it stays.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# shellcheck source=tests/lab/parts.sh
. "$(dirname "${BASH_SOURCE[0]}")/parts.sh"

if [ "${LAB_INSIDE-}" != 1 ]; then
	scenario_send
	scenario_part
	finish
fi

# ---- inside Dom-0 ---------------------------------------------------------------------------

t=$inside/pods           # of each pod: NAME.pid .uuid .out .err .code
# shellcheck disable=SC2034 # for the scenarios
images=/root/images
datadir=/var/lib/xenpod
tests=/usr/local/lib/xenpod/tests
observed=0               # pods that the observer must have seen
observer=                # its process
pids=()                  # what has been started in the background

# Whoever is left in the background would hold the channel to the host open, and it would wait.
# shellcheck disable=SC2154 # scratch is lib.sh's
trap 'rm -rf "$scratch"; kill $(jobs -p) 2>/dev/null' EXIT

lab_run() {
	bash -c "$*" </dev/null
}

lab_in() {
	"$@"
}

# until_true SECONDS COMMAND...: five times a second; a ceiling, not a measurement.
until_true() {
	local end=$((SECONDS + $1))

	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.2
	done
}

# soon DESCRIPTION SECONDS COMMAND...
soon() {
	if until_true "${@:2}"; then
		ok "$1"
	else
		not_ok "$1" "not within $2 s: ${*:3}"$'\n'"$(xenpod-status 2>&1)"
	fi
}

supervisor_runs() {
	[ "$(xenpod-status --json | jq -r .supervisor.state)" = running ]
}

observer_start() {
	"$tests/observer" $datadir "$inside/observed" "${held:-60}" &
	observer=$!
}

# Before somebody plays tricks with pods that have ended; what it has seen is judged at the end.
observer_stop() {
	[ -n "$observer" ] || return 0
	kill "$observer"
	wait "$observer"
	observer=
}

pods_begin() {
	mkdir -p $t
	until_true 120 supervisor_runs || bail "the supervisor runs" \
		"prepare the machine with tests/lab/setup.sh; $(systemctl status xenpodd 2>&1 | head -n 5)"
	[ -z "$(records)" ] ||
		bail "the machine has no pods to begin with" "$(xenpod-status)"
	leftovers_snapshot
	observer_start
}

# What is left of pods in the data directory and in the supervisor's store.
records() {
	xenpod-status --no-legend
	find $datadir/pods -mindepth 2 -maxdepth 2 2>/dev/null
}

# After every scenario: gc takes everything, a second gc finds nothing, no lock lied, nothing left.
pods_gone() {
	[ ${#pids[@]} -eq 0 ] || wait "${pids[@]}" 2>/dev/null
	expect_eq "gc" "$(xenpod gc --grace-period=0 2>&1 >$inside/gc)" ''
	expect_eq "gc again has nothing to do" "$(xenpod gc --grace-period=0 2>&1)" ''
	expect_eq "no pod is known any more" "$(records)" ''
	observer_stop
	expect_eq "no lock was ever free while its domain could run, or held long after" \
		"$(sed -n '/^lies/,$p' $inside/observed)" 'lies 0'
	expect_eq "the observer has seen every pod" "$(sed -n 's/^pods //p' $inside/observed)" $observed
	expect_nothing_left "nothing is left" base 120
}

pods_end() {
	pods_gone
	finish
}

# ---- a pod ----------------------------------------------------------------------------------

# run_to NAME ARGS...: `xenpod run` until its end.
run_to() {
	local n=$1

	shift
	rm -f "$t/$n".*
	(echo "$BASHPID" >"$t/$n.pid" && exec xenpod run --uuid-file-save="$t/$n.uuid" "$@") \
		>"$t/$n.out" 2>"$t/$n.err" </dev/null
	echo $? >"$t/$n.code"
}

# start NAME ARGS...: the same in the background; `uuid` is the pod's.
start() {
	run_to "$@" 2>/dev/null &
	pids+=($!)
	until_true 120 test -s "$t/$1.uuid" || bail "pod $1 is prepared" "$(cat "$t/$1.err")"
	uuid=$(cat "$t/$1.uuid")
	observed=$((observed + 1))
}

# status UUID JQ-FILTER: of the whole answer (pod, history, ledger).
status() {
	xenpod-status --json "$1" | jq -r "$2"
}

state() {
	status "$1" .pod.state
}

in_state() {
	[[ $(state "$1") =~ ^($2)$ ]]
}

# runs NAME: it has come to run, or the scenario ends here.
runs() {
	until_true 300 in_state "$uuid" 'running|exited|failed'
	in_state "$uuid" running || bail "pod $1 runs" "$(xenpod-status "$uuid"; tail -n 5 "$t/$1.err")"
	ok "pod $1 runs"
}

# expect_end NAME CODE STATE CAUSE: exit code of `xenpod run`; the supervisor's word for it.
expect_end() {
	until_true 300 test -s "$t/$1.code" || not_ok "pod $1 ends" "$(xenpod-status "$uuid")"
	expect_eq "pod $1: exit code of xenpod run" "$(cat "$t/$1.code" 2>&1)" "$2"
	# A `run` that was killed ends before its pod does.
	until_true 300 in_state "$uuid" 'exited|failed'
	expect_eq "pod $1: state and cause" "$(status "$uuid" '.pod | .state + " " + .cause')" "$3 $4"
}

# expect_app NAME APP FILE-CONTENT CODE SIGNAL: rkt's file, and the supervisor's record.
expect_app() {
	expect_eq "pod $1, app $2: rkt's status file" "$(rkt_status "$2")" "$3"
	expect_eq "pod $1, app $2: the supervisor's record" \
		"$(status "$uuid" ".pod.apps[] | select(.name == \"$2\") | \"\\(.code) \\(.signal)\"")" "$4 $5"
}

rkt_status() {
	cat "$datadir/pods/run/$uuid/stage1/rootfs/rkt/status/$1" 2>&1
}

domid() {
	xl domid "$1" 2>/dev/null
}

no_domain() {
	! xl list -v | grep -q "$1"
}

# As rkt asks: nobody holds the pod's lock.
lock_free() {
	flock -sn "$datadir/pods/run/$1" true
}

# in_pod APP COMMAND...
in_pod() {
	xenpod enter --app="$1" "$uuid" "${@:2}"
}

# kill_supervisor: kill -9, and until the next one has taken up its work.
kill_supervisor() {
	local pid

	pid=$(systemctl show -P MainPID xenpodd)
	kill -9 "$pid"
	soon "a new supervisor has taken up the work" 180 another_supervisor "$pid"
}

another_supervisor() {
	[ "$(systemctl show -P MainPID xenpodd)" != "$1" ] && supervisor_runs
}

# goes_on NAME: lines of the ticker still come.
goes_on() {
	soon "pod $1: its output goes on" 120 more_ticks "$1" "$(ticks "$1")"
}

ticks() {
	grep -c '^tick ' "$t/$1.out"
}

more_ticks() {
	[ "$(ticks "$1")" -gt $(($2 + 1)) ]
}

# use NAME: that pod is the one the others ask about.
use() {
	uuid=$(cat "$t/$1.uuid")
}
