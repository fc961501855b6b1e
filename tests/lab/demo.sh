#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# make demo: shows on a real Xen what xenpod is for. Each step says what it does, shows what it sees,
# and ends the demo when it is not as it should be.
# shellcheck disable=SC2016 # what is single-quoted is for the shell in Dom-0
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"

began=$SECONDS
bold='' dim='' off=''
if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then
	bold=$'\e[1m' dim=$'\e[2m' off=$'\e[0m'
fi

step() {
	printf '\n%s[%4d s] %s%s\n' "$bold" $((SECONDS - began)) "$*" "$off"
}

# show LINE: runs it in Dom-0 and shows both, indented; the exit code is the line's.
show() {
	local out rc=0

	printf '%s    dom0# %s%s\n' "$dim" "$*" "$off"
	out=$(lab_run "$*" 2>&1) || rc=$?
	[ -z "$out" ] || printf '%s\n' "$out" | sed 's/^/    /'
	return $rc
}

# must WHAT COMMAND...: the fact that the step is about.
must() {
	local what=$1

	shift
	if "$@" >/dev/null 2>&1; then
		printf '    [%4d s] true: %s\n' $((SECONDS - began)) "$what"
		return
	fi
	printf '    [%4d s] NOT SO: %s\n' $((SECONDS - began)) "$what"
	show 'xenpod-status; xl list; journalctl -b -u xenpodd -n 40 --no-pager -o cat; tail -n 20 /root/demo-*.out'
	lab_run 'systemctl stop demo-observer demo-one demo-two' 2>/dev/null
	exit 1
}

# One field of xenpod-status of a pod, asked in Dom-0.
field() {
	lab_run "xenpod-status --json $1 | jq -r '.pod | $2'"
}

is() {
	[ "$(field "$1" "$2")" = "$3" ]
}

# run_pod NAME ARGS...: `xenpod run` in a unit of its own, as a service manager would; its output goes
# to /root/demo-NAME.out, its exit code to /root/demo-NAME.code.
run_pod() {
	local name=$1

	shift
	lab_run "rm -f /root/demo-$name.*
		systemd-run -q --collect --unit=demo-$name -p KillMode=mixed -p TimeoutStopSec=120 \
		sh -c 'xenpod run --uuid-file-save=/root/demo-$name.uuid $* >/root/demo-$name.out 2>&1; \
		echo \$? >/root/demo-$name.code'"
	must "pod $name has a UUID" wait_for 60 "test -s /root/demo-$name.uuid"
	lab_run "cat /root/demo-$name.uuid"
}

step 'A real Xen with a Debian Dom-0, in software emulation (the first time this builds it)'
"$xenlab" up || exit 1
show 'xl info | grep -E "^(xen_version|free_memory|nr_cpus)"; uname -r'

step 'xenpod is built, installed into Dom-0 and started under systemd'
"$top/tests/lab/deploy.sh" || exit 1
lab_run 'for u in $(xenpod-status --json | jq -r ".pods[].uuid"); do xenpod stop --force "$u"; done
	sleep 1; xenpod gc --grace-period=0' >/dev/null 2>&1
must 'the supervisor has taken up its work' wait_for 120 \
	'xenpod-status --json | jq -e ".supervisor.state == \"running\""'
show 'systemctl status xenpodd --no-pager -n 0 | head -n 4'
leftovers_snapshot demo
lab_run 'systemd-run -q --collect --unit=demo-observer \
	/usr/local/lib/xenpod/tests/observer /var/lib/xenpod /root/demo-observer.txt'

step 'A pod of two apps, from two images, in one domain'
one=$(run_pod one --memory=64M /root/images/ticker.aci --- /root/images/busybox.aci -- -c '"while :; do sleep 1; done"' | tail -n 1)
must 'it runs: both apps have started' wait_for 300 "xenpod-status --json $one | jq -e '.pod.state == \"running\"'"

