#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The hooks held against the contract with a supervisor that says what it is told to. Needs root for
# open_tree(2); no Xen: what is told never names a domain. The last line is `N passed, N failed`.
set -u

# shellcheck source-path=SCRIPTDIR source=hookskit.bash
. "$(dirname "$0")/hookskit.bash"

left_behind() {
	(cd "$pod" && find . -newer "$T/mark" ! -path . -print)
}

# ---- flags and manifests: refused before anything is done
new_pod
start_supervisor
touch -d '1 second ago' "$T/mark"
find "$pod" -exec touch -d '1 hour ago' {} +
for flag in --mutable --private-users=65536:65536 --mds-token=0 --ipc=parent; do
	fails "run $flag" "not supported yet: ${flag%%=*}" run_hook "$flag" $uuid
done
fails "run --net=host" "use --net=default with --port" run_hook --net=host $uuid
fails "run --net=nowhere" "networks not found: nowhere" run_hook --net=nowhere $uuid
fails "bad DNS mode" "\"hosts=none\" is none of" run_hook --dns-conf-mode=hosts=none $uuid
fails "unknown flag" "unknown flag --fancy" run_hook --fancy $uuid
fails "no UUID" "UUID is missing" run_hook
fails "bad UUID" "xyz" run_hook xyz
fails "two UUIDs" "one too many" run_hook $uuid $uuid
fails "no lock" "RKT_LOCK_FD is not set" sh -c "cd $pod && exec $bin/run $uuid"
fails "a lock that is closed" "not open" sh -c "cd $pod && RKT_LOCK_FD=77 exec $bin/run $uuid"
fails "another lock" "not the pod directory" \
	sh -c "cd $pod && RKT_LOCK_FD=9 exec $bin/run $uuid 9</"
fails "bad hostname" "hostname" run_hook --hostname=a/b $uuid
same "refused: nothing is left" "" "$(left_behind)"
same "refused: nothing was called" "No such file" "$(log 1 | grep -o 'No such file')"

