# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What suites of the hooks share: checks, a supervisor that says what it is told to, a pod directory.
# To be read by bash with `.`; needs root for open_tree(2).

top=${TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
bin=${BUILD:-$top/build/release}/bin
fake=$top/tests/contract/fake_supervisor.py
T=$(mktemp -d)
uuid=0f9d2b5e-3c41-4c62-9d9e-0123456789ab
pod=$T/pods/run/$uuid
export XENPOD_RUN_DIR=$T/sup
supervisor=
passed=0
failed=0
hook=
trap 'end_supervisor; [ -z "$hook" ] || kill -9 $hook 2>/dev/null; rm -rf "$T"' EXIT

same() { # WHAT WANTED GOT
	if [ "$2" = "$3" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'FAILED: %s\n    wanted: %s\n    got:    %s\n' "$1" "$2" "$3"
	fi
}
says() { # WHAT TEXT: the last hook's stderr holds it
	if grep -qF -- "$2" "$T/err"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'FAILED: %s\n    wanted: %s\n' "$1" "$2"
		sed 's/^/    got:    /' "$T/err"
	fi
}
# fails WHAT TEXT COMMAND...: ends with 254 and one line on stderr that holds TEXT.
fails() {
	local what=$1 text=$2 rc=0
	shift 2
	("$@") >"$T/out" 2>"$T/err" </dev/null || rc=$?
	same "$what: exit status" 254 "$rc"
	same "$what: one line" 1 "$(wc -l <"$T/err")"
	same "$what: prefix" "stage1: " "$(head -c 8 "$T/err")"
	says "$what" "$text"
}

start_supervisor() {
	end_supervisor
	rm -rf "$XENPOD_RUN_DIR"
	mkdir -p "$XENPOD_RUN_DIR"
	restart_supervisor "$@"
}
restart_supervisor() {
	rm -f "$XENPOD_RUN_DIR/admin"
	python3 "$fake" "$XENPOD_RUN_DIR" "$@" 2>"$T/fake.err" &
	supervisor=$!
	await test -S "$XENPOD_RUN_DIR/admin"
}
end_supervisor() {
	[ -z "$supervisor" ] || { kill "$supervisor"; wait "$supervisor"; } 2>/dev/null
	supervisor=
}
await() {
	for _ in $(seq 400); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.05
	done
	failed=$((failed + 1))
	echo "FAILED: waited in vain for: $*"
}
# log EXPRESSION: Python on the list `c` of noted calls
log() {
	python3 -c 'import json, sys
c = [json.loads(l) for l in open(sys.argv[1])]
print(eval(sys.argv[2]))' "$XENPOD_RUN_DIR/log" "$1" 2>&1
}
called() { [ "$(log "len([x for x in c if x['method'] == '$1'])")" = "$2" ]; }

app='"exec":["/bin/a","b c"],"user":"0","group":"0"'
pod_manifest() { # APPS-JSON [MORE]
	printf '{"acKind":"PodManifest","acVersion":"1.30.0","apps":%s%s}' "$1" "${2:-}" >"$pod/pod"
}
image_manifest() { # NAME APP-JSON
	mkdir -p "$pod/stage1/rootfs/opt/stage2/$1/rootfs/of-$1"
	printf '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"img/%s","app":{%s},"annotations":
		[{"name":"appc.io/docker/repository","value":"x"}]}' "$1" "$2" \
		>"$pod/stage1/rootfs/opt/stage2/$1/manifest"
}
new_pod() {
	rm -rf "$T/pods"
	mkdir -p "$pod/stage1/rootfs/rkt/status" "$pod/stage1/rootfs/rkt/env" \
		"$pod/stage1/rootfs/xenpod"
	echo kernel >"$pod/stage1/rootfs/xenpod/vmlinux"
	echo ramdisk >"$pod/stage1/rootfs/xenpod/initrd.cpio"
	mkdir "$pod/stage1/rootfs/etc"
	echo "127.0.0.1 localhost" >"$pod/stage1/rootfs/etc/hosts-fallback"
	image_manifest one "$app"
	image_manifest two "$app"
	pod_manifest "[{\"name\":\"one\"},{\"name\":\"two\",\"readOnlyRootFS\":true,\"app\":{$app,
		\"environment\":[{\"name\":\"HOME\",\"value\":\"/h\"},{\"name\":\"NL\",\"value\":\"a\\nb\"}]}}]"
}
# run_hook ARGS...: becomes `run` as stage0 does, its lock shared with nobody else here. Call it in a
# subshell or in the background.
run_hook() {
	cd "$pod" || exit 1
	exec 9<.
	flock -x 9
	export RKT_LOCK_FD=9
	exec "$bin/run" "$@"
}
