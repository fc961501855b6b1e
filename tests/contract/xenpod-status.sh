#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `xenpod-status` beside a real supervisor over the simulated world: the table, one pod, JSON, and
# the same from the store after the supervisor was killed. Needs root, no Xen.
# The last line is `N passed, N failed`.
set -u

# shellcheck source-path=SCRIPTDIR source=statuskit.bash
. "$(dirname "$0")/statuskit.bash"
U=11112222-3333-4444-8555-666666666666
V=1111ffff-3333-4444-8555-666666666666
W=2222ffff-3333-4444-8555-666666666666
N=3333ffff-3333-4444-8555-666666666666

# ---- nobody there ---------------------------------------------------------------------------------

status "no supervisor, no store" 4
same "no supervisor: one line" 1 "$(wc -l <"$T/err")"
chmod 755 "$T"
cp "$bin/xenpod-status" "$T/copy"
rc=0
runuser -u nobody -- "$T/copy" >"$T/out" 2>"$T/err" || rc=$?
same "no supervisor, not root: exit status" 4 "$rc"
same "no supervisor, not root: one line" 1 "$(grep -c 'only root may read' "$T/err")"
status "health, no supervisor" 5 --health
same "health, no supervisor: one line" "1 0" "$(wc -l <"$T/err") $(wc -c <"$T/out")"
status "health, no supervisor, JSON" 5 --health --json
status "health of a pod" 254 --health $U
status "usage" 254 --nope
status "two pods, nobody to ask" 4 a b
status "help" 0 --help
has "help" '^  4 +the supervisor does not answer'
status "version" 0 --version
has "version" '^xenpod-status [0-9]'

# ---- with a supervisor -------------------------------------------------------------------------------

supervise
status "no pods" 0 --json
same "no pods: JSON" "[] supervisor" "$(member "$T/out" 'str(d["pods"]) + " " + d["source"]')"
printf 'Out of memory: Killed process 7\r\n\033[31mred\r\n' >"$T/guest-$W.log"
accept $U $V $W=oom $N
# shellcheck disable=SC2016
wait_for '"$bin/xenpod-status" | grep -c "^[13].* running " | grep -qx 3'
# shellcheck disable=SC2016
wait_for '"$bin/xenpod-status" 2222 | grep -q "^state *exited"'
status "ended for want of memory" 0 2222
has "oom: why" '^why +oom'
has "oom: code" '^exit code +137'
has "oom: app" '^web +oom +SIGKILL'
has "oom: console" '^console: +Out of memory: Killed process 7$'
has "oom: harmless console" '^console: +\?\[31mred$'
status "oom, JSON" 0 --json $W
same "oom, JSON" "oom 9 137" \
	"$(member "$T/out" '"%s %s %s" % (d["pod"]["apps"][0]["state"], d["pod"]["apps"][0]["signal"], d["pod"]["code"])')"
