#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What people see: the programs on a real terminal of 80 and of 200 columns, with and without colour, and on a dumb
# one; what they have shown is looked at through a terminal's eyes. xenpod and the stage1's hooks as they are, a
# supervisor on the simulated world. Needs root; everything happens in a mount namespace of its own. No Xen.
# The last line is `N passed, N failed`.
set -u

if [ "${XENPOD_TEST_NS:-}" != 1 ]; then
	exec env XENPOD_TEST_NS=1 unshare --mount --propagation private "$0" "$@"
fi
# shellcheck source-path=SCRIPTDIR source=statuskit.bash
. "$(dirname "$0")/statuskit.bash"
unmount() {
	awk -v t="$T/" 'index($5, t) == 1 { print $5 }' /proc/self/mountinfo | tac | xargs -r umount -l
}
# A test that failed half-way leaves run processes, which wait for a supervisor to return.
end_runs() {
	for process in /proc/[0-9]*; do
		case $(readlink "$process/cwd" 2>/dev/null) in
		"$T"/data/*) kill -9 "${process#/proc/}" ;;
		esac
	done
}
trap 'end_runs; unmount; cleanup' EXIT
cd "$T" || exit 1

# on COLUMNS LOOK SECONDS KEYS COMMAND...: on such a terminal; LOOK is colour, NO_COLOR or dumb. What it wrote is in
# $T/raw, what it showed in $T/screens; its exit status.
on() {
	local columns=$1 look=$2 seconds=$3 keys=$4 rc=0
	local -a env=(env -u NO_COLOR TERM=xterm)
	shift 4
	[ "$look" != NO_COLOR ] || env=(env NO_COLOR=1 TERM=xterm)
	[ "$look" != dumb ] || env=(env -u NO_COLOR TERM=dumb)
	"${env[@]}" LC_ALL=C.UTF-8 python3 "$top/tests/contract/onpty.py" "$columns" 24 "$seconds" ${keys:+"$keys"} -- \
		"$@" >"$T/raw" || rc=$?
	/usr/bin/python3 "$top/tests/contract/screens.py" "$columns" 24 <"$T/raw" >"$T/screens"
	return $rc
}
# screens EXPRESSION: of s, all that was shown; p, the lines of progress.
screens() {
	python3 -c 'import json, re, sys
s = json.load(open(sys.argv[1]))
p = [x["lines"][x["row"]] for x in s if x["row"] < len(x["lines"])]
def like(pattern): return [l for l in p if re.fullmatch(pattern, l)]
print(eval(sys.argv[2]))' "$T/screens" "$1"
}
# says WHAT EXPRESSION WANTED
says() {
	local got
	got=$(screens "$2" 2>&1)
	same "$1" "$3" "$got"
	[ "$got" = "$3" ] || screens 'p' | head -c 2000
}
escapes() { grep -c $'\x1b' "$T/raw"; }

# ---- a world that takes its time --------------------------------------------------------------------------

cat >script <<'END'
latency create 1300ms
latency boot 1300ms
latency app 50ms
latency poweroff 50ms
latency destroy 1500ms
END
mkdir -p s1/rootfs/rkt/status s1/rootfs/opt/stage2 s1/rootfs/etc s1/rootfs/xenpod
cat >s1/manifest <<'END'
{"acKind":"ImageManifest","acVersion":"0.8.11","name":"xenpod.io/test/stage1",
"labels":[{"name":"version","value":"1"},{"name":"os","value":"linux"}],
"annotations":[{"name":"coreos.com/rkt/stage1/run","value":"/run"},
{"name":"coreos.com/rkt/stage1/stop","value":"/stop"},
{"name":"coreos.com/rkt/stage1/gc","value":"/slow-gc"},
{"name":"coreos.com/rkt/stage1/interface-version","value":"6"}]}
END
cp "$bin/run" "$bin/stop" "$bin/gc" s1/rootfs/
printf '#!/bin/sh\nsleep 1.5\nexec "${0%%slow-gc}gc" "$@"\n' >s1/rootfs/slow-gc
chmod 755 s1/rootfs/slow-gc
echo "127.0.0.1 localhost" >s1/rootfs/etc/hosts-fallback
: >s1/rootfs/xenpod/vmlinux
: >s1/rootfs/xenpod/initrd.cpio
# An image that takes a second or two to unpack and none to make: noise that is packed once and stands there again
# and again. Its app does in the simulated world what the words say.
python3 - noise.aci 4 exit 0 after 100ms <<'END'
import bz2, io, json, os, sys, tarfile
head = io.BytesIO()
tar = tarfile.open(fileobj=head, mode="w", format=tarfile.USTAR_FORMAT)
def add(name, size, kind=tarfile.REGTYPE, data=None):
    entry = tarfile.TarInfo(name)
    entry.size, entry.type, entry.mode = size, kind, 0o755
    tar.addfile(entry, data and io.BytesIO(data))
mib = int(sys.argv[2])
manifest = json.dumps({"acKind": "ImageManifest", "acVersion": "0.8.11", "name": "example.com/noise",
                       "app": {"exec": ["sim", *sys.argv[3:]], "user": "0", "group": "0"}}).encode()
add("manifest", len(manifest), data=manifest)
add("rootfs", 0, tarfile.DIRTYPE)
add("rootfs/noise", mib << 20)
block = bz2.compress(os.urandom(1 << 20))
with open(sys.argv[1], "wb") as f:
    f.write(bz2.compress(head.getvalue()) + block * mib + bz2.compress(bytes(1024)))
END
# image NAME WORDS: an image whose app does what the words say.
image() {
	mkdir -p "$1/rootfs/bin"
	printf '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/%s","app":{"exec":["sim"%s],"user":"0","group":"0"}}' \
		"$1" "$(sed 's/[^ ]*/,"&"/g; s/ //g' <<<"$2")" >"$1/manifest"
}
image works "exit 0 after 100ms"
image stays "forever"
supervise --sim-script="$T/script"

