#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: full
# PODS: 10
# LIMIT: 2400
#
# All the ways in which a pod can end by itself, from outside or from inside its domain, and by its
# `run`: told apart, with the exit codes that the apps had.
# shellcheck source=tests/lab/pods.sh
. "$(dirname "$0")/../pods.sh"

no_status="cat: .*/rkt/status/ticker: No such file or directory"

# run_pid NAME: the process that stands for the pod.
run_pid() {
	cat "$t/$1.pid"
}

pods_begin

# ---- apps that end by themselves ----------------------------------------------------------------

start zero --memory=128M $images/worker.aci
start killed --memory=128M $images/busybox.aci -- -c 'echo bye; kill -9 $$'
start noexec --memory=128M $images/busybox.aci --exec=/bin/nosuch

use zero
expect_end zero 0 exited finished
expect_app zero worker 0 0 null

use killed
expect_end killed 137 exited finished
expect_app killed busybox 9 null 9
expect_eq "what it said before is there" "$(cat "$t/killed.out")" bye

use noexec
expect_end noexec 203 exited finished
expect_app noexec busybox 203 203 null
expect_match "the reason is on its stderr" "$(cat "$t/noexec.err")" '/bin/nosuch'

# ---- from outside -------------------------------------------------------------------------------

start shut --memory=128M $images/ticker.aci --set-env=TICKER_EXIT=4
start reboot --memory=128M $images/ticker.aci

use shut
runs shut
check "xl shutdown" xl shutdown "$uuid"
expect_end shut 4 exited shutdown
expect_app shut ticker 4 4 null

use reboot
runs reboot
check "xl reboot" xl reboot "$uuid"
expect_end reboot 0 exited shutdown
expect_app reboot ticker 0 0 null

# ---- from inside --------------------------------------------------------------------------------

start panic --memory=128M --insecure-options=paths $images/ticker.aci
start restart --memory=128M --insecure-options=paths $images/ticker.aci

use panic
runs panic
in_pod ticker /bin/sh -c 'echo c >/proc/sysrq-trigger' >/dev/null 2>&1
expect_end panic 254 exited crashed
expect_match "run says why" "$(tail -n 1 "$t/panic.err")" 'the guest kernel crashed'
expect_match "no code is made up" "$(rkt_status ticker)" "^$no_status\$"

use restart
runs restart
in_pod ticker /bin/sh -c 'echo b >/proc/sysrq-trigger' >/dev/null 2>&1
expect_end restart 254 exited guest-reboot
expect_match "run says why" "$(tail -n 1 "$t/restart.err")" 'the guest rebooted itself'

# ---- by its `run` -------------------------------------------------------------------------------

start term --memory=128M $images/ticker.aci --set-env=TICKER_EXIT=6
start twice --memory=128M $images/busybox.aci -- -c 'trap "" TERM; echo deaf; while :; do sleep 1; done'
start lost --memory=128M $images/ticker.aci --set-env=TICKER_EXIT=5

use term
runs term
kill -TERM "$(run_pid term)"
expect_end term 6 exited stopped
expect_app term ticker 6 6 null
expect_eq "its last line came" "$(tail -n 1 "$t/term.out")" 'ticker: stopping'

use twice
runs twice
kill -TERM "$(run_pid twice)"
soon "a first SIGTERM is a graceful stop" 120 in_state "$uuid" stopping
kill -TERM "$(run_pid twice)"
expect_end twice 137 exited killed

use lost
runs lost
kill -KILL "$(run_pid lost)"
expect_end lost 137 exited run-lost
expect_app lost ticker 5 5 null

pods_end
