# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What suites of tools beside a supervisor share: checks, a supervisor on the simulated world, pods handed to it.
# To be read by bash with `.`; needs root.

# shellcheck source-path=SCRIPTDIR source=checks.bash
. "$(dirname "${BASH_SOURCE[0]}")/checks.bash"
export XENPOD_RUN_DIR=$T/run XENPOD_STATE_DIR=$T/state
daemon=
clients=
cleanup() {
	exec 2>/dev/null # bash tells of a job that was killed whenever it notices: the count stays the last line
	# shellcheck disable=SC2086 # a list of processes
	[ -z "$clients" ] || kill $clients
	[ -z "$daemon" ] || kill -9 "$daemon"
	wait
	rm -rf "$T"
}
trap cleanup EXIT
what_was=

has() {
	if grep -qE -- "$2" "$T/out"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'FAILED: %s: nothing like "%s" in\n' "$1" "$2"
		sed 's/^/    /' "$T/out"
	fi
}
# status WHAT EXIT-STATUS ARGS...: output in $T/out, messages in $T/err.
status() {
	local what=$1 want=$2 rc=0
	what_was=$1
	shift 2
	"$bin/xenpod-status" "$@" >"$T/out" 2>"$T/err" || rc=$?
	same "$what: exit status" "$want" "$rc"
}
# tool WHAT EXIT-STATUS COMMAND...: the same of any program.
tool() {
	local what=$1 want=$2 rc=0
	what_was=$1
	shift 2
	"$@" >"$T/out" 2>"$T/err" </dev/null || rc=$?
	same "$what: exit status ($(head -c 200 "$T/err"))" "$want" "$rc"
}
# valid NAME [FILE]: what was shown is what the schema calls so.
valid() { same "schema: $1: ${2:-$what_was}" 1 "$(python3 "$top/tests/contract/schema.py" "$1" "${2:-$T/out}")"; }
# member FILE EXPRESSION of the document d
member() { python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$1" "$2"; }
wait_for() {
	for _ in $(seq 600); do
		! eval "$1" || return 0
		sleep 0.1
	done
	echo "    never: $1"
	return 1
}

# Hands a pod to the supervisor as `run` does, and holds on to it.
cat >"$T/accept.py" <<'END'
import array, fcntl, json, os, selectors, signal, socket, sys
base = sys.argv[1]
fds = []
for word in sys.argv[2:]:  # UUID[=WHAT,...][:NAME][@POLICY]
    word, _, policy = word.partition("@")
    word, _, name = word.partition(":")
    uuid, _, what = word.partition("=")
    pod = f"{base}/pod-{uuid}"
    os.makedirs(pod + "/rkt/status")
    s = socket.socket(socket.AF_UNIX)
    s.connect(os.environ["XENPOD_RUN_DIR"] + "/admin")
    lock = os.open(pod, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    files = [lock] + [os.open(p, os.O_RDONLY) for p in (pod + "/rkt", "/bin/sh", "/bin/sh", pod)]
    what = ["sim"] + what.split(",") if what else ["/bin/sh"]
    app = {"name": name or "web", "tag": "a0", "exec": what, "user": "0", "group": "0", "gids": [],
           "cwd": "/", "env": ["SECRET=hush"], "read_only": False, "docker": False, "stdin": "null"}
    guest = {"version": 1, "uuid": uuid, "hostname": "h", "machine_id": uuid.replace("-", ""),
             "generation": 1, "debug": False, "streams": False, "grace_ms": 8000, "apps": [app]}
    request = {"uuid": uuid, "dir": pod, "owner": "xenpod", "type": "auto", "memory_kib": 131072,
               "vcpus": 1, "net": "none", "trees": [{"tag": "a0", "read_only": False, "recursive": True}],
               "fds": ["lock", "status", "kernel", "ramdisk", "tree/0"], "guest": guest}
    if uuid.startswith("3"):
        app["mounts"] = [{"path": "/data", "tag": "a0", "sub": "", "read_only": True}]
    if policy:
        request["restart"] = {"policy": policy}
    if uuid.startswith("3"):
        nets = [{"name": name, "file": f"1{i}-{name}.conf", "path": "/x", "builtin": False,
                 "version": "0.4.0", "disable_check": False, "ifname": f"eth{i}",
                 "plugins": [{"type": "ptp", "name": name, "cniVersion": "0.4.0"}]}
                for i, name in enumerate(("front", "back"))]
        request.update(net="front, back", network={"nets": nets, "path": ["/nowhere"]})
    call = {"method": "io.xenpod.Accept", "parameters": request, "more": True}
    s.sendmsg([json.dumps(call).encode() + b"\0"],
              [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))])
    s.setblocking(True)
    fds.append((s, files))
# As `run`: the lock is let go when the pod has ended. Beside QEMU nobody else has it without a supervisor, so it
# is kept then.
ready = selectors.DefaultSelector()
for s, files in fds:
    ready.register(s, selectors.EVENT_READ, files)
while ready.get_map():
    for key, _ in ready.select():
        got = key.fileobj.recv(65536)
        if b'"event":"ended"' in got:
            os.close(key.data[0])
        if not got:
            ready.unregister(key.fileobj)
signal.pause()
END

# supervise [ARGS...]: a supervisor on the simulated world; its log is $T/log.
supervise() {
	"$bin/xenpodd" --world=sim --state-dir="$XENPOD_STATE_DIR" --run-dir="$XENPOD_RUN_DIR" \
		--cgroup-root= --console-dir="$T" "$@" >"$T/log" 2>&1 </dev/null &
	daemon=$!
	# shellcheck disable=SC2016 # wait_for expands it, each time
	wait_for '"$bin/xenpod-status" --health >/dev/null 2>&1'
}
# accept UUID[=WHAT,...][:NAME][@POLICY]...: hands pods over and holds on to them.
accept() {
	python3 "$T/accept.py" "$T" "$@" >>"$T/accept.log" 2>&1 &
	clients="$clients $!"
}
