#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `xenpod` as stage0, held against the contract with a fake stage1 that records how it is called.
# Needs root for the overlays; everything happens in a mount namespace of its own. No Xen.
# The last line is `N passed, N failed`.
set -u

if [ "${XENPOD_TEST_NS:-}" != 1 ]; then
	exec env XENPOD_TEST_NS=1 unshare --mount --propagation private "$0" "$@"
fi
# shellcheck source=tests/contract/checks.bash
. "$(dirname "$0")/checks.bash"
xenpod=${XENPOD:-$bin/xenpod}
cd "$T" || exit 1
export REC=$T/rec
trap 'umount -R "$T/data/pods" 2>/dev/null; rm -rf "$T"' EXIT

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
# fails WHAT TEXT COMMAND...: ends with 254 and says TEXT, in one line.
fails() {
	local what=$1 text=$2 rc=0
	shift 2
	"$@" >"$T/out" 2>"$T/err" </dev/null || rc=$?
	same "$what: exit status" 254 "$rc"
	same "$what: one line" 1 "$(wc -l <"$T/err")"
	check "$what: says \"$text\" ($(cat "$T/err"))" grep -qF -- "$text" "$T/err"
}
run() { "$xenpod" run --dir="$T/data" --stage1-path="$T/s1" "$@"; }
verb() {
	local v=$1
	shift
	"$xenpod" "$v" --dir="$T/data" "$@"
}
pods() { find "$T/data/pods" -mindepth 2 -maxdepth 2 | sort; }
mounts() { grep -c " $T/data/" /proc/self/mountinfo; }
nothing_left() {
	same "$1: no pod left" "" "$(pods | grep -vE "${leftover:-^none}")"
	same "$1: no mount left" 0 "$(mounts)"
	same "$1: no temporary file left" "" "$(find "$T/data/cas/tmp" -mindepth 1)"
}
fresh() { rm -rf "$REC" && mkdir -p "$REC"; }
# json FILE EXPRESSION: of the document d, in Python.
json() { python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$@"; }

# ---- a fake stage1: every entrypoint records its arguments, directory, environment --------------

mkdir -p s1/rootfs/rkt/status s1/rootfs/opt/stage2 s1/rootfs/etc
cat >s1/manifest <<'END'
{"acKind":"ImageManifest","acVersion":"0.8.11","name":"xenpod.io/test/stage1",
"labels":[{"name":"version","value":"1"},{"name":"os","value":"linux"}],
"annotations":[{"name":"coreos.com/rkt/stage1/run","value":"/run"},
{"name":"coreos.com/rkt/stage1/enter","value":"/enter"},
{"name":"coreos.com/rkt/stage1/stop","value":"/stop"},
{"name":"coreos.com/rkt/stage1/gc","value":"/gc"},
{"name":"coreos.com/rkt/stage1/interface-version","value":"6"}]}
END
cat >s1/rootfs/record <<'END'
name=${0##*/}
printf '%s\n' "$0" "$@" >"$REC/$name.argv"
pwd >"$REC/$name.cwd"
env >"$REC/$name.env"
readlink /proc/$$/fd/0 >"$REC/$name.stdin"
END
cat >s1/rootfs/run <<'END'
#!/bin/sh
. "${0%/*}/record"
readlink "/proc/$$/fd/$RKT_LOCK_FD" >"$REC/lockfd"
ls /proc/$$/fd >"$REC/fds"
# As rkt asks: a shared lock on a descriptor of its own is refused while the pod is held.
flock --shared --nonblock . true; echo $? >"$REC/lock"
find . -path ./overlay -prune -o -printf '%p %y %m\n' | sort >"$REC/tree"
cp pod "$REC/pod"
cp stage1/rootfs/etc/rkt-* "$REC/" 2>/dev/null
cp -r appsinfo "$REC/appsinfo"
grep " $PWD/" /proc/self/mountinfo | awk '{print $5, $(NF-2)}' >"$REC/mounts"
echo written >stage1/rootfs/rkt/written
echo out-of-the-app
if [ "${FAKE_WAIT:-}" ]; then
	echo $$ >pid.tmp && mv pid.tmp pid
	trap 'exit 5' TERM
	: >"$REC/up"
	while :; do sleep 0.05; done
fi
exit "${FAKE_EXIT:-0}"
END
cat >s1/rootfs/enter <<'END'
#!/bin/sh
. "${0%/*}/record"
exit "${FAKE_EXIT:-0}"
END
cat >s1/rootfs/stop <<'END'
#!/bin/sh
. "${0%/*}/record"
[ -z "${FAKE_SAYS:-}" ] || printf "$FAKE_SAYS" >&2
[ -z "${FAKE_EXIT:-}" ] || exit "$FAKE_EXIT"
kill -TERM "$(cat pid)"
END
cat >s1/rootfs/gc <<'END'
#!/bin/sh
. "${0%/*}/record"
ls rootfs stage1/rootfs >"$REC/gc.stage1" 2>/dev/null
exit "${FAKE_EXIT:-0}"
END
chmod +x s1/rootfs/run s1/rootfs/enter s1/rootfs/stop s1/rootfs/gc

# image NAME DIRECTORY [JSON MEMBERS OF app]
image() {
	mkdir -p "$2/rootfs/bin" "$2/rootfs/etc" "$2/rootfs/home"
	echo "$1" >"$2/rootfs/etc/name"
	chown 1234:1234 "$2/rootfs/home"
	printf '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"%s","app":{"exec":["/bin/x","a b"],%s"user":"0","group":"0"}}' \
		"$1" "${3:-}" >"$2/manifest"
}
image example.com/web web '"environment":[{"name":"A","value":"image"},{"name":"B","value":"image"}],'
image example.com/db db
image example.com/other other
tar -C web -cf web.aci manifest rootfs
gzip -c web.aci >web.aci.gz

# What a killed xenpod leaves: looked at by the last gc, when it is old enough not to be a new pod.
mkdir -p data/pods/embryo/eeeeeeee-2222-4333-8444-555555555555 \
	data/pods/prepare/dddddddd-2222-4333-8444-555555555555/stage1
left_at=$(date +%s)

# ---- run: arguments, environment, descriptors -----------------------------------------------------

fresh
rc=0
FAKE_EXIT=7 run --uuid-file-save=uuid web.aci -- -c 'two words' '' >out 2>err || rc=$?
uuid=$(cat uuid)
P=$T/data/pods/run/$uuid
same "run: the stage1's exit status passes" 7 "$rc"
same "run: its output passes" out-of-the-app "$(cat out)"
same "run: nothing else is said" "" "$(cat err)"
check "run: a canonical UUID" grep -qxE '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}' uuid
same "run: argv" "$P/stage1/rootfs/run --net=none --local-config=/etc/rkt $uuid" "$(paste -sd' ' "$REC/run.argv")"
same "run: cwd" "$P" "$(cat "$REC/run.cwd")"
same "run: RKT_ variables" "RKT_LOCK_FD RKT_SELINUX_CONTEXT= RKT_SELINUX_MOUNT_CONTEXT=" \
	"$(grep '^RKT_' "$REC/run.env" | sed 's/^\(RKT_LOCK_FD\)=[0-9]*$/\1/' | sort | paste -sd' ')"
same "run: RKT_LOCK_FD is the pod directory" "$P" "$(cat "$REC/lockfd")"
same "run: the pod is locked" 1 "$(cat "$REC/lock")"
check "run: free after the end" flock --shared --nonblock "$P" true
ours=$(find /proc/$$/fd -mindepth 1 | wc -l)
check "run: no stray descriptors" test "$(wc -l <"$REC/fds")" -le $((ours + 1))

# ---- run: the pod directory --------------------------------------------------------------------------

for line in "./pod f 640" "./pod-created f 640" "./pod.lck f 600" "./stage1TreeStoreID f 640" \
	"./stage1/manifest f 640" "./overlay-prepared f 640" "./appsinfo/web/manifest f 640" \
	"./appsinfo/web/treeStoreID f 640" "./stage1/rootfs/opt/stage2/web d 750" \
	"./stage1/rootfs/opt/stage2/web/manifest f 640" ". d 750" \
	"./stage1/rootfs/opt/stage2/web/rootfs/etc/name f 644"; do
	check "layout" grep -qxF -- "$line" "$REC/tree"
done
id=$(cat "$P/stage1TreeStoreID")
check "layout: tree id" grep -qxE 'deps-sha512-[0-9a-f]{64}' "$P/stage1TreeStoreID"
check "layout: the stage1's upper directory" test -e "$P/overlay/$id/upper/rkt/written"
app_id=$(cat "$P/appsinfo/web/treeStoreID")
check "layout: the app's upper directory" test -d "$P/overlay/$app_id/upper/web"
same "layout: overlays" "$P/stage1/rootfs overlay $P/stage1/rootfs/opt/stage2/web/rootfs overlay" \
	"$(paste -sd' ' "$REC/mounts")"
same "layout: owners are the image's" 1234 "$(stat -c %u "$P/stage1/rootfs/opt/stage2/web/rootfs/home")"
same "layout: etc/mtab" ../proc/self/mounts "$(readlink "$P/stage1/rootfs/opt/stage2/web/rootfs/etc/mtab")"
check "layout: the tree store is not written to" test ! -e "$T/data/cas/tree/$app_id/rootfs/etc/mtab"
check "layout: the image's manifest as it was" cmp web/manifest "$P/appsinfo/web/manifest"

# ---- run: the pod manifest -----------------------------------------------------------------------------

m=$REC/pod
same "manifest: kind" PodManifest "$(json "$m" 'd["acKind"]')"
same "manifest: exec and arguments" "['/bin/x', 'a b', '-c', 'two words', '']" \
	"$(json "$m" 'd["apps"][0]["app"]["exec"]')"
same "manifest: image id" "sha512-${app_id#deps-sha512-}" "$(json "$m" 'd["apps"][0]["image"]["id"]')"
same "manifest: that id is the archive's" "$(sha512sum web.aci | cut -c1-64)" "${app_id#deps-sha512-}"
same "manifest: annotations" "{'coreos.com/rkt/stage1/mutable': 'false', 'xenpod.io/owner': 'xenpod'}" \
	"$(json "$m" '{a["name"]: a["value"] for a in d["annotations"]}')"

# ---- several apps, options ---------------------------------------------------------------------------------

fresh
run --debug --hostname=h --net=n1,n2 --type=pvh --set-env=A=all --name=first --memory=16M web.aci.gz \
	--set-env=C=web --exec=/bin/y --user=u --group=g --working-dir=/w --readonly-rootfs --cpu=500m \
	-- 1 --- db --set-env=B=d=b -- 2 >/dev/null
m=$REC/pod
same "options: argv" "--debug --net=n1,n2 --local-config=/etc/rkt --hostname=h" \
	"$(sed '1d;$d' "$REC/run.argv" | paste -sd' ')"
same "options: names" "['first', 'db']" "$(json "$m" '[a["name"] for a in d["apps"]]')"
same "options: exec replaces, arguments follow" "[['/bin/y', '1'], ['/bin/x', 'a b', '2']]" \
	"$(json "$m" '[a["app"]["exec"] for a in d["apps"]]')"
same "options: environment" "[{'B': 'image', 'A': 'all', 'C': 'web'}, {'A': 'all', 'B': 'd=b'}]" \
	"$(json "$m" '[{e["name"]: e["value"] for e in a["app"]["environment"]} for a in d["apps"]]')"
same "options: user, group, directory" "('u', 'g', '/w', True)" \
	"$(json "$m" '(lambda a: (a["app"]["user"], a["app"]["group"], a["app"]["workingDirectory"], a["readOnlyRootFS"]))(d["apps"][0])')"
same "options: limits" "[('resource/memory', '16M'), ('resource/cpu', '500m')]" \
	"$(json "$m" '[(i["name"], i["value"]["limit"]) for i in d["apps"][0]["app"]["isolators"]]')"
same "options: type" pvh "$(json "$m" '[a["value"] for a in d["annotations"] if a["name"] == "xenpod.io/type"][0]')"
same "a compressed image is the same image" "$app_id" "$(cat "$REC/appsinfo/first/treeStoreID")"
fresh
run web.aci web.aci db >/dev/null
same "one image twice: names differ" "['web', 'web-2', 'db']" "$(json "$REC/pod" '[a["name"] for a in d["apps"]]')"
same "three apps, four overlays" 4 "$(wc -l <"$REC/mounts")"

# ---- volumes, limits, names: as rkt's stage0 has them ------------------------------------------------------

fresh
mkdir -p srv && printf 'F=file\n' >vars
run --interactive --hostname=h --insecure-options=image,all-run --dns=10.0.0.1 --dns-search=a.b \
	--hosts-entry=10.0.0.2=peer --volume=d,kind=host,source="$T/srv",readOnly=true \
	--mount=volume=d,target=/all --set-env-file=vars web.aci --volume=e,kind=empty \
	--mount volume=e,target=/all/. --caps-remove=CAP_MKNOD --supplementary-gids=5 --cpu-shares=9 >/dev/null
m=$REC/pod
same "rich: argv" "--net=none|--interactive|--local-config=/etc/rkt|--hostname=h|--dns-conf-mode=resolv=stage0,hosts=stage0|--disable-capabilities-restriction|--disable-paths|--disable-seccomp" \
	"$(sed '1d;$d' "$REC/run.argv" | paste -sd'|')"
same "rich: volumes" "[{'name': 'd', 'kind': 'host', 'source': '$T/srv', 'readOnly': True}, {'name': 'e', 'kind': 'empty', 'mode': '0755', 'uid': 0, 'gid': 0}]" \
	"$(json "$m" 'd["volumes"]')"
same "rich: the app's mount wins" "[{'volume': 'e', 'path': '/all/.'}]" "$(json "$m" 'd["apps"][0]["mounts"]')"
same "rich: app" "[[5], {'A': 'image', 'B': 'image', 'F': 'file'}, ['os/linux/cpu-shares', 'os/linux/capabilities-remove-set']]" \
	"$(json "$m" '(lambda a: [a["supplementaryGIDs"], {e["name"]: e["value"] for e in a["environment"]}, [i["name"] for i in a["isolators"]]])(d["apps"][0]["app"])')"
same "rich: resolv.conf" "# Generated by xenpod run||search a.b|nameserver 10.0.0.1" "$(paste -sd'|' "$REC/rkt-resolv.conf")"
same "rich: hosts" "10.0.0.2 peer" "$(tail -n1 "$REC/rkt-hosts")"
same "rich: the stage1's tree in the store is not written to" "" "$(find "$T/data/cas/tree" -name 'rkt-*')"
fresh
env -i PATH="$PATH" REC="$REC" ONLY=mine A=mine 'f()=x' "$xenpod" run --dir="$T/data" --stage1-path="$T/s1" \
	--inherit-env --dns=host --no-overlay web.aci >/dev/null 2>"$T/err"
same "inherit-env: fills gaps only" "('image', 'mine')" \
	"$(json "$m" '(lambda e: (e["A"], e["ONLY"]))({e["name"]: e["value"] for e in d["apps"][0]["app"]["environment"]})')"
check "inherit-env: what is left out is told ($(cat "$T/err"))" grep -qF 'f() is left out' "$T/err"
check "dns=host: said" grep -qxF -- "--dns-conf-mode=resolv=host,hosts=default" "$REC/run.argv"
check "dns=host: no file" test ! -e "$REC/rkt-resolv.conf"

# ---- networks and ports --------------------------------------------------------------------------------------

nets_of() { sed -n 's/^--net=//p' "$REC/run.argv"; }
ports_of() { json "$REC/pod" '[(p["name"], p["hostPort"], p.get("hostIP", "any")) for p in d["ports"]]'; }
fresh
run --net --net=a:IP=10.0.0.1,b --net=c --port=http:80 --port http:127.0.0.1:81 --port='h:[::1]:82' --anti-spoofing web.aci >/dev/null
same "net: without a value, several, repeated" "default,a:IP=10.0.0.1,b,c" "$(nets_of)"
same "port: as rkt has them" "[('http', 80, 'any'), ('http', 81, '127.0.0.1'), ('h', 82, '::1')]" "$(ports_of)"
same "anti-spoofing" true "$(json "$REC/pod" '[a["value"] for a in d["annotations"] if "anti-spoofing" in a["name"]][0]')"
fresh
run --anti-spoofing=false --port=a:::1:80 web.aci >/dev/null
same "net: none is given" none "$(nets_of)"
same "port: an IPv6 address without brackets; no anti-spoofing" "[('a', 80, '::1')] 0" "$(ports_of) $(grep -c anti-spoofing "$REC/pod")"
check "help" test 3 = "$("$xenpod" run --help | grep -cE '^  --(net|port|anti-spoofing)[=[ ]')"

# An older stage1 is not told what it does not know.
cp -r s1 s1old && sed -i 's/"value":"6"/"value":"2"/' s1old/manifest
fresh
"$xenpod" run --dir="$T/data" --stage1-path="$T/s1old" --hostname=h --dns=host --insecure-options=paths db >/dev/null 2>"$T/err"
same "old stage1: argv" "--net=none --local-config=/etc/rkt --hostname=h" "$(sed '1d;$d' "$REC/run.argv" | paste -sd' ')"
same "old stage1: two warnings" 2 "$(grep -c 'knows no --d' "$T/err")"

# ---- a pod manifest of the user's ---------------------------------------------------------------------------

cat >pm.json <<END
{ "ACKIND": "PodManifest", "acVersion": "1.30.0",  "nobody": {"knows": 1},
  "apps": [ {"name": "first", "image": {"id": "sha512-${app_id#deps-sha512-}"}},
            {"name": "second", "image": {"name": "example.com/db"}, "app": {"exec": ["/y"], "user": "0", "group": "0"}} ] }
END
fresh
run --pod-manifest=pm.json db >/dev/null
check "pod manifest: byte for byte" cmp pm.json "$REC/pod"
same "pod manifest: the images of its apps" "web db" \
	"$(for a in first second; do json "$REC/appsinfo/$a/manifest" 'd["name"].split("/")[1]'; done | paste -sd' ')"
check "pod manifest: their trees" grep -qxF "./stage1/rootfs/opt/stage2/second/rootfs/etc/name f 644" "$REC/tree"

# ---- copies instead of overlays -------------------------------------------------------------------------------

fresh
run --no-overlay web.aci >/dev/null
same "no overlay: nothing is mounted" 0 "$(wc -l <"$REC/mounts")"
check "no overlay: stage1" grep -qxF "./stage1/rootfs/run f 755" "$REC/tree"
check "no overlay: app" grep -qxF "./stage1/rootfs/opt/stage2/web/rootfs/etc/name f 644" "$REC/tree"
check "no overlay: no marker" test ! -e "$(cat "$REC/run.cwd")/overlay-prepared"
check "no overlay: owners" test "$(stat -c %u "$(cat "$REC/run.cwd")/stage1/rootfs/opt/stage2/web/rootfs/home")" = 1234

# ---- list, stop, enter, rm while a pod runs ------------------------------------------------------------------

up() {
	fresh
	FAKE_WAIT=1 run --uuid-file-save=uuid "$@" >/dev/null 2>&1 &
	job=$!
	for _ in $(seq 200); do
		[ ! -e "$REC/up" ] || break
		sleep 0.05
	done
	uuid=$(cat uuid)
	P=$T/data/pods/run/$uuid
}
up web.aci db
same "list: running" "running ['web', 'db']" "$(verb list --json >l.json && json l.json \
	'[p["state"] + " " + str([a["name"] for a in p["apps"]]) for p in d["pods"] if p["uuid"] == "'"$uuid"'"][0]')"
verb list >table
check "list: a table ($(grep "${uuid:0:8}" table))" grep -qE "^${uuid:0:8} +web +example.com/web +running " table
# Ages go on between the two.
same "list: no legend" "$(verb list | sed '1d; s/[0-9a-z]* ago/AGE/g; s/ *$//')" \
	"$(verb list --no-legend | sed 's/[0-9a-z]* ago/AGE/g; s/ *$//')"
fails "rm: refused while it runs" "runs (xenpod stop" verb rm "$uuid"
check "rm: changed nothing" test -d "$P"
fails "enter: which app?" "name one with --app: web, db" verb enter "$uuid"
fails "enter: no such app" 'has no app "nope", it has: web, db' verb enter --app=nope "$uuid"
rc=0
upper=$(echo "${uuid:0:10}" | tr a-f A-F)
FAKE_EXIT=33 verb enter --app=db "$upper" /bin/ls -l 'a b' || rc=$?
same "enter: exit status passes" 33 "$rc"
same "enter: argv" "$T/data/cas/tree/$id/rootfs/enter|--pid=$(cat "$P/pid")|--appname=db|--|/bin/ls|-l|a b" \
	"$(paste -sd'|' "$REC/enter.argv")"
same "enter: cwd" "$P" "$(cat "$REC/enter.cwd")"
verb enter --app=web "$uuid"
same "enter: default command" /bin/sh "$(tail -n1 "$REC/enter.argv")"
FAKE_EXIT=254 FAKE_SAYS='stage1: because\n' fails "stop: the stage1's line is the cause" "pod $uuid was not stopped: because" verb stop "$uuid"
FAKE_EXIT=254 FAKE_SAYS='stage1: one\nstage1: two\n' verb stop "$uuid" 2>err
same "stop: several lines stay what they are" "stage1: one|stage1: two|xenpod: pod $uuid was not stopped: its stop ended with 254" \
	"$(paste -sd'|' err)"
FAKE_EXIT=9 fails "stop: its failure is told" "was not stopped: its stop ended with 9" verb stop "$uuid"
same "stop: prints the UUID" "$uuid" "$(verb stop --force "${uuid:0:8}")"
same "stop: argv" "$P/stage1/rootfs/stop --force $uuid" "$(paste -sd' ' "$REC/stop.argv")"
same "stop: stdin" /dev/null "$(cat "$REC/stop.stdin")"
rc=0
wait "$job" || rc=$?
same "stop: run ends with the stage1's status" 5 "$rc"
same "stop: again is fine" "pod \"$uuid\" is already stopped" "$(verb stop "$uuid")"
fails "enter: not after the end" "is not running" verb enter --app=db "$uuid"
fails "enter: unknown pod" 'no pod "ffff' verb enter ffffffff-ffff-4fff-bfff-ffffffffffff
for n in 1 2; do
	run --uuid=aaaaaaaa-2222-4333-8444-00000000000$n db >/dev/null
done
fails "a prefix of several" "matches 2 pods" verb stop AAAA

# ---- rm and gc ----------------------------------------------------------------------------------------------------

fresh
FAKE_EXIT=3 fails "rm: a failed gc keeps the pod" "the pod is kept" verb rm "$uuid"
G=$T/data/pods/exited-garbage/$uuid
same "gc: argv" "$G/stage1/rootfs/gc --local-config /etc/rkt $uuid" "$(paste -sd' ' "$REC/gc.argv")"
same "gc: cwd" "$G" "$(cat "$REC/gc.cwd")"
same "gc: stdin" /dev/null "$(cat "$REC/gc.stdin")"
same "rm: prints the UUID" "$uuid" "$(verb rm "$uuid")"
check "rm: the directory is gone" test ! -e "$G"
leftover='/[de]{8}-2222-4333-8444-555555555555$'
before=$(pods | grep -cvE "$leftover")
verb gc >/dev/null
same "gc: within the grace period all are kept" "$before" "$(pods | grep -c /exited-garbage/)"
# Not yet: it could be a pod that is being made this instant.
check "gc: a young embryo is left alone" test -d "$T/data/pods/embryo/eeeeeeee-2222-4333-8444-555555555555" -o \
	$(($(date +%s) - left_at)) -ge 10
# As after a reboot: no overlay is mounted; gc must find its stage1 all the same.
grep -o " $T/data/[^ ]*" /proc/self/mountinfo | sort -r | while read -r m; do umount "$m"; done
fresh
verb gc --grace-period=0s >removed
same "gc: all removed are told" "$before" "$(grep -cvE "^${leftover#/}" removed)"
check "gc: the stage1 was mounted for it" grep -qx gc "$REC/gc.stage1"
nothing_left gc

# ---- what fails leaves nothing --------------------------------------------------------------------------------------

fails "no image" "no image is named" run
fails "missing image" "image nowhere.aci: open: No such file" run nowhere.aci
fails "unknown option" "option --nope is not known" run --nope web.aci
fails "missing value" "option --name needs a value" run --name
fails "pod's option after an image" "--net is the pod's" run web.aci --net=none
for bad in http http:0 http:65536 http:-1 http:8a http: http:1.2.3:80 http:host:80 :80 A_B:80 ''; do
	fails "bad port" "--port${bad:+=$bad}" run --port="$bad" web.aci
done
fails "bad --anti-spoofing" "--anti-spoofing=perhaps" run --anti-spoofing=perhaps web.aci
fails "pod manifest: ports" "--port cannot be given with --pod-manifest" run --port=a:1 --pod-manifest=pm.json
fails "bad name" "--name=A_B" run --name=A_B web.aci
fails "two names" 'two apps are named "x"' run web.aci --name=x --- db --name=x
fails "bad memory" "--memory=12Q" run --memory=12Q web.aci
fails "bad environment" "--set-env=1A=x" run --set-env=1A=x web.aci
fails "interactive with two apps" "--interactive" run --interactive web.aci db
fails "bad volume" "--volume=a,kind=tmp: kind=tmp: host or empty is wanted" run --volume=a,kind=tmp web.aci
fails "no such source" "volume a: source $T/nowhere: No such file" run --volume=a,kind=host,source="$T/nowhere" web.aci
fails "mount of nothing" "--mount=volume=a,target=/x: no --volume has this name" run --mount=volume=a,target=/x web.aci
fails "bad capability" '"CAP_KIL" is not a capability' run web.aci --caps-retain=CAP_KIL
fails "bad filter" "--seccomp=chown: mode=retain or mode=remove is wanted" run web.aci --seccomp chown
fails "bad name server" "--dns=x: an IP address, host or none is wanted" run --dns=x web.aci
fails "bad host" "--hosts-entry=x" run --hosts-entry=x web.aci
fails "bad insecure option" 'there is no "path"' run --insecure-options=path web.aci
fails "misspelt option" "option --memroy=1G is not known here, --memory is" run web.aci --memroy=1G
fails "no environment file" "--set-env-file=nofile: open nofile: No such file" run --set-env-file=nofile web.aci
printf 'A=1\nA=2\n' >vars
fails "environment file" "--set-env-file=vars: line 2: A is set already" run --set-env-file=vars web.aci
fails "pod manifest: nowhere" "--pod-manifest=nofile: open nofile: No such file" run --pod-manifest=nofile
fails "pod manifest: options" "--exec cannot be given with --pod-manifest" run --pod-manifest=pm.json db --exec=/x
fails "pod manifest: an image is missing" 'app second: no image of name "example.com/db" is given' run --pod-manifest=pm.json
fails "pod manifest: an image too many" "image other (example.com/other" run --pod-manifest=pm.json db other
fails "pod manifest: interactive" "--interactive is for a pod of one app, --pod-manifest=pm.json has 2" \
	run --interactive --pod-manifest=pm.json db
sed "s/sha512-${app_id#deps-sha512-}/sha512-$(printf '0%.0s' $(seq 64))/" pm.json >pm2.json
fails "pod manifest: unknown image" "app first: image sha512-0000" run --pod-manifest=pm2.json db
sed "s/sha512-${app_id#deps-sha512-}/sha512-..\/../" pm.json >pm2.json
fails "pod manifest: bad image id" "64 hex digits are wanted" run --pod-manifest=pm2.json db
echo '{"acKind":"PodManifest","apps":[]}' >pm2.json
fails "pod manifest: no apps" "--pod-manifest=pm2.json: it has no apps" run --pod-manifest=pm2.json
echo '{"acKind":' >pm2.json
fails "pod manifest: broken" "--pod-manifest=pm2.json: pod manifest" run --pod-manifest=pm2.json
fails "bad UUID" "--uuid=xyz" run --uuid=xyz web.aci
fails "no verb" 'no verb "fly"' "$xenpod" fly
fails "no data directory" "no data directory $T/none" "$xenpod" list --dir="$T/none"
head -c 30000 /dev/urandom >noise.aci
fails "noise" "image noise.aci" run noise.aci
head -c 9000 web.aci.gz | head -c 300 >cut.aci
fails "truncated" "image cut.aci" run cut.aci
: >empty.aci
fails "empty" "image empty.aci: not an archive" run empty.aci
image 'Not A Name' badname
fails "bad image name" "image badname" run badname
mkdir none && fails "directory without a manifest" 'no file "manifest"' run none
image example.com/noexec noexec && sed -i 's/"exec":\[[^]]*\],//' noexec/manifest
fails "no exec" 'has an empty "exec" (try --exec=BINARY)' run noexec
image example.com/arm arm && sed -i 's/"app"/"labels":[{"name":"arch","value":"aarch64"}],"app"/' arm/manifest
fails "other architecture" "is for aarch64" run arm
image example.com/deps deps && sed -i 's/"app"/"dependencies":[{"imageName":"a.b\/c"}],"app"/' deps/manifest
fails "dependencies" "image example.com/deps depends on other images" run deps
image example.com/white white && sed -i 's/"app"/"pathWhitelist":["\/bin\/x"],"app"/' white/manifest
fails "path whitelist" 'image example.com/white has a "pathWhitelist"' run white
python3 - <<'END'
import io, tarfile
def tar(name, *members):
    with tarfile.open(name, "w") as t:
        for path, kind, target in members:
            i = tarfile.TarInfo(path)
            i.type, i.linkname = kind, target
            t.addfile(i, io.BytesIO(b""))
R, D, S, L, C = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE
tar("up.aci", ("rootfs/../../../escape", R, ""))
tar("abs.aci", ("/escape", R, ""))
tar("link.aci", ("rootfs", D, ""), ("rootfs/l", S, "/"), ("rootfs/l/escape", R, ""))
tar("hard.aci", ("rootfs", D, ""), ("rootfs/l", L, "../../s1/rootfs/run"))
tar("dev.aci", ("rootfs", D, ""), ("rootfs/sda", C, ""))
END
fails "archive that climbs" '"rootfs/../../../escape" leads upwards' run up.aci
fails "absolute path" "has an absolute path" run abs.aci
fails "through a symlink" "rootfs/l/escape" run link.aci
fails "hard link out" 'leads upwards' run hard.aci
fails "device" '"rootfs/sda" is a character device' run dev.aci
check "nothing escaped" test ! -e /escape -a ! -e "$T/escape" -a ! -e "$T/data/escape"
cp -r s1 s1broken && rm s1broken/rootfs/run
rm -f uuid
fails "stage1 without its run" "execute" "$xenpod" run --dir="$T/data" --stage1-path="$T/s1broken" \
	--uuid-file-save=uuid web.aci
check "the UUID file is taken back" test ! -e uuid
fails "an app is no stage1" "is not a stage1 image" "$xenpod" run --dir="$T/data" --stage1-path=web.aci web.aci
rm -r s1broken/rootfs/rkt
fails "stage1 without rkt/status" "lacks the directory rkt/status" "$xenpod" run --dir="$T/data" \
	--stage1-path="$T/s1broken" web.aci
nothing_left "failures"

# Interrupted while it unpacks: 2 GiB of nothing take long enough.
image example.com/big big && truncate -s 2G big/rootfs/zeros
"$xenpod" run --dir="$T/data" --stage1-path="$T/s1" big >"$T/out" 2>"$T/err" &
job=$!
for _ in $(seq 200); do
	[ ! -e "$T/data/cas/tmp/new" ] || break
	sleep 0.05
done
kill -TERM "$job"
rc=0
wait "$job" || rc=$?
same "interrupted: exit status" 254 "$rc"
same "interrupted: says so" "xenpod: interrupted, nothing is left" "$(cat "$T/err")"
nothing_left "interrupted"
rm -r big
u=11111111-2222-4333-8444-555555555555
run --uuid=$u web.aci >/dev/null
fails "a second run for one UUID" "there is a pod $u already" run --uuid=$u web.aci
check "the first is still there" test -d "$T/data/pods/run/$u"
chmod 755 "$T"
cp "$xenpod" "$T/xenpod-copy"
fails "not root" '"xenpod run" needs root' runuser -u nobody -- "$T/xenpod-copy" run --dir="$T/data" web.aci
for v in '' run list stop enter rm gc; do
	check "help: $v" sh -c "'$xenpod' $v --help | grep -q '^Usage: xenpod'"
done
check "version" sh -c "'$xenpod' --version | grep -qE '^xenpod [0-9]+\.[0-9]+'"
while [ $(($(date +%s) - left_at)) -lt 11 ]; do sleep 0.2; done
verb gc --grace-period=0 >/dev/null
leftover=
same "gc: leftovers of killed ones go" "" "$(pods)"
nothing_left "the end"

finish
