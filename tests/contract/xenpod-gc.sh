#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `xenpod gc` beside a real supervisor over the simulated world: domains that no pod accounts for, in
# the dry run and after it. Needs root, no Xen. The last line is `N passed, N failed`.
set -u

top=${TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
bin=${BUILD:-$top/build/release}/bin
T=$(mktemp -d)
export XENPOD_RUN_DIR=$T/run XENPOD_STATE_DIR=$T/state
daemon=
cleanup() {
	[ -z "$daemon" ] || kill "$daemon" 2>/dev/null
	wait 2>/dev/null
	rm -rf "$T"
}
trap cleanup EXIT
passed=0
failed=0
O=0a0a0a0a-1111-4222-8333-444444444444
S=0b0b0b0b-1111-4222-8333-444444444444
L=0c0c0c0c-1111-4222-8333-444444444444

same() {
	if [ "$2" = "$3" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'FAILED: %s\n    wanted: %s\n    got:    %s\n' "$1" "$2" "$3"
	fi
}
# gc WHAT EXIT-STATUS ARGS...: output in $T/out, messages in $T/err.
gc() {
	local what=$1 want=$2 rc=0
	shift 2
	"$bin/xenpod" gc --dir="$T/data" "$@" >"$T/out" 2>"$T/err" || rc=$?
	same "$what: exit status" "$want" "$rc"
}
row() { same "$1" 1 "$(grep -cE -- "$2" "$T/out")"; } # WHAT PATTERN
# member EXPRESSION of the document d in $T/out
member() { python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$T/out" "$1"; }
call() { # SOCKET METHOD: one varlink call, its reply in $T/out
	python3 - "$XENPOD_RUN_DIR/$1" "$2" >"$T/out" <<'END'
import json, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(json.dumps({"method": "io.xenpod." + sys.argv[2]}).encode() + b"\0")
text = b""
while b"\0" not in text:
    text += s.recv(65536)
print(text.split(b"\0")[0].decode())
END
}
health() { call status Health && member "d['parameters']['$1']"; }
wait_for() { # COMMAND WANTED
	for _ in $(seq 150); do
		[ "$($1)" != "$2" ] || return 0
		sleep 0.1
	done
	echo "    never: $1"
	return 1
}

# Three pods of a data directory: one runs, one has ended, one was marked before.
mkdir -p "$T"/data/pods/{embryo,prepare,prepared,run,exited-garbage,garbage}
R=11112222-3333-4444-8555-666666666666
X=22222222-3333-4444-8555-666666666666
G=33332222-3333-4444-8555-666666666666
mkdir "$T/data/pods/run/$R" "$T/data/pods/run/$X" "$T/data/pods/exited-garbage/$G"
exec 9<"$T/data/pods/run/$R"
flock 9
tree() { (cd "$T/data" && find . | sort); }
tree >"$T/before"

# ---- no supervisor --------------------------------------------------------------------------------

gc "no supervisor" 0 --dry-run --json
same "no supervisor: says so" 1 "$(grep -c 'orphaned domains are not shown' "$T/err")"
same "no supervisor: JSON says so" False "$(member 'd["supervisor"]')"
same "pods" "[('$X', 'mark', None), ('$G', 'wait', True)]" \
	"$(member '[(p["uuid"], p["action"], p["due"] and p["due"] > 1) for p in d["pods"]]')"
gc "without any grace" 0 --dry-run --json --grace-period=0
same "pods, without any grace" "['remove', 'remove']" "$(member '[p["action"] for p in d["pods"]]')"
gc "--json alone" 254 --json
same "--json alone: one line" 1 "$(grep -c 'goes with --dry-run' "$T/err")"
same "a dry run changes nothing" "" "$(tree | diff "$T/before" -)"

# ---- with a supervisor -------------------------------------------------------------------------------

cat >"$T/script" <<END
orphan $O
stranger $S
END
"$bin/xenpodd" --world=sim --state-dir="$XENPOD_STATE_DIR" --run-dir="$XENPOD_RUN_DIR" --cgroup-root= \
	--sim-script="$T/script" --orphan-grace=3000 >"$T/log" 2>&1 </dev/null &
daemon=$!
dry() { "$bin/xenpod" gc --dir="$T/data" --dry-run 2>/dev/null | grep -cE "^domain +$O +[0-9]+ +waiting +in "; }
wait_for dry 1
: >"$XENPOD_RUN_DIR/lock/$L"
gc "table" 0 --dry-run
same "table: headings" 1 "$(head -n 1 "$T/out" | grep -cE '^WHAT +UUID +DOMID +ACTION +WHEN +WHY *$')"
row "table: a pod" "^pod +$X +- +mark +- +run *$"
row "table: a pod that waits" "^pod +$G +- +wait +in [0-9]+s +exited-garbage *$"
row "table: the orphan" "^domain +$O +[0-9]+ +waiting +in [0-9]{4}s +no pod has this UUID *$"
row "table: a leftover" "^lock +$L +- +kept +- +no pod of this supervisor has this UUID *$"
same "no word of the stranger" 0 "$(grep -c "$S" "$T/out")"
same "no word of the pod that runs" 0 "$(grep -c "$R" "$T/out")"
gc "JSON" 0 --dry-run --json
same "JSON" "True $O 1 running waiting True" "$(member \
	'" ".join(str(x) for x in [d["supervisor"]] + [d["domains"][0][k] for k in ("uuid", "generation", "state", "action")] + [d["domains"][0]["due"] - d["domains"][0]["since"] > 2990e9])')"
same "JSON: a leftover" "$XENPOD_RUN_DIR/lock/$L" \
	"$(member '[l["path"] for l in d["leftovers"] if l["kind"] == "lock"][0]')"
same "first seen: one line in the log" 1 "$(grep -c "has the mark of this store, but no pod has this UUID" "$T/log")"
same "none collected" 0 "$(health orphans_collected)"
call status Collect
same "Collect is for the admin socket" io.xenpod.Denied "$(member 'd["error"]')"

# ---- now ----------------------------------------------------------------------------------------------

cat >"$T/watch.py" <<'END'
import os, socket
s = socket.socket(socket.AF_UNIX)
s.connect(os.environ["XENPOD_RUN_DIR"] + "/status")
s.sendall(b'{"method": "io.xenpod.Watch", "more": true}\0')
print("watching", flush=True)
while text := s.recv(65536):
    print(text.replace(b"\0", b"\n").decode(), end="", flush=True)
END
python3 "$T/watch.py" >"$T/watched" 2>&1 &
watches() { grep -c watching "$T/watched"; }
wait_for watches 1
gc "gc" 0
same "gc: tells of the domain" 1 "$(grep -c "$O: no pod has this UUID" "$T/err")"
collected() { health orphans_collected; }
wait_for collected 1
same "collected: one line in the log" 1 "$(grep -c "(pod $O, generation 1) is collected" "$T/log")"
told() { grep -c orphan-collected "$T/watched"; }
wait_for told 1
cp "$T/watched" "$T/out"
row "a watcher is told of the decision" "\"$O\".*\"event\": ?\"orphan-collect\""
row "a watcher is told of the end" "\"$O\".*\"event\": ?\"orphan-collected\""
gc "afterwards" 0 --dry-run --json
same "afterwards: none" "[]" "$(member 'd["domains"]')"
"$bin/xenpod-status" --json "$O" >"$T/out"
same "history" "orphan-collect destroying orphan-collected gone" \
	"$(member '" ".join(h["event"] + " " + h["to"] for h in d["history"])')"
same "history: why" "no pod has this UUID" "$(member 'd["history"][0]["cause"]')"

printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