step 'Xen and xenpod-status agree'
show 'xl list'
show 'xenpod-status'
must 'same domain in both' lab_run "[ \$(xl domid $one) = \$(xenpod-status --json $one | jq .pod.domid) ]"

step "The app's output arrives at xenpod run"
must 'a line of the ticker' wait_for 60 'grep -q "^tick [0-9]" /root/demo-one.out'
show 'head -n 4 /root/demo-one.out'

step 'A command inside the domain, in the root of one app: xenpod enter'
out=$(lab_run "xenpod enter --app=ticker $one /bin/sh -c 'echo hello from \$(hostname), kernel \$(uname -r); exit 7'")
rc=$?
printf '    %s\n    exit code %d\n' "$out" $rc
must 'its output and its exit code came back' test "$rc" = 7 -a "${out#hello from}" != "$out"

step 'kill -9 of the supervisor while the pod runs'
before=$(lab_run "systemctl show -P MainPID xenpodd; xl domid $one")
show 'systemctl kill -s KILL --kill-whom=main xenpodd'
must 'a new supervisor has adopted the pod' wait_for 120 \
	"xenpod-status --json | jq -e '.supervisor.state == \"running\"' &&
	[ \$(systemctl show -P MainPID xenpodd) != ${before%%$'\n'*} ]"
must 'same domain, still running' lab_run \
	"[ \$(xl domid $one) = ${before##*$'\n'} ] && xenpod-status --json $one | jq -e '.pod.state == \"running\"'"
show 'xenpod-status'
ticks=$(lab_run 'grep -c ^tick /root/demo-one.out')
must 'its output goes on' wait_for 60 "[ \$(grep -c ^tick /root/demo-one.out) -gt $ticks ]"

step 'A graceful stop: the apps get SIGTERM, their exit codes are kept'
show "xenpod stop $one"
must 'xenpod run has ended' wait_for 120 'test -s /root/demo-one.code'
show 'tail -n 2 /root/demo-one.out; echo "exit code of xenpod run: $(cat /root/demo-one.code)"'
show "xenpod-status $one"
must 'the pod is exited, stopped on request' is "$one" '.state + " " + .cause' 'exited stopped'
must "the ticker's own exit code 0 is known" is "$one" '.apps[] | select(.name == "ticker").code' 0
must 'rkt would read it too' lab_run "[ \$(cat /var/lib/xenpod/pods/run/$one/stage1/rootfs/rkt/status/ticker) = 0 ]"

step 'xl destroy behind our back'
two=$(run_pod two --memory=64M /root/images/ticker.aci | tail -n 1)
must 'a second pod runs' wait_for 300 "xenpod-status --json $two | jq -e '.pod.state == \"running\"'"
show "xl destroy $two"
must 'it was noticed' wait_for 120 "xenpod-status --json $two | jq -e '.pod.state == \"exited\"'"
must 'and the cause is told apart from a stop' is "$two" .cause destroyed
show "xenpod-status $two"
show "journalctl -b XENPOD_UUID=$two --no-pager -o cat | tail -n 6"

step 'Collect both, and look for anything that is left'
must 'xenpod run of the second has ended' wait_for 60 'test -s /root/demo-two.code'
show 'xenpod gc --grace-period=0'
show 'xenpod-status; xl list'
lab_run 'systemctl stop demo-observer'
show 'cat /root/demo-observer.txt'
must 'no lock was ever free while its domain could run, or held long after' \
	lab_run 'grep -qx "lies 0" /root/demo-observer.txt'
left=$(LEFTOVERS_IGNORE='demo-' leftovers_diff demo 60) ||
	{ printf '%s\n' "$left" | sed 's/^/    left: /'; must 'nothing is left' false; }
must 'nothing is left: domains, processes, cgroups, mounts, xenstore nodes, logs, files' true

step "That is xenpod. All of it was so, in $((SECONDS - began)) s."
