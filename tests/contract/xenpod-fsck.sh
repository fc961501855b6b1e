#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `xenpod fsck` on a real store of a supervisor over the simulated world: sound, beside the supervisor,
# and damaged in many ways; what is taken out is kept, and xenpodd starts again after each.
# Needs root, no Xen. The last line is `N passed, N failed`.
set -u

top=${TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
bin=${BUILD:-$top/build/release}/bin
T=$(mktemp -d)
export XENPOD_RUN_DIR=$T/run XENPOD_STATE_DIR=$T/state
daemon=
client=
cleanup() {
	[ -z "$client" ] || kill "$client" 2>/dev/null
	[ -z "$daemon" ] || kill -9 "$daemon" 2>/dev/null
	wait 2>/dev/null
	rm -rf "$T"
}
trap cleanup EXIT
passed=0
failed=0
U=11112222-3333-4444-8555-666666666666
V=1111ffff-3333-4444-8555-666666666666
DB=$T/state/store.db

same() {
	if [ "$2" = "$3" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'FAILED: %s\n    wanted: %s\n    got:    %s\n' "$1" "$2" "$3"
		sed 's/^/    /' "$T/out" "$T/err"
	fi
}
has() { # WHAT PATTERN
	if grep -qE -- "$2" "$T/out"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'FAILED: %s: nothing like "%s" in\n' "$1" "$2"
		sed 's/^/    /' "$T/out" "$T/err"
	fi
}
# fsck WHAT EXIT-STATUS ARGS...: output in $T/out, messages in $T/err.
fsck() {
	local what=$1 want=$2 rc=0
	shift 2
	"$bin/xenpod" fsck "$@" >"$T/out" 2>"$T/err" || rc=$?
	same "$what: exit status of fsck $*" "$want" "$rc"
}
member() { python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$T/out" "$1"; }
wait_for() {
	for _ in $(seq 150); do
		! eval "$1" || return 0
		sleep 0.1
	done
	echo "    never: $1"
	return 1
}
sql() { sqlite3 "$DB" "PRAGMA foreign_keys=OFF; PRAGMA ignore_check_constraints=ON; $1"; }
start() {
	"$bin/xenpodd" --world=sim --state-dir="$XENPOD_STATE_DIR" --run-dir="$XENPOD_RUN_DIR" \
		--cgroup-root= >"$T/log" 2>&1 </dev/null &
	daemon=$!
	# shellcheck disable=SC2016 # wait_for expands it, each time
	wait_for '"$bin/xenpod-status" --json 2>/dev/null | grep -q "\"state\": \"running\""'
}
stop() { # SIGNAL
	kill "-$1" "$daemon"
	wait "$daemon" 2>/dev/null
	daemon=
	rm -rf "$T/run"
}

# Hands pods to the supervisor as `run` does, and holds on to them.
cat >"$T/accept.py" <<'END'
import array, fcntl, json, os, socket, sys
base = sys.argv[1]
fds = []
for uuid in sys.argv[2:]:
    pod = f"{base}/pods/{uuid}"
    os.makedirs(pod + "/rkt/status")
    s = socket.socket(socket.AF_UNIX)
    s.connect(os.environ["XENPOD_RUN_DIR"] + "/admin")
    lock = os.open(pod, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    files = [lock] + [os.open(p, os.O_RDONLY) for p in (pod + "/rkt", "/bin/sh", "/bin/sh", pod)]
    app = {"name": "web", "tag": "a0", "exec": ["sim", "forever"], "user": "0", "group": "0",
           "gids": [], "cwd": "/", "env": [], "read_only": False, "docker": False, "stdin": "null"}
    guest = {"version": 1, "uuid": uuid, "hostname": "h", "machine_id": uuid.replace("-", ""),
             "generation": 1, "debug": False, "streams": False, "grace_ms": 8000, "apps": [app]}
    request = {"uuid": uuid, "dir": pod, "owner": "xenpod", "type": "auto", "memory_kib": 131072,
               "vcpus": 1, "net": "none", "trees": [{"tag": "a0", "read_only": False, "recursive": True}],
               "fds": ["lock", "status", "kernel", "ramdisk", "tree/0"], "guest": guest}
    call = {"method": "io.xenpod.Accept", "parameters": request, "more": True}
    s.sendmsg([json.dumps(call).encode() + b"\0"],
              [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))])
    fds.append((s, files))
for s, _ in fds:
    while s.recv(65536):
        pass
END

# ---- no store, usage ------------------------------------------------------------------------------

fsck "no store" 8
same "no store: one line" 1 "$(grep -c 'no store at' "$T/err")"
fsck "usage" 16 --nope
fsck "usage" 16 all
fsck "help" 0 --help
has "help" '^is wrong still; 8 it could not'

# ---- beside a supervisor --------------------------------------------------------------------------

start
python3 "$T/accept.py" "$T" $U $V >"$T/accept.log" 2>&1 &
client=$!
# shellcheck disable=SC2016
wait_for '"$bin/xenpod-status" | grep -c " running " | grep -qx 2'
fsck "with a supervisor" 0
has "with a supervisor" '^nothing is wrong$'
fsck "with a supervisor" 0 --json
same "with a supervisor: JSON" "True 0 0 []" \
	"$(member '" ".join(str(d[m]) for m in ("supervisor", "found", "exit", "findings"))')"
fsck "with a supervisor" 8 --repair
same "with a supervisor: says so" 1 "$(grep -c 'stop it first' "$T/err")"
same "records" "$U $V" "$(cd "$T/state/records" && echo *)"
same "the id" "$(sqlite3 "$DB" "SELECT value FROM meta WHERE key='store_id'")" "$(cat "$DB.id")"
stop KILL
kill "$client" 2>/dev/null
wait "$client" 2>/dev/null
client=
fsck "killed" 0
has "killed" '^nothing is wrong$'
sqlite3 "$DB" 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
cp -a "$T/state" "$T/golden"

# ---- damages --------------------------------------------------------------------------------------

fresh() {
	rm -rf "$T/state"
	cp -a "$T/golden" "$T/state"
}
kept() { find "$T/state" -name "store.db.$1-*" ! -name '*-wal' ! -name '*-shm' | wc -l; }
# case WHAT PATTERN REPAIR-STATUS AFTER-STATUS: found; repaired; looked at again; xenpodd starts.
damaged() {
	local before
	before=$(cd "$T/state" && sha256sum store.db 2>/dev/null)
	fsck "$1" 4
	has "$1" "$2"
	same "$1: nothing was changed" "$before" "$(cd "$T/state" && sha256sum store.db 2>/dev/null)"
	fsck "$1" "$3" --repair
	fsck "$1, repaired" "$4"
}

fresh
sql "UPDATE pods SET state='odd' WHERE uuid='$U'"
damaged "a state that is none" "^repairable: pods: .$U.: there is no state 'odd'" 1 0
same "a row is kept" 1 "$(kept aside)"
same "the other pod stays" "$V" "$(sqlite3 "$DB" 'SELECT uuid FROM pods')"
same "what is kept is SQL" "INSERT INTO pods INSERT INTO requests INSERT INTO apps" \
	"$(grep -oE '^INSERT INTO (pods|requests|apps)' "$T"/state/store.db.aside-* | tr '\n' ' ' | sed 's/ $//')"
sqlite3 "$DB" <"$(echo "$T"/state/store.db.aside-*)"
same "it can be put back" 2 "$(sqlite3 "$DB" 'SELECT count(*) FROM pods')"

fresh
sql "UPDATE requests SET request='{' WHERE uuid='$V'"
damaged "a request that is no JSON" "^repairable: pods: .$V.: what was asked for it is no JSON" 1 0

fresh
sql "DELETE FROM pods WHERE uuid='$U'"
damaged "rows of no pod" "^repairable: apps: belongs to no pod \('$U'\)" 1 0
same "rows of no pod are kept" 1 "$(kept aside)"

fresh
sql "INSERT INTO outbox (uuid, generation, seq, ord, effect) VALUES ('$U', 1, 99, 0, 'dance')"
damaged "an effect that is none" "^repairable: outbox: $U: there is no effect 'dance'" 1 0

fresh
sql "UPDATE history SET uuid='?' WHERE seq=1"
damaged "a history of nobody" "^repairable: history: number 1: its pod is '\?'" 1 0

fresh
sqlite3 "$DB" "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql=replace(sql, '(uuid, seq)',
	'(uuid, seq) WHERE uuid > ''x''') WHERE name='history_of_pod'"
sqlite3 "$DB" "INSERT INTO history (uuid, at, event, from_state, to_state, cause, domid, generation)
	VALUES ('$U', 1, 'e', 'f', 't', '', -1, 0); PRAGMA writable_schema=ON; UPDATE sqlite_schema
	SET sql='CREATE INDEX history_of_pod ON history (uuid, seq)' WHERE name='history_of_pod'"
damaged "an index that lacks an entry" "^repairable: .*index history_of_pod" 1 0

fresh
dd if=/dev/urandom of="$DB" bs=1 count=64 conv=notrunc status=none
damaged "a header of noise" '^repairable: .*not a database' 1 4
same "it is kept" 1 "$(kept corrupt)"

fresh
dd if=/dev/urandom of="$DB" bs=4096 seek=1 count=20 conv=notrunc status=none
damaged "pages of noise" '^repairable: .*(malformed|damaged|store.db)' 1 4
same "it is kept" 1 "$(kept corrupt)"

fresh
: >"$DB"
damaged "an empty file" '^fault: .*is empty' 4 4

fresh
rm -f "$DB" "$DB-wal" "$DB-shm"
damaged "no file" '^fault: .*is missing' 4 4

fresh
rm "$DB.id"
damaged "no id" '^repairable: .*store.db.id is missing' 1 0

fresh
sql 'PRAGMA user_version=4711'
damaged "a newer store" '^fault: .*upgrade xenpod' 4 4

fresh
sql "UPDATE pods SET state='destroying' WHERE uuid='$U'"
damaged "a state without work" "^fault: pod $U is destroying, and nothing" 4 4

fresh
mv "$T/pods/$U" "$T/elsewhere"
damaged "a pod without its directory" "^fault: pod $U is running, and its directory" 4 4
mv "$T/elsewhere" "$T/pods/$U"

fresh
mkdir "$T/pods/33332222-3333-4444-8555-666666666666"
fsck "a directory without its pod" 0
has "a directory without its pod" '^note: .*/33332222-.* is of a pod that the store does not know'

# ---- lost, and a start ----------------------------------------------------------------------------

# The simulated domains went with their supervisor: what is found has ended.
fresh
id=$(cat "$DB.id")
dd if=/dev/urandom of="$DB" bs=1 count=64 conv=notrunc status=none
start
same "damaged: said in the log" 1 "$(grep -c '^xenpodd: the database was lost: .*not a database' "$T/log")"
same "damaged: the same id" "$id" "$(sqlite3 "$DB" "SELECT value FROM meta WHERE key='store_id'")"
same "damaged: kept" 1 "$(kept corrupt)"
# shellcheck disable=SC2016
wait_for '"$bin/xenpod-status" 2>/dev/null | grep -c " exited " | grep -qx 2'
"$bin/xenpod-status" >"$T/out" 2>"$T/err"
same "damaged: status says so" 1 "$(grep -c "database was lost at .*; what was left is $DB.corrupt-" "$T/err")"
"$bin/xenpod-status" $U >"$T/out" 2>"$T/err"
has "damaged: why it ended" 'record-lost|lost with the database'
fsck "damaged" 0
has "damaged: fsck says so" '^note: the database was lost and built anew'
stop TERM
start
same "a start later nothing is lost" 0 "$(grep -c 'the database was lost' "$T/log")"
stop TERM

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
