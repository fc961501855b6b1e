#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Pods that come back, with the programs as they are: xenpod, the stage1's run, and xenpodd on a
# simulated world. Needs root; everything happens in a mount namespace of its own. No Xen.
# The last line is `N passed, N failed`.
set -u

if [ "${XENPOD_TEST_NS:-}" != 1 ]; then
	exec env XENPOD_TEST_NS=1 unshare --mount --propagation private "$0" "$@"
fi
top=${TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
bin=${BUILD:-$top/build/release}/bin
T=$(mktemp -d)
cd "$T" || exit 1
export XENPOD_RUN_DIR=$T/run XENPOD_STATE_DIR=$T/state
daemon=
passed=0
failed=0

finish() {
	[ -z "$daemon" ] || kill "$daemon" 2>/dev/null
	wait 2>/dev/null
	# A test that failed half-way leaves run processes, which wait for a supervisor to return.
	for process in /proc/[0-9]*; do
		case $(readlink "$process/cwd" 2>/dev/null) in
		"$T"/*) kill -9 "${process#/proc/}" ;;
		esac
	done
	awk -v t="$T/" 'index($5, t) == 1 { print $5 }' /proc/self/mountinfo | tac | xargs -r umount -l
	rm -rf "$T"
}
trap finish EXIT

# check WHAT COMMAND...: the command must succeed.
check() {
	local what=$1
	shift
	if "$@" >"$T/check.out" 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED: $what: $*"
		sed 's/^/    /' "$T/check.out"
	fi
}
# same WHAT WANTED GOT
same() {
	if [ "$2" = "$3" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'FAILED: %s\n    wanted: %s\n    got:    %s\n' "$1" "$2" "$3"
	fi
}
# refused WHAT TEXT COMMAND...: ends with 254 and says TEXT, in one line.
refused() {
	local what=$1 text=$2 rc=0
	shift 2
	"$@" >"$T/out" 2>"$T/err" </dev/null || rc=$?
	same "$what: exit status" 254 "$rc"
	same "$what: one line" 1 "$(wc -l <"$T/err")"
	check "$what: says \"$text\" ($(cat "$T/err"))" grep -qF -- "$text" "$T/err"
}
# wait_for COMMAND...: half a minute at most.
wait_for() {
	for _ in $(seq 300); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.1
	done
	failed=$((failed + 1))
	echo "FAILED: waited in vain: $*"
	"$bin/xenpod-status"
	tail -n 20 "$T/log"
	echo "$passed passed, $failed failed"
	exit 1
}
xenpod() {
	local verb=$1
	shift
	"$bin/xenpod" "$verb" --dir="$T/data" "$@"
}
run() { xenpod run --stage1-path="$T/s1" "$@" </dev/null; }
# pod UUID EXPRESSION: of the pod's object p, in Python.
pod() {
	"$bin/xenpod-status" --json "$1" 2>/dev/null |
		python3 -c 'import json,sys; p=json.load(sys.stdin)["pod"]; print(eval(sys.argv[1]))' "$2"
}
is() { [ "$(pod "$1" "$2")" = True ]; }
held() { ! flock --shared --nonblock "$T/data/pods/run/$1" true; }
code_of() { cat "$T/data/pods/run/$1/stage1/rootfs/rkt/status/$2" 2>/dev/null; }

# The world is quick; a pod runs after half a second.
cat >script <<'END'
latency poweroff 50ms
latency create 100ms
latency build 100ms
latency boot 100ms
latency app 50ms
latency destroy 50ms
END
start_daemon() {
	"$bin/xenpodd" --world=sim --state-dir="$XENPOD_STATE_DIR" --run-dir="$XENPOD_RUN_DIR" \
		--cgroup-root= --sim-script="$T/script" >>"$T/log" 2>&1 </dev/null &
	daemon=$!
	wait_for test -S "$XENPOD_RUN_DIR/status"
	wait_for "$bin/xenpod-status"
}

mkdir -p s1/rootfs/rkt/status s1/rootfs/opt/stage2 s1/rootfs/etc s1/rootfs/xenpod
cat >s1/manifest <<'END'
{"acKind":"ImageManifest","acVersion":"0.8.11","name":"xenpod.io/test/stage1",
"labels":[{"name":"version","value":"1"},{"name":"os","value":"linux"}],
"annotations":[{"name":"coreos.com/rkt/stage1/run","value":"/run"},
{"name":"coreos.com/rkt/stage1/stop","value":"/stop"},
{"name":"coreos.com/rkt/stage1/gc","value":"/gc"},
{"name":"coreos.com/rkt/stage1/interface-version","value":"6"}]}
END
cp "$bin/run" "$bin/stop" "$bin/gc" s1/rootfs/
echo "127.0.0.1 localhost" >s1/rootfs/etc/hosts-fallback
: >s1/rootfs/xenpod/vmlinux
: >s1/rootfs/xenpod/initrd.cpio
# image NAME WORDS: an image whose app does in the simulated world what the words say.
image() {
	mkdir -p "$1/rootfs/bin"
	printf '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/%s","app":{"exec":["sim"%s],"user":"0","group":"0"}}' \
		"$1" "$(sed 's/[^ ]*/,"&"/g; s/ //g' <<<"$2")" >"$1/manifest"
}
image fails "exit 3 after 2s"
image works "exit 0 after 100ms"
image stays "forever"
image never "init-fails"

# ---- what is refused -----------------------------------------------------------------------------------

refused "no policy" '"sometimes" is no restart policy' run --restart=sometimes works
refused "no limit" '"always:" is no restart policy' run --restart=always: works
refused "a terminal" "--interactive cannot be given with --restart" run --restart=always --interactive works
refused "no supervisor" "the supervisor does not answer" run --restart=always works
refused "not after an image" "belongs before the first image" run works --restart=always
start_daemon

# ---- given up -----------------------------------------------------------------------------------------

rc=0
uuid=$(run --restart=on-failure:3 fails 2>"$T/err") || rc=$?
same "run: exit status ($(cat "$T/err"))" 0 "$rc"
check "run: prints the UUID" grep -qxE '[0-9a-f-]{36}' <<<"$uuid"
check "run: it is held" held "$uuid"
same "policy" "on-failure 3 False" "$(pod "$uuid" '" ".join(str(p["restart"][k]) for k in ("policy", "limit", "given_up"))')"
wait_for is "$uuid" 'p["state"] == "backoff" and p["restart"]["tries"] == 3' # for 4 s
same "backoff: short lives" "3 3 finished" "$(pod "$uuid" 'p["restart"]["tries"], p["code"], p["cause"]' | tr -d "(),'")"
check "backoff: the next try has a time" is "$uuid" 'p["restart"]["next"] > p["ended"]'
check "backoff: it is held" held "$uuid"
same "backoff: its code is told" 3 "$(code_of "$uuid" fails)"
"$bin/xenpod-status" "$uuid" >"$T/out"
check "status: in words ($(grep ^restart "$T/out"))" grep -qE '^restart +on-failure: 3 of at most 3 short lives .*; next try in [0-9]+ s' "$T/out"
wait_for is "$uuid" 'p["restart"]["lives"] == 4'
same "next life: no code of the last" "" "$(code_of "$uuid" fails)"
same "next life: generation" 4 "$(pod "$uuid" 'p["generation"]')"
wait_for is "$uuid" 'p["state"] == "exited"'
check "given up" is "$uuid" 'p["restart"]["given_up"] and p["cause"] == "finished" and p["code"] == 3'
"$bin/xenpod-status" >"$T/out"
check "list: given up ($(cat "$T/out"))" grep -qE "^${uuid:0:8} .*finished; given up after 3" "$T/out"
wait_for flock --shared --nonblock "$T/data/pods/run/$uuid" true
same "its code is told" 3 "$(code_of "$uuid" fails)"
check "removed" xenpod rm "$uuid"

# ---- ends that are none of a policy's ----------------------------------------------------------------------

uuid=$(run --restart=on-failure works)
wait_for is "$uuid" 'p["state"] == "exited"'
same "code 0: no second life" "1 False" "$(pod "$uuid" 'p["restart"]["lives"], p["restart"]["given_up"]' | tr -d '(),')"
check "removed" xenpod rm "$uuid"

rc=0
out=$(run --restart=always never 2>"$T/err") || rc=$?
same "a first start that fails: exit status" 254 "$rc"
same "a first start that fails: no UUID" "" "$out"
check "a first start that fails: why ($(cat "$T/err"))" grep -q "the pod failed" "$T/err"
same "a first start that fails: never again" "['failed']" \
	"$("$bin/xenpod-status" --json | python3 -c 'import json,sys; print([p["state"] for p in json.load(sys.stdin)["pods"]])')"
xenpod gc --grace-period=0s >/dev/null 2>&1
xenpod gc --grace-period=0s >/dev/null 2>&1

# ---- stopped while it waits, started while it waits -----------------------------------------------------------

uuid=$(run --restart=always:0 works)
wait_for is "$uuid" 'p["state"] == "backoff" and p["restart"]["tries"] == 3' # for 4 s
refused "gc of one that waits" "is restarting: stop it first" "$T/s1/rootfs/gc" "$uuid"
check "start: at once" xenpod start "$uuid"
wait_for is "$uuid" 'p["word"] != "restarting"'
check "stop" xenpod stop "$uuid"
wait_for is "$uuid" 'p["state"] == "exited"'
refused "start of one that has ended" "start is not possible now" xenpod start "$uuid"
check "removed" xenpod rm "$uuid"

uuid=$(run --restart=always:0 works)
wait_for is "$uuid" 'p["state"] == "backoff" and p["restart"]["tries"] == 3'
check "stop in backoff" xenpod stop "$uuid"
wait_for is "$uuid" 'p["state"] == "exited" and p["cause"] == "stopped"'
wait_for flock --shared --nonblock "$T/data/pods/run/$uuid" true
check "removed" xenpod rm "$uuid"

# ---- another supervisor, another boot ------------------------------------------------------------------------------

uuid=$(run --restart=always:0 works)
wait_for is "$uuid" 'p["state"] == "backoff" and p["restart"]["tries"] == 3' # for 4 s
kill -9 "$daemon"
wait "$daemon" 2>/dev/null
same "offline: policy" "always 3" "$(pod "$uuid" 'p["restart"]["policy"], p["restart"]["tries"]' | tr -d "(),'")"
umount -R "$T/data/pods/run/$uuid/stage1/rootfs" # as a reboot does it
start_daemon
wait_for held "$uuid"
wait_for is "$uuid" 'p["restart"]["lives"] >= 4'
check "mounted again" grep -q " $T/data/pods/run/$uuid/stage1/rootfs/opt/stage2/works/rootfs " /proc/self/mountinfo

# ---- a command line out of a file -------------------------------------------------------------------------------------

printf '%s\n' '# a pod' "--dir=$T/data" "--stage1-path=$T/s1" '' '  fails' >from
mkdir unit
# The words of the unit itself.
read -ra words < <(sed -n 's,^ExecStart=@PREFIX@/bin/xenpod ,,p' "$top/dist/systemd/xenpod@.service" |
	sed "s,%t/xenpod-unit-%i,$T/unit,; s,/etc/xenpod/pods/%i,$T/from,")
rc=0
"$bin/xenpod" "${words[@]}" </dev/null >"$T/out" 2>"$T/err" || rc=$?
same "--from: exit status ($(cat "$T/err"))" 3 "$rc"
refused "--from: no such file" "--from=$T/none" "$bin/xenpod" run --from="$T/none"
refused "--uuid-file: no UUID in it" "--uuid-file=$T/from" xenpod rm --uuid-file="$T/from"
refused "--uuid-file: and another" "is too much" xenpod rm --uuid-file="$T/unit/uuid" "$uuid"
same "rm --uuid-file" "$(cat unit/uuid)" "$(xenpod rm --uuid-file="$T/unit/uuid")"

# ---- the host goes down -----------------------------------------------------------------------------------------------

other=$(run --restart=always stays)
wait_for is "$other" 'p["state"] == "running"'
refused "--all stands alone" "cannot be given with --all" "$bin/xenpod" stop --all "$other"
check "stop --all" timeout 60 "$bin/xenpod" stop --all --host-shutdown
cp "$T/check.out" "$T/out"
check "progress is told ($(cat "$T/out"))" grep -q "0 left" "$T/out"
check "waits for the boot" is "$other" 'p["state"] == "backoff" and p["cause"] == "host-shutdown" and p["restart"]["next"] is None'
check "so does the other" is "$uuid" 'p["state"] == "backoff"'
rc=0
run works >"$T/out" 2>"$T/err" || rc=$?
same "none is accepted: exit status" 254 "$rc"
check "none is accepted ($(cat "$T/err"))" grep -q "the host is being shut down" "$T/err"
refused "start" "the host is being shut down" xenpod start "$other"
check "called off" "$bin/xenpod" start --all
wait_for is "$other" 'p["state"] == "running"'
check "stop --all, by a user" timeout 60 "$bin/xenpod" stop --all
check "ended for good" is "$other" 'p["state"] == "exited" and p["cause"] == "stopped"'
wait_for is "$uuid" 'p["state"] == "exited"'

kill "$daemon"
wait "$daemon" 2>/dev/null
daemon=
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
