#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a Tab completes, in a real bash, beside a supervisor on a simulated world. Needs root, no Xen.
# The last line is `N passed, N failed`.
set -u

top=${TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
bin=${BUILD:-$top/build/release}/bin
T=$(mktemp -d)
export XENPOD_RUN_DIR=$T/run XENPOD_STATE_DIR=$T/state PATH=$bin:$PATH
daemon=
cleanup() {
	[ -z "$daemon" ] || kill -9 "$daemon" $client 2>/dev/null
	wait 2>/dev/null
	rm -rf "$T"
}
trap cleanup EXIT
passed=0
failed=0
client=

same() {
	if [ "$2" = "$3" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'FAILED: %s\n    wanted: %s\n    got:    %s\n' "$1" "$2" "$3"
	fi
}

# tab LINE: what a bash that has read the completion file offers at its end, as it cuts the line itself.
tab() {
	bash --norc -c '
		. "$1"
		line=$2
		COMP_LINE=$line COMP_POINT=${#line}
		# As readline does it: spaces part words, and "=" is one.
		read -ra COMP_WORDS <<<"${line//=/ = }"
		[ "${line: -1}" != " " ] && [ "${line: -1}" != "=" ] || COMP_WORDS+=("")
		[ "${line: -1}" != "=" ] || unset "COMP_WORDS[-1]"
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		function=$(complete -p "${COMP_WORDS[0]}" | sed "s/.*-F \([^ ]*\).*/\1/")
		"$function"
		printf "%s\n" "${COMPREPLY[@]}"' tab "$top/dist/completions/bash/xenpod" "$1" | sort | paste -sd' '
}

U=11112222-3333-4444-8555-666666666666
cat >"$T/accept.py" <<'END'
import array, fcntl, json, os, socket, sys
base, uuid = sys.argv[1:]
pod = f"{base}/pod-{uuid}"
os.makedirs(pod + "/rkt/status")
lock = os.open(pod, os.O_RDONLY)
fcntl.flock(lock, fcntl.LOCK_EX)
files = [lock] + [os.open(p, os.O_RDONLY) for p in (pod + "/rkt", "/bin/sh", "/bin/sh", pod)]
app = {"name": "web", "tag": "a0", "exec": ["sim", "forever"], "user": "0", "group": "0", "gids": [], "cwd": "/",
       "env": [], "read_only": False, "docker": False, "stdin": "null"}
guest = {"version": 1, "uuid": uuid, "hostname": "h", "machine_id": uuid.replace("-", ""), "generation": 1,
         "debug": False, "streams": False, "grace_ms": 8000, "apps": [app]}
request = {"uuid": uuid, "dir": pod, "owner": "xenpod", "type": "auto", "memory_kib": 131072, "vcpus": 1,
           "net": "none", "trees": [{"tag": "a0", "read_only": False, "recursive": True}],
           "fds": ["lock", "status", "kernel", "ramdisk", "tree/0"], "guest": guest}
s = socket.socket(socket.AF_UNIX)
s.connect(os.environ["XENPOD_RUN_DIR"] + "/admin")
s.sendmsg([json.dumps({"method": "io.xenpod.Accept", "parameters": request, "more": True}).encode() + b"\0"],
          [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))])
while s.recv(65536):
    pass
END

# ---- without a supervisor ---------------------------------------------------------------------------

verbs=$(xenpod --help | sed -n 's/^  \([a-z]*\)  *[^ ].*/\1/p' | grep -vx xenpod)
# shellcheck disable=SC2086 # a word each
same "verbs, and the two options" "$(printf '%s\n' --help --version $verbs | sort | paste -sd' ')" "$(tab 'xenpod ')"
same "verbs: there are some" 1 "$(grep -qx stop <<<"$verbs" && grep -qx run <<<"$verbs" && echo 1)"
same "the beginning of a verb" "list" "$(tab 'xenpod li')"
same "no pods" "" "$(tab 'xenpod stop ')"
same "options of a verb" "--memory=" "$(tab 'xenpod run --memo')"
same "options of stop" "--all --dir= --force --help --host-shutdown --uuid-file=" \
	"$({ tab 'xenpod stop -' | tr ' ' '\n'; echo --help; } | sort -u | paste -sd' ')"
same "options of xenpodd" "--max-starts=" "$(tab 'xenpodd --max-')"
same "options of xenpod-metrics" "--textfile=" "$(tab 'xenpod-metrics --te')"
same "values" "always" "$(tab 'xenpod run --restart=al')"
same "values: all" "auto pv pvh" "$(tab 'xenpod run --type=')"
mkdir "$T/images"
: >"$T/images/web.aci"
same "files" "$T/images/web.aci" "$(tab "xenpod run $T/images/w")"
same "files as values" "$T/images/web.aci" "$(tab "xenpod run --from=$T/images/w")"
# Each option that a help tells of is one that is completed.
for command in "xenpod run" "xenpod gc" "xenpod-status" "xenpodd"; do
	# shellcheck disable=SC2086 # two words
	same "$command: all of its options" "$($command --help | grep -oE '^ +(-., )?--[a-z-]+' | grep -oE -- '--[a-z-]+' | sort -u | paste -sd' ')" \
		"$(comm -12 <($command --help | grep -oE '^ +(-., )?--[a-z-]+' | grep -oE -- '--[a-z-]+' | sort -u) \
			<(tab "$command --" | tr ' ' '\n' | tr -d = | sort -u) | paste -sd' ')"
done

# ---- with a pod -----------------------------------------------------------------------------------------

"$bin/xenpodd" --world=sim --state-dir="$XENPOD_STATE_DIR" --run-dir="$XENPOD_RUN_DIR" --cgroup-root= \
	>"$T/log" 2>&1 </dev/null &
daemon=$!
for _ in $(seq 300); do
	[ ! -S "$XENPOD_RUN_DIR/admin" ] || break
	sleep 0.1
done
python3 "$T/accept.py" "$T" $U >/dev/null 2>&1 &
client=$!
for _ in $(seq 900); do
	! xenpod-status --no-legend 2>/dev/null | grep -q ' running ' || break
	sleep 0.1
done
same "a pod's UUID" "$U" "$(tab 'xenpod stop 1')"
same "the same for xenpod-status" "$U" "$(tab 'xenpod-status ')"
same "not one that begins otherwise" "" "$(tab 'xenpod stop 2')"
same "not one that runs, for rm" "" "$(tab 'xenpod rm ')"
same "no UUID for gc" "" "$(tab 'xenpod gc ')"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
