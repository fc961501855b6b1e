#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: full
# PODS: 2
#
# Domains destroyed from outside while clients have their pages mapped, some of them stopped: who
# runs lets go and says so, who does not is killed, the domain leaves the list, the lock is free.
# shellcheck source=tests/lab/pods.sh
. "$(dirname "$0")/../pods.sh"

# enter_as NAME: a session of the pod that prints a line and then sleeps.
enter_as() {
	rm -f "$t/$1".*
	{
		(echo "$BASHPID" >"$t/$1.pid" && exec xenpod enter "$uuid" /bin/sh -c 'echo in; exec sleep 5000') \
			>"$t/$1.out" 2>"$t/$1.err" </dev/null
		echo $? >"$t/$1.code"
	} 2>/dev/null &
	pids+=($!)
	soon "session $1 is attached" 120 grep -qx in "$t/$1.out"
}

stopped() {
	[[ $(cat "/proc/$(cat "$t/$1.pid")/stat") =~ \)\ T ]]
}

# halt NAME: SIGSTOP, and it has arrived.
halt() {
	kill -STOP "$(cat "$t/$1.pid")"
	soon "$1 is stopped" 30 stopped "$1"
}

gone() {
	! kill -0 "$(cat "$t/$1.pid")"
}

pods_begin

# ---- run and two sessions, one of them stopped --------------------------------------------------

start pod --memory=128M $images/ticker.aci
start halted --memory=128M $images/ticker.aci
use pod
runs pod
enter_as free
enter_as held
halt held
check "xl destroy" xl destroy "$uuid"
soon "the session that runs has ended" 60 test -s "$t/free.code"
expect_eq "with our own failure" "$(cat "$t/free.code")" 254
expect_match "and one line that says why" "$(cat "$t/free.err")" "^[^"$'\n'"]*pod $uuid has ended[^"$'\n'"]*\$"
expect_end pod 254 exited destroyed
soon "the stopped one was killed" 60 test -s "$t/held.code"
expect_eq "by SIGKILL" "$(cat "$t/held.code")" 137
soon "the domain has left the list" 60 no_domain "$uuid"
soon "the lock is free" 60 lock_free "$uuid"
out=$(xenpod enter "$uuid" /bin/true 2>&1)
expect_eq "enter into a pod that has ended is our failure" $? 254
expect_match "and says so" "$out" "$uuid"

# ---- a run that is stopped, and a session that ends with a stop ---------------------------------

use halted
runs halted
enter_as ends
halt halted
expect_eq "stop" "$(xenpod stop "$uuid")" "$uuid"
soon "the session has ended" 120 test -s "$t/ends.code"
soon "the stopped run is gone" 120 gone halted
expect_end halted 137 exited stopped
expect_app halted ticker 0 0 null
soon "the domain has left the list" 60 no_domain "$uuid"
soon "the lock is free" 60 lock_free "$uuid"

pods_end