cp "$T/out" "$T/oom.json"
status "table" 0
has "table: headings" '^UUID +STATE +DOMID +APPS +NETWORKS +AGE +WHY'
ip='10(\.[0-9]+){3}'
has "table: networks" "^3333ffff +running +[0-9]+ +web=running +front=$ip back=$ip +[0-9]+s"
has "table: an end for want of memory" '^2222ffff +exited +- +web=SIGKILL +- +[0-9]+s +oom$'
has "table: a pod" '^11112222 +running +[0-9]+ +web=running +- +[0-9]+s'
status "table, full, bare" 0 --full --no-legend
same "oldest first" "$U" "$(head -n 1 "$T/out" | cut -d' ' -f1)"
same "no legend, two pods" 2 "$(grep -c "^1111" "$T/out")"
same "no legend" 4 "$(wc -l <"$T/out")"
has "full" "^$U running"
status "one" 0 11112
has "one: UUID" "^pod +$U"
has "one: size" '^size +128 MiB, 1 vCPUs, network none'
has "one: side by side" '^up +running +running +held \(taken by process [0-9]+\)$'
has "one: what it uses" '^uses +[0-9.]+ s CPU time, 128 MiB memory \(seen [0-9]+s ago\)$'
has "one: uptime" '^uptime +[0-9.]+m?s$'
has "one: ledger" '^holds +domain'
has "one: app" '^web +running +- +20'
has "one: history" '^ *[0-9]+ +20[0-9-]+ [0-9:.]+ +guest-running +booting +running'
same "one: no secrets" 0 "$(grep -c hush "$T/out")"
status "one, upper case" 0 1111F
has "one, upper case" "^pod +$V"
status "networks" 0 3333
networks() { # WHAT: of one pod, in $T/out
	has "$1: names" '^size +128 MiB, 1 vCPUs, network front, back$'
	has "$1: the first" "^network +eth0 \\(front\\) $ip/16$"
	has "$1: the second" "^network +eth1 \\(back\\) $ip/16$"
	same "$1: no more" 2 "$(grep -c '^network' "$T/out")"
	has "$1: volume" '^volume +web:/data \(empty, read-only\)$'
}
networks "networks"
grep '^network' "$T/out" >"$T/networks"
status "networks, JSON" 0 --json $N
same "networks, JSON" "front eth0 10-front.conf, back eth1 11-back.conf" \
	"$(member "$T/out" '", ".join("%(name)s %(ifname)s %(file)s" % n for n in d["pod"]["networks"])')"
same "networks, JSON: the first address, dotted" True \
	"$(member "$T/out" 'all(n["addresses"] == [n["ip"] + "/16"] and n["mask"] == "255.255.0.0" for n in d["pod"]["networks"])')"
cp "$T/out" "$T/networks.json"
valid show
status "one, JSON" 0 --json $U
same "one, JSON: no networks" "[]" "$(member "$T/out" 'd["pod"]["networks"]')"
same "one, JSON" "running None" "$(member "$T/out" 'd["pod"]["word"] + " " + str(d["pod"]["code"])')"
same "one, JSON: no secrets" 0 "$(grep -c hush "$T/out")"
cp "$T/out" "$T/live.json"
status "health" 0 --health
has "health: supervisor" '^supervisor +ok +xenpodd [0-9.]+, world sim, 4 pods, [0-9]+ connections'
has "health: sensors" '^sensors +ok +libxl answers$'
has "health: xenstored" '^xenstored +ok '
has "health: store" '^store +ok +[1-9][0-9]* commits, id [0-9a-f]{32}$'
has "health: queue" '^queue +ok +0 events wait, at most [1-9]'
has "health: loop" '^loop +ok +longest turn [0-9]+\.[0-9] ms, 99 of 100 within [0-9]+\.[0-9] ms$'
for counter in events_missed orphans_collected commit_retries rejected; do
	has "health: $counter" "^$counter +0 +.*should be 0"
done
has "health: turns" '^turns +[1-9]'
status "health, JSON" 0 --health --json
same "health, JSON: a long turn of the loop, and most are short" True \
	"$(member "$T/out" 'd["stall_max_ns"] >= d["stall_p99_ns"] > 0 and d["batch_max_ns"] > 0')"
same "health, JSON: nothing missed" "0 0 True" \
	"$(member "$T/out" '"%d %d %s" % (d["events_missed"], d["commit_retries"], d["audit_corrections"] >= 0)')"
status "several" 254 1111
same "several: says so" 1 "$(grep -c 'matches 2 pods' "$T/err")"
status "unknown prefix" 1 abc
status "unknown UUID" 1 99992222-3333-4444-8555-666666666666
"$bin/xenpod" status --json >"$T/out"
same "xenpod status is the same program" 4 "$(member "$T/out" 'len(d["pods"])')"
if command -v script >/dev/null; then
	script -qec "TERM=xterm $bin/xenpod-status" /dev/null >"$T/out"
	has "colour on a terminal" $'\033'
	script -qec "TERM=xterm NO_COLOR=1 $bin/xenpod-status" /dev/null >"$T/out"
	same "NO_COLOR" 0 "$(grep -c $'\033' "$T/out")"