# ---- xenpod run ---------------------------------------------------------------------------------------------

# Without a Xen there are no streams, which `run` says once; it makes two lines of 80 columns.
streams='stage1: output of the pod: xenstore does not answer: is this a Xen host with xenstored running?, trying again'
run() { on "$1" "$2" 90 "" "$bin/xenpod" run --dir="$T/data" --stage1-path="$T/s1" "${@:3}"; }
# Somebody else has the store of images, until this word is seen on the terminal.
others() {
	local tree
	tree=$(find "$T/data/cas/tree" -name noise)
	rm -rf "${tree%/rootfs/noise}"
	: >"$T/raw"
	# shellcheck disable=SC2016
	flock "$T/data/cas/locks/render" sh -c 'for _ in $(seq 300); do
		! grep -q "$1" "$2" || exit 0
		sleep 0.1
	done' sh "$1" "$T/raw" &
	while flock --nonblock "$T/data/cas/locks/render" true; do sleep 0.01; done
}
run_slowly() {
	others waiting
	run "$@"
}
run 80 dumb --uuid-file-save=nowhere/uuid noise.aci # fails, but makes the directory, and has the images unpacked
for look in colour NO_COLOR dumb; do
	columns=80
	[ $look != NO_COLOR ] || columns=200
	what="run, $columns, $look"
	rc=0
	run_slowly $columns $look noise.aci || rc=$?
	same "$what: exit status" 0 $rc
	says "$what: it waits" 'len(like("waiting for another xenpod that unpacks images  1 s")) > 0' True
	says "$what: the image, how far" 'len(set(like(r"unpacking noise.aci  \d+% \(\d of 4 MiB\)"))) > 0' True
	says "$what: more and more of it" '(lambda n: n == sorted(n))([int(re.search(r"(\d+)%", l)[1]) for l in p if "%" in l])' True
	says "$what: the pod, how far" '[*dict.fromkeys(l.split("  ")[1] for l in like(r"starting pod [0-9a-f]{8}  \w+"))]' "['domain', 'boot']"
	says "$what: one line, and that of the streams" 'max(len(x["lines"]) for x in s)' "$([ $columns = 80 ] && echo 3 || echo 2)"
	says "$what: nothing stays" '"".join(s[-1]["lines"]), s[-1]["column"]' "('$streams', 0)"
	case $look in
	colour) says "$what: what changes is coloured" 'all(set(x["colours"]) == {"cyan"} for x in s if "%" in "".join(x["lines"]))' True ;;
	*) same "$what: no escape sequence" 0 "$(escapes)" ;;
	esac
done
# Redrawn only when something has changed.
says "run: not the same again" 'any(a == b and "%" in a for a, b in zip(p, p[1:]))' False

run 80 colour --hostname=nope --set-env=x works
same "run: a fault: 254, and its line alone" "1 xenpod:" "$(wc -l <"$T/raw") $(cut -d' ' -f1 "$T/raw")"
on 80 colour 60 "" sh -c "'$bin/xenpod' run --dir='$T/data' --stage1-path='$T/s1' works 2>'$T/said'"
same "run: stderr is a file" "$streams" "$(cat "$T/said")"
uuid=
rc=0
on 80 colour 60 "" "$bin/xenpod" run --dir="$T/data" --stage1-path="$T/s1" --restart=always --uuid-file-save="$T/uuid" stays || rc=$?
uuid=$(cat "$T/uuid")
same "run --restart: exit status" 0 $rc
says "run --restart: the pod, how far" 'len(like(r"starting pod [0-9a-f]{8}  (creating|booting)")) > 1' True
says "run --restart: what its own run says makes room, and the UUID stays" '"".join(s[-1]["lines"])' "$streams$uuid"

# ---- interrupted ---------------------------------------------------------------------------------------------

others nothing
on 80 colour 4 "" "$bin/xenpod" run --dir="$T/data" --stage1-path="$T/s1" noise.aci
same "interrupted while it waits for others: exit status" 254 $?
says "interrupted while it waits for others: its line is gone" 's[-1]["lines"]' "['xenpod: interrupted, nothing is left']"
says "interrupted while it waits for others: it was there" 'like("waiting for another xenpod that unpacks images  1 s") != []' True

