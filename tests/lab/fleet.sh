# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# For scenarios of recovery: ten pods at a time, and after each fault the question whether what is so
# is what the supervisor says (tools/truth.py, which believes nothing of ours).
# shellcheck source=tests/lab/pods.sh
. "$(dirname "${BASH_SOURCE[0]}")/pods.sh"

# Quiet, and gone at once when it is told to.
quiet='trap "exit 0" TERM; while :; do sleep 1000 & wait; done'

# truth DESCRIPTION [SECONDS]: no difference within that time; each is shown when there are some.
truth() {
	check "truth: $1" python3 -ISB $inside/tools/truth.py --wait "${2-90}"
}

# patiently SECONDS COMMAND...: asked now and then only, for asking takes from those who start.
patiently() {
	local end=$((SECONDS + $1))

	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 2
	done
}

# launch NAME [ARGS...]: a small quiet pod in the background.
launch() {
	start "$1" --net=none --memory=64M "${@:2}" $images/busybox.aci -- -c "$quiet"
}

# fleet N: pods pod1 to podN, until all of them run.
fleet() {
	local i

	for ((i = 1; i <= $1; i++)); do
		launch "pod$i"
	done
	patiently 900 up_are "$1" || bail "$1 pods run" "$(xenpod-status; tail -n 3 $t/*.err)"
	ok "$1 pods run"
}

# Of all pods, how many are running.
up() {
	xenpod-status --json | jq '[.pods[] | select(.word == "running")] | length'
}

up_are() {
	[ "$(up)" = "$1" ]
}

# "UUID DOMID" of each pod that runs, in order.
domids() {
	xenpod-status --json | jq -r '.pods[] | select(.word == "running") | "\(.uuid) \(.domid)"' | sort
}

# health JQ-FILTER
health() {
	timeout 60 python3 -ISc '
import socket
s = socket.socket(socket.AF_UNIX)
s.connect("/run/xenpod/status")
s.sendall(b"{\"method\": \"io.xenpod.Health\"}\0")
data = b""
while not data.endswith(b"\0"):
    more = s.recv(65536)
    if not more:
        raise SystemExit("closed")
    data += more
print(data[:-1].decode())' | jq -r ".parameters | $1"
}

degraded() {
	[ -n "$(health '.degraded // ""')" ]
}

not_degraded() {
	[ -z "$(health '.degraded // ""')" ]
}

# answers DESCRIPTION: xenpod-status is not held up by whatever is stuck. The seconds are for a slow Dom-0.
answers() {
	check "xenpod-status answers: $1" timeout 10 xenpod-status --json
}

# UUIDs of the pods that have not ended.
live() {
	xenpod-status --json | jq -r '.pods[] | select(.ended == null) | .uuid'
}

all_ended() {
	[ "$(live | wc -l)" = 0 ]
}

# stop_all: in order, at the same time.
stop_all() {
	local one

	for one in $(live); do
		xenpod stop "$one" >/dev/null 2>&1 &
		pids+=($!)
	done
	until_true 300 all_ended || not_ok "all pods stop" "$(xenpod-status)"
}
