#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: full
# PODS: 10
# LIMIT: 3600
#
# What can go wrong inside a domain: each ends in a state and a cause that xenpod-status shows, with
# the reason in words, and the console's last lines where the guest did not end in order.
# shellcheck source=tests/lab/inside.sh
. "$(dirname "$0")/../inside.sh"

# detail: what people see of the pod.
detail() {
	xenpod-status "$uuid"
}

inside_begin

# ---- apps that do not start -------------------------------------------------------------------

start noexec --memory=128M $images/worker.aci --exec=/bin/nosuch
expect_end noexec 203 exited finished
expect_eq "an app that cannot be run: 203 for rkt" "$(rkt_status worker)" 203
expect_match "why, in the status" "$(detail)" '/bin/nosuch'
expect_match "and on its stderr" "$(cat "$t/noexec.err")" 'nosuch.*No such file'

image fussy '{"user": "0", "group": "0",
	"eventHandlers": [{"name": "pre-start", "exec": ["/bin/sh", "-c", "echo not today >&2; exit 3"]}]}' <<'END'
#!/bin/sh
echo 'must not run'
END
start prestart --memory=128M $work/images/fussy
expect_end prestart 203 exited finished
expect_match "a pre-start that fails: why" "$(detail)" 'pre-start'
expect_match "what it said is given" "$(cat "$t/prestart.err")" 'not today'
expect_eq "the app itself did not run" "$(cat "$t/prestart.out")" ''

# It has the grace, which a very busy machine may need for less.
image late '{"user": "1000", "group": "1000", "exec": ["/bin/true"],
	"eventHandlers": [{"name": "post-stop", "exec": ["/bin/touch", "/out/post-stop"]}]}' </dev/null
start late --memory=128M --volume=out,kind=host,source=$out --mount=volume=out,target=/out $work/images/late
expect_end late 0 exited finished
expect_eq "post-stop ran as root" "$(stat -c %u $out/post-stop)" 0

start nomount --memory=128M --volume=out,kind=host,source=$out --mount=volume=out,target=/bin/busybox \
	$images/worker.aci
expect_end nomount 254 failed guest-failed
expect_match "a mount that cannot be made is named" "$(detail)" '/bin/busybox'

# ---- memory and processes -----------------------------------------------------------------------

# More than its limit, less than the domain has: the kernel refuses what can never be there.
start hungry --memory=32Mi $images/busybox.aci --memory=32Mi -- -c 'dd if=/dev/zero of=/dev/null bs=90M count=1; echo survived' \
	--- $images/ticker.aci --memory=32Mi
expect_end hungry 137 exited oom
expect_app hungry busybox 9 null 9
expect_match "the status says what it died of" "$(detail)" 'oom'
expect_app hungry ticker 0 0 null
expect_eq "its neighbour was stopped in order" "$(grep -c 'ticker: stopping' "$t/hungry.out")" 1

# The main process forks no more: it would end when it cannot.
start bomb --memory=96Mi $images/busybox.aci --memory=96Mi -- -c 'trap "" TERM; f() { f | f & }; f; exec sleep 100000'
runs bomb
sleep 15
check "beside a fork bomb one can enter" in_pod busybox /bin/true
expect_eq "and stop it" "$(xenpod stop "$uuid")" "$uuid"
until_true 300 test -s "$t/bomb.code"
expect_match "it has ended" "$(status "$uuid" '.pod | .state + " " + .cause')" '^exited (stopped|oom)$'

# ---- apps that end in odd ways --------------------------------------------------------------------

start mute --memory=128M $images/busybox.aci -- -c 'exec >&- 2>&- <&-; sleep 3; exit 4'
expect_end mute 4 exited finished

start daemon --memory=128M $images/busybox.aci -- -c '(setsid sleep 1000 &) & echo started; exit 0'
expect_end daemon 0 exited finished
expect_eq "what a daemon said before" "$(cat "$t/daemon.out")" started

start deaf --memory=128M $images/busybox.aci -- -c 'trap "" TERM; while :; do sleep 1; done'
runs deaf
began=$SECONDS
expect_eq "stop of an app that does not listen" "$(xenpod stop "$uuid")" "$uuid"
expect_end deaf 137 exited stopped
expect_app deaf busybox 9 null 9
check "it was given its grace, and no more than a ceiling" test $((SECONDS - began)) -ge 8 -a $((SECONDS - began)) -lt 120

# ---- the domain's kernel --------------------------------------------------------------------------

start panic --memory=128M --insecure-options=all-run $images/busybox.aci -- -c 'sleep 2; echo c >/proc/sysrq-trigger'
expect_end panic 254 exited crashed
expect_match "a panic: its reason" "$(detail)" 'why +crashed: sysrq triggered crash'
expect_match "and the console's last lines are kept" "$(detail)" 'console: .*Kernel panic - not syncing'
expect_match "also for programs" "$(status "$uuid" .console)" 'Kernel panic'

inside_end