# ---- other verbs ---------------------------------------------------------------------------------------------

on 80 colour 4 "" "$bin/xenpod" wait "$uuid"
same "wait: interrupted" 130 $?
says "wait: whom for, and how long" 'like(r"waiting for pod [0-9a-f]{8}  1 s") != []' True
says "wait: interrupted: nothing stays" 's[-1]["lines"]' "[]"
on 80 colour 2 "" "$bin/xenpod" wait --json "$uuid"
says "wait --json: no progress" 's' "$(on 80 colour 1 "" true; screens s)"
on 80 NO_COLOR 60 "" "$bin/xenpod" stop --all
says "stop --all: how many are left" 'like("stopping 1 pod  1 left") != []' True
says "stop --all: nothing stays but the UUID" 's[-1]["lines"]' "['$uuid']"
mapfile -t pods < <(find "$T/data/pods/run" -mindepth 1 -maxdepth 1 -printf '%f\n' | head -n 2)
on 80 NO_COLOR 60 "" "$bin/xenpod" rm --dir="$T/data" "${pods[@]}"
says "rm: which one, of how many" "[like('removing pod ${pods[0]}  1 of 2') != [], like('removing pod ${pods[1]}  2 of 2') != []]" "[True, True]"
says "rm: nothing stays but UUIDs" 's[-1]["lines"]' "['${pods[0]}', '${pods[1]}']"
on 80 NO_COLOR 60 "" "$bin/xenpod" gc --dir="$T/data" --grace-period=0
says "gc: which one" 'like("removing pod [0-9a-f]{8}  1 s") != []' True
says "gc: nothing stays but UUIDs" 'all(re.fullmatch("[0-9a-f-]{36}", l) for l in s[-1]["lines"])' True

# ---- xenpod-status --watch -----------------------------------------------------------------------------------

R=11112222-3333-4444-8555-666666666666
F=22223333-3333-4444-8555-666666666666
accept $R=forever:with-a-name-that-does-not-fit-into-80-columns $F=exit,3
# shellcheck disable=SC2016
wait_for '"$bin/xenpod-status" --no-legend 2>/dev/null | grep -q "^11112222 *running" &&
	"$bin/xenpod-status" --no-legend 2>/dev/null | grep -q "^22223333 *exited"'
for look in colour NO_COLOR; do
	for columns in 80 200; do
		what="watch, $columns, $look"
		on $columns $look 2.5 q "$bin/xenpod-status" --watch 1111 2222 3333
		same "$what: exit status" 0 $?
		says "$what: its own screen" '{x["other"] for x in s if len(x["lines"]) == 4}' "{False, True}"
		says "$what: head, headings, a line for each pod, none of two" '{len(x["lines"]) for x in s if x["other"] and x["lines"]} - {1, 2, 3}' "{4}"
		says "$what: head" 're.fullmatch(r"20[0-9-]+ [0-9:]+  2 pods(, last event \d+)?", s[-1]["lines"][0]) is not None' True
		says "$what: headings" 's[-1]["lines"][1].split()[:3]' "['UUID', 'STATE', 'DOMID']"
		says "$what: pods" '[l.split()[:2] for l in s[-1]["lines"][2:]]' "[['11112222', 'running'], ['22223333', 'exited']]"
		says "$what: it is as wide as it may be" "max(len(l) for x in s for l in x['lines']) <= $columns" True
		says "$what: the longest name" '("-80-columns" in s[-1]["lines"][2])' "$([ $columns = 200 ] && echo True || echo False)"
		says "$what: what stays is the last page, on the first screen" '[x["lines"][2][:24] for x in s if len(x["lines"]) == 4][-2:] == [s[-1]["lines"][2][:24]] * 2 and not s[-1]["other"]' True
		says "$what: colours" '[s[-1]["colours"].get(c, "") for c in ("green",)]' "$([ $look = colour ] && echo "['running']" || echo "['']")"
		[ $look = colour ] || says "$what: no colour at all" '[x["colours"] for x in s if x["colours"]]' "[]"
	done
done
on 80 dumb 1.5 "" "$bin/xenpod-status" --watch --since=oldest 2222
same "watch, dumb: lines, until interrupted" 130 $?
same "watch, dumb: no escape sequence" 0 "$(escapes)"
says "watch, dumb: lines" 'sum("22223333" in l for l in s[-1]["lines"]) > 5' True

# ---- a page that is not in the way -------------------------------------------------------------------------

on 80 colour 1.5 "" "$bin/xenpod-status" --watch 1111
same "watch: interrupted" 130 $?
says "watch: interrupted: the first screen is back, and the cursor" 's[-1]["other"]' False
same "watch: interrupted: the cursor" "25h" "$(grep -oE '25[hl]' "$T/raw" | tail -n 1)"
finish
