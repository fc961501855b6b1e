#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# xenpodd's configuration from outside: shown, refused, read again. On a simulated world; needs no Xen.
# The last line is `N passed, N failed`.
set -u

# shellcheck source-path=SCRIPTDIR source=checks.bash
. "$(dirname "$0")/checks.bash"
daemon=
cleanup() {
	[ -z "$daemon" ] || kill -9 "$daemon" 2>/dev/null
	wait 2>/dev/null
	rm -rf "$T"
}
trap cleanup EXIT
# xenpodd WHAT EXIT-STATUS ARGS...: output in $T/out, messages in $T/err.
xenpodd() {
	local what=$1 want=$2 rc=0
	shift 2
	timeout 60 "$bin/xenpodd" "$@" >"$T/out" 2>"$T/err" </dev/null || rc=$?
	same "$what: exit status" "$want" "$rc"
}
# said TEXT [TIMES]: in the supervisor's log, before half a minute is over.
said() {
	for _ in $(seq 300); do
		[ "$(grep -cF -- "$1" "$T/log")" -lt "${2-1}" ] || break
		sleep 0.1
	done
	same "it says: $1" "${2-1}" "$(grep -cF -- "$1" "$T/log")"
}

# ---- shown, refused ---------------------------------------------------------------------------------

printf '[Supervisor]\nMaxStarts=9\n' >"$T/x.conf"
mkdir "$T/x.conf.d"
printf '[Supervisor]\nOrphanGraceSec=5\n' >"$T/x.conf.d/10-grace.conf"
xenpodd "shown" 0 --check-config --config="$T/x.conf" --max-starts=3
same "shown: what counts" "MaxStarts=3 OrphanGraceSec=5" "$(grep -E '^(MaxStarts|Orphan)' "$T/out" | paste -sd' ')"
cp "$T/out" "$T/again.conf"
xenpodd "what is shown is a configuration" 0 --check-config --config="$T/again.conf"
same "and the same one" "$(cat "$T/again.conf")" "$(cat "$T/out")"

printf '[Supervisor]\nMaxStarts=9\nMaxFinishes=9\n' >"$T/bad.conf"
for how in --check-config --world=sim; do
	xenpodd "refused ($how)" 254 $how --config="$T/bad.conf" --state-dir="$T/state" --run-dir="$T/run"
	same "refused ($how): in one line" \
		"xenpodd: $T/bad.conf:3: there is no setting \"MaxFinishes\" in [Supervisor]; xenpodd --check-config shows all of them" \
		"$(cat "$T/err")"
	same "refused ($how): nothing is made" "" "$(find "$T/state" "$T/run" 2>/dev/null)"
done

# ---- read again -------------------------------------------------------------------------------------

"$bin/xenpodd" --world=sim --config="$T/x.conf" --state-dir="$T/state" --run-dir="$T/run" \
	--cgroup-root= >"$T/log" 2>&1 </dev/null &
daemon=$!
said "recovery is complete"
kill -HUP $daemon
said "the configuration was read again" 1
printf '[Supervisor]\nConsoleDirectory=/elsewhere\n' >"$T/x.conf.d/20-later.conf"
kill -HUP $daemon
# The command line says where consoles are in a simulated world: nowhere.
said "the configuration was read again" 2
printf 'nonsense\n' >"$T/x.conf.d/30-bad.conf"
kill -HUP $daemon
said "the configuration stays as it was: $T/x.conf.d/30-bad.conf:1: this is neither [SECTION] nor KEY=VALUE"
same "it serves" 0 "$(XENPOD_RUN_DIR=$T/run "$bin/xenpod-status" >/dev/null 2>&1; echo $?)"
kill $daemon
wait $daemon
same "it ends in order" 0 $?
daemon=
finish