refused() { # TEXT APPS-JSON [MORE]
	pod_manifest "$2" "${3:-}"
	fails "manifest: $1" "$1" run_hook --net=none $uuid
}
refused "two apps are named one" '[{"name":"one"},{"name":"one"}]'
refused "not a valid app name" '[{"name":"../x"}]'
refused "the pod manifest has no apps" '[]'
refused "no app of the pod has a port" '[{"name":"one"}]' ',"ports":[{"name":"p","hostPort":80}]'
refused "mutable pods" '[]' ',"annotations":[{"name":"coreos.com/rkt/stage1/mutable","value":"true"}]'
refused "empty \"exec\"" '[{"name":"one","app":{"user":"0","group":"0"}}]'
refused "there is no volume v to mount on /v" "[{\"name\":\"one\",\"mounts\":[{\"volume\":\"v\",\"path\":\"/v\"}]}]"
refused "has an empty" "[{\"name\":\"one\",\"app\":{$app,\"eventHandlers\":[{\"name\":\"pre-start\"}]}}]"
refused "isolator os/linux/no-new-privileges" "[{\"name\":\"one\",\"app\":{$app,\"isolators\":
	[{\"name\":\"os/linux/no-new-privileges\",\"value\":1}]}}]"
refused "resource/memory" "[{\"name\":\"one\",\"app\":{$app,\"isolators\":
	[{\"name\":\"resource/memory\",\"value\":{\"limit\":\"1Q\"}}]}}]"
refused "stage2/three/manifest" '[{"name":"three"}]'
echo '{' >"$pod/pod"
fails "broken manifest" "pod manifest is not valid JSON" run_hook $uuid
rm "$pod/pod"
fails "no manifest" "not a pod directory" run_hook $uuid

new_pod
rm "$pod/stage1/rootfs/xenpod/vmlinux"
fails "no kernel" "stage1/rootfs/xenpod/vmlinux" run_hook --net=none $uuid
new_pod
rm -r "$pod/stage1/rootfs/opt/stage2/two/rootfs"
fails "no app root" "stage2/two/rootfs" run_hook --net=none $uuid
end_supervisor
rm -f "$XENPOD_RUN_DIR/admin"
new_pod
fails "no supervisor" "the supervisor does not answer at $XENPOD_RUN_DIR/admin" \
	run_hook --net=none $uuid
start_supervisor "Accept=error:Exists:pod_is_there"
touch "$T/mark"
sleep 0.1
fails "refused pod" "pod_is_there" run_hook --net=none $uuid
same "refused pod: nothing is left" "" "$(left_behind)"

# ---- volumes that were made for it: they go with a refusal, and stay when the pod may be somebody's
volumes() { find "$pod/sharedVolumes" -printf '%P ' 2>/dev/null | xargs; }
new_pod_with_volumes() {
	new_pod
	image_manifest one "$app,\"mountPoints\":[{\"name\":\"data\",\"path\":\"/of-one\"}]"
	pod_manifest '[{"name":"one","mounts":[{"volume":"e","path":"/e"}]}]' \
		',"volumes":[{"name":"e","kind":"empty"}]'
	mkdir "$pod/stage1/rootfs/opt/stage2/one/rootfs/of-one/d"
	touch "$pod/stage1/rootfs/opt/stage2/one/rootfs/of-one/d/f"
	find "$pod" -exec touch -d '1 hour ago' {} +
	touch -d '1 second ago' "$T/mark"
}
run_with_volumes() { # WHAT WANTED STEPS...
	new_pod_with_volumes
	start_supervisor "${@:3}"
	(run_hook --net=none $uuid >"$T/out" 2>"$T/err" </dev/null)
	same "volumes: $1: exit status" 254 $?
	same "volumes: $1" "$2" "$(volumes)"
}
run_with_volumes "refused" "" "Accept=error:Full:no_room"
says "volumes: refused" "no_room"
same "volumes: refused: nothing is left" "" "$(left_behind)"
run_with_volumes "lost by the supervisor" "e one-data one-data/d one-data/d/f" \
	"Accept=accepted error:NotFound:lost"
run_with_volumes "asked twice" "e one-data one-data/d one-data/d/f" \
	"Accept=close error:Exists:is_there"
end_supervisor
rm -f "$XENPOD_RUN_DIR/admin"
new_pod_with_volumes
(run_hook --net=none $uuid >"$T/out" 2>"$T/err" </dev/null)
same "volumes: no supervisor: nothing is left" "" "$(left_behind)"
new_pod_with_volumes
printf '%0.sd/' {1..130} | (cd "$pod/stage1/rootfs/opt/stage2/one/rootfs/of-one" && xargs mkdir -p)
fails "volumes: too deep to be made" "app one: volume one-data: copy /of-one of the image:" \
	run_hook --net=none $uuid
same "volumes: half made: nothing is left" "" "$(find "$pod" -maxdepth 1 -name sharedVolumes)"

# ---- a whole life
start_supervisor "Accept=accepted state running file:go ended:7"
new_pod
python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
for _ in range(2):
    print(s.recv(100).decode(), flush=True)' "$T/notify" >"$T/notified" &
notified=$!
await test -S "$T/notify"
NOTIFY_SOCKET=$T/notify run_hook --debug --net=none --local-config=/etc/rkt --hostname=h.ost \
	--ipc=private --disable-seccomp $uuid >"$T/out" 2>"$T/err" &
hook=$!
await grep -q . "$T/notified"
same "READY=1 when running" "READY=1" "$(cat "$T/notified")"
same "pid is run's own" "$hook" "$(cat "$pod/pid")"
same "net-info.json" null "$(cat "$pod/net-info.json")"
same "lock free once the supervisor has it" free "$(flock -n -s "$pod" echo free)"
same "no descriptor but its own" 0 "$(find /proc/$hook/fd -lname "*vmlinux" -o -lname "*$uuid" | wc -l)"
same "env file: defaults" "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
	"$(grep ^PATH= "$pod/stage1/rootfs/rkt/env/one")"
same "env file: the manifest's" "AC_APP_NAME=two HOME=/h" \
	"$(grep -e ^HOME= -e ^AC_ "$pod/stage1/rootfs/rkt/env/two" | sort | tr '\n' ' ' | sed 's/ $//')"
touch "$XENPOD_RUN_DIR/go"
wait $hook
same "exit code passes" 7 $?
wait $notified
same "STOPPING=1 at the end" "READY=1 STOPPING=1" "$(xargs <"$T/notified")"
says "newline in a variable is told" "NL holds a newline"
same "stdout is the apps' alone" 0 "$(stat -c %s "$T/out")"
same "no temporary files but the room for exit codes" "./one.new ./two.new" \
	"$(cd "$pod/stage1/rootfs/rkt/status" && find "$pod" ! -path '*/rkt/status/*' -name '*.new' &&
		find . -name '*.new' | sort | xargs)"
same "descriptors by name" "lock status kernel ramdisk tree/0 tree/1" \
	"$(log '" ".join(c[0]["parameters"]["fds"])')"
same "lock is the pod" "$pod" "$(log 'c[0]["fds"][0]["link"]')"
same "status is S1/rkt" "['env', 'status']" "$(log 'c[0]["fds"][1]["list"]')"
same "kernel" "$pod/stage1/rootfs/xenpod/vmlinux" "$(log 'c[0]["fds"][2]["link"]')"
same "trees are clones" "/ /" "$(log '" ".join(f["link"] for f in c[0]["fds"][4:6])')"
same "trees hold the roots" "['of-one'] ['of-two']" "$(log '"{} {}".format(*[f["list"] for f in c[0]["fds"][4:6]])')"
same "trees as described" "app0 False app1 True" \
	"$(log '" ".join("%s %s" % (t["tag"], t["read_only"]) for t in c[0]["parameters"]["trees"])')"
request='c[0]["parameters"]'
same "size" "1048576 2" "$(log "'%d %d' % (${request}['memory_kib'], ${request}['vcpus'])")"
same "guest" "h.ost 0f9d2b5e3c414c629d9e0123456789ab True" \
	"$(log "'{hostname} {machine_id} {debug}'.format(**${request}['guest'])")"
same "exec arrives unsplit" "['/bin/a', 'b c']" "$(log "${request}['guest']['apps'][0]['exec']")"
same "a newline reaches the app" "True" "$(log "'NL=a\nb' in ${request}['guest']['apps'][1]['env']")"
same "docker image" True "$(log "${request}['guest']['apps'][0]['docker']")"
same "session is asked for" "$uuid" "$(log "[x for x in c if x['method'] == 'Session'][0]['parameters']['uuid']")"

# ---- sizes
sized() { # WHAT WANTED MEMORY-JSON CPU-JSON
	new_pod
	pod_manifest "[{\"name\":\"one\",\"app\":{$app,\"isolators\":[
		{\"name\":\"resource/memory\",\"value\":{$3}},{\"name\":\"resource/cpu\",\"value\":{$4}}]}}]"
	start_supervisor "Accept=accepted ended:0"
	(run_hook --net=none $uuid 2>"$T/err")
	same "size: $1" "$2" "$(log "'%d %d' % (${request}['memory_kib'], ${request}['vcpus'])")"
}
sized "limits" "364544 3" '"limit":"256Mi"' '"limit":"2100m"'
sized "small limits" "131072 1" '"limit":"1Mi"' '"limit":"10m"'
sized "requests are no limits" "1048576 2" '"request":"1Mi"' '"request":"9"'

# ---- ends
end_of() { # WHAT STEP WANTED-STATUS TEXT
	new_pod
	start_supervisor "Accept=accepted running $2"
	local rc=0
	# a process of its own, so that death by a signal shows as such
	bash -c "cd $pod && exec 9<. && flock -x 9 && RKT_LOCK_FD=9 exec $bin/run --net=none $uuid" \
		>"$T/out" 2>"$T/err" || rc=$?
	same "end: $1" "$3" "$rc"
	[ -z "$4" ] || says "end: $1" "$4"
}
end_of "code 0" ended:0 0 ""
end_of "code 255" ended:255 255 ""
end_of "failed" ended:failed:no_memory 254 "no_memory"
end_of "no code" ended: 254 "without an exit code"
end_of "forced" ended:forced 137 "" 2>/dev/null

# ---- signals
start_signalled() {
	new_pod
	start_supervisor "$@"
	run_hook --net=none $uuid >"$T/out" 2>"$T/err" &
	hook=$!
}
start_signalled "Accept=accepted running await:Stop ended:0" "Stop=ok"
await test -e "$pod/pid"
kill -TERM $hook
wait $hook
same "TERM: exit status" 0 $?
same "TERM: graceful" False "$(log "[x for x in c if x['method'] == 'Stop'][0]['parameters']['force']")"
start_signalled "Accept=accepted running await:Stop await:Stop ended:3" "Stop=ok ok"
await test -e "$pod/pid"
kill -INT $hook
await called Stop 1
kill -INT $hook
wait $hook
same "INT twice: exit status" 3 $?
same "INT twice: the second by force" True \
	"$(log "[x for x in c if x['method'] == 'Stop'][1]['parameters']['force']")"
# Nobody reads what it says, and its stderr holds no more: the stop has its end all the same.
mkfifo "$T/full"
exec 7<>"$T/full"
dd if=/dev/zero bs=4096 count=16 status=none >&7
new_pod
start_supervisor "Accept=accepted running await:Stop ended:failed:gone" "Stop=ok"
run_hook --net=none $uuid >"$T/out" 2>&7 &
hook=$!
await test -e "$pod/pid"
kill -TERM $hook
timeout 20 tail --pid=$hook -f /dev/null
same "full stderr: the stop ends" 0 $?
[ -e /proc/$hook ] && kill -KILL $hook
wait $hook
same "full stderr: exit status" 254 $?
exec 7>&-

# ---- the supervisor goes away and comes back
start_signalled "Accept=accepted close file:held accepted running close accepted running file:go ended:4"
await grep -q "supervisor is away" "$T/err"
same "away: the lock is kept before running" "" "$(flock -n -s "$pod" echo free)"
touch "$XENPOD_RUN_DIR/held"
await called Accept 3
pid_time=$(stat -c %y "$pod/pid")
touch "$XENPOD_RUN_DIR/go"
wait $hook
same "back: exit code" 4 $?
same "back: pid was not written again" "$pid_time" "$(stat -c %y "$pod/pid")"
same "back before running: all descriptors" "lock status kernel ramdisk tree/0 tree/1" \
	"$(log "' '.join([x for x in c if x['method'] == 'Accept'][1]['parameters']['fds'])")"
same "back after running: no lock" "status" \
	"$(log "' '.join([x for x in c if x['method'] == 'Accept'][2]['parameters']['fds'])")"

start_signalled "Accept=close accepted running ended:6"
wait $hook
same "lost before accepted: asked again" 6 $?

start_signalled "Accept=accepted running close"
await grep -q "supervisor is away" "$T/err"
end_supervisor
rm -f "$XENPOD_RUN_DIR/admin"
kill -TERM $hook
sleep 0.3
restart_supervisor "Accept=accepted running await:Stop ended:0" "Stop=ok"
wait $hook
same "a stop waits for the supervisor" 0 $?

# ---- stop and gc
quietly() { # WHAT COMMAND...
	local what=$1 rc=0
	shift
	"$@" >"$T/out" 2>"$T/err" </dev/null || rc=$?
	same "$what: exit status" 0 "$rc"
	same "$what: says nothing" "" "$(cat "$T/out" "$T/err")"
}
start_supervisor "Stop=ok ok"
quietly "stop" "$bin/stop" $uuid
quietly "stop --force" "$bin/stop" --force $uuid
same "stop: as asked" "False True" "$(log "' '.join(str(x['parameters']['force']) for x in c)")"
end_supervisor
rm -f "$XENPOD_RUN_DIR/admin"
fails "stop without supervisor" "does not answer" "$bin/stop" $uuid
fails "stop without UUID" "UUID is missing" "$bin/stop" --force
fails "gc without supervisor" "does not answer" "$bin/gc" --debug --local-config /etc/rkt $uuid
start_supervisor "Stop=error:NotFound:there_is_no_pod" "Gc=ok"
fails "stop of nothing" "there_is_no_pod" "$bin/stop" $uuid
quietly "gc" "$bin/gc" --debug --local-config /etc/rkt $uuid
start_supervisor "Gc=error:NotFound:gone"
quietly "gc again" "$bin/gc" $uuid
start_supervisor "Gc=error:NotPossibleNow:stop_it_first"
fails "gc of a running pod" "stop_it_first" "$bin/gc" $uuid
if id nobody >/dev/null 2>&1; then
	chmod 755 "$T"
	chmod 600 "$XENPOD_RUN_DIR/admin"
	cp "$bin/stop" "$T/stop"
	fails "stop by nobody" "not permitted" \
		setpriv --reuid=nobody --clear-groups "$T/stop" $uuid
fi

# ---- enter
enter() { cd "$pod" && exec "$bin/enter" "$@"; }
new_pod
printf 'A=1\n' >"$pod/stage1/rootfs/rkt/env/one"
fails "enter elsewhere" "not a pod directory" sh -c "cd $T && exec $bin/enter --pid=1 -- true"
fails "enter an unknown app" "has no app \"nope\"" enter --pid=1 --appname=nope -- true
fails "enter a bad name" "not a valid app name" enter --pid=1 --appname=../one -- true
fails "enter: not UTF-8" "argument 1 " enter --pid=1 --appname=one -- a $'\xff'
start_supervisor "Session=error:NotPossibleNow:not_running_any_more"
fails "enter an ended pod" "not_running_any_more" enter --pid=1 --appname=one -- true
start_supervisor "Session=state unmap"
fails "enter: the pod ends while it waits" "has ended" enter --pid=1 --appname=one -- true
end_supervisor
rm -f "$XENPOD_RUN_DIR/admin"
fails "enter without supervisor" "does not answer" enter --pid=1 -- true

for name in run enter stop gc; do
	"$bin/$name" --help >"$T/out" 2>&1
	same "$name --help" "0 usage: $name" "$? $(head -c $((7 + ${#name})) "$T/out")"
done

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