fi

# ---- the counters in the log: at the end, and not before -----------------------------------------------

same "no counters while nothing grows" 0 "$(grep -c 'counters' "$T/log")"

# ---- killed: the same from the store -------------------------------------------------------------------

# What the hypervisor says of a domain is no one's to tell any more.
stored() { # FILE MEMBER
	member "$1" "dict(d['$2'], domain=None) if '$2' == 'pod' else d['$2']"
}

kill -9 "$daemon"
wait "$daemon" 2>/dev/null
daemon=
status "from the store" 0 --json $U
same "from the store: says so" 1 "$(grep -c "this is from $T/state/store.db" "$T/err")"
same "from the store: no secrets" 0 "$(grep -c hush "$T/out")"
cp "$T/out" "$T/stored.json"
valid show
same "live: the domain" running "$(member "$T/live.json" "d['pod']['domain']['state']")"
same "from the store: no domain" None "$(member "$T/stored.json" "d['pod']['domain']")"
for key in pod history ledger volumes console; do
	same "from the store: the same $key" "$(stored "$T/live.json" $key)" "$(stored "$T/stored.json" $key)"
done
status "oom, from the store" 0 --json $W
for key in pod console; do
	same "oom, from the store: the same $key" "$(stored "$T/oom.json" $key)" "$(stored "$T/out" $key)"
done
status "networks, from the store" 0 --json $N
for key in pod history ledger volumes; do
	same "networks, from the store: the same $key" "$(stored "$T/networks.json" $key)" "$(stored "$T/out" $key)"
done
status "networks, from the store" 0 $N
networks "networks, from the store"
same "networks, from the store: the same lines" "$(cat "$T/networks")" "$(grep '^network' "$T/out")"
status "from the store, table" 0
has "from the store, table: networks" "^3333ffff +running .* front=$ip back=$ip "
has "from the store, table" '^11112222 running'
status "from the store, unknown" 1 abc
status "health, killed" 5 --health

# ---- more pods than one message holds; at the end the counters of this life are in the log -------------

sqlite3 "$XENPOD_STATE_DIR/store.db" >/dev/null "
	CREATE TEMP TABLE more AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
		SELECT printf('44440000-0000-4000-8000-%012d', i) AS uuid FROM n;
	CREATE TEMP TABLE one AS SELECT * FROM pods WHERE uuid = '$W';
	INSERT INTO pods SELECT more.uuid, state, want, seq, generation, domid, deadline_ns, boot_id, cause,
		message, code, forced, qemu_pid, qemu_start, lock_dev, lock_ino, created_at, started_at, ended_at
		FROM one, more;
	INSERT INTO requests SELECT more.uuid, request FROM requests r, more WHERE r.uuid = '$W';
	INSERT INTO apps SELECT more.uuid, idx, name, state, code, signal, seq, started_at, ended_at, message
		FROM apps a, more WHERE a.uuid = '$W';"

supervise
status "many" 0 --no-legend --full
same "many: all, each once" "1504 1504" "$(wc -l <"$T/out") $(sort -u "$T/out" | wc -l)"
status "many, JSON" 0 --json
same "many, JSON" "1504 supervisor" \
	"$(member "$T/out" 'str(len({p["uuid"] for p in d["pods"]})) + " " + d["source"]')"
same "many: not in one answer" io.xenpod.Full "$(python3 -c '
import json, os, socket
s = socket.socket(socket.AF_UNIX)
s.connect(os.environ["XENPOD_RUN_DIR"] + "/status")
s.sendall(json.dumps({"method": "io.xenpod.List"}).encode() + b"\0")
print(json.loads(s.recv(65536).split(b"\0")[0]).get("error"))')"
kill "$daemon"
wait "$daemon" 2>/dev/null
daemon=
same "counters at the end: one line" 1 "$(grep -c 'counters at the end' "$T/log")"

finish
