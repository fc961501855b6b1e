#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: full
# PODS: 4
#
# xenpod-init alone: domains made by xl, state read from xenstore, sessions by guestclient. Apps,
# users, streams, enter, garbage, stop, first failure, broken spec (docs/GUEST-PROTOCOL.md).
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"

uuid=0f0e0d0c-0000-4000-8000-000000001000
dir=/root/lab-guest
applets='sh cat id echo sleep env pwd ls dd md5sum stat tty stty kill touch readlink hostname'

# ---- what the pods are made of ------------------------------------------------------------------

make_roots() {
	local root a

	for root in "$scratch/app0" "$scratch/app1"; do
		mkdir -p "$root/bin" "$root/etc" "$root/srv"
		cp /bin/busybox "$root/bin/"
		for a in $applets; do ln -s busybox "$root/bin/$a"; done
		printf 'root:x:0:0::/:/bin/sh\nweb:x:1000:1001::/:/bin/sh\n' >"$root/etc/passwd"
		printf 'root:x:0:\nweb:x:1001:\n' >"$root/etc/group"
	done
}

# One app of a spec: app NAME TAG USER CWD READ_ONLY COMMAND-as-JSON-array
app() {
	printf '{"name":"%s","tag":"%s","user":"%s","group":"%s","gids":[400,500],"cwd":"%s",
		"env":["PATH=/bin","COLOUR=blue"],"read_only":%s,"docker":false,"stdin":"null",
		"exec":%s}' "$1" "$2" "$3" "$3" "$4" "$5" "$6"
}

# spec APP[,APP]; $grace: long, where a slow machine must not turn a clean stop into a kill.
grace=30000
spec() {
	printf '{"version":1,"uuid":"%s","generation":7,"hostname":"guest-test",
		"machine_id":"0f0e0d0c000040008000000000001000","debug":true,"streams":true,
		"grace_ms":%d,"lo_only":true,"apps":[%s]}' "$uuid" $grace "$1"
}

# create SPEC: the domain "lab-pod" with that spec; sets $domid.
create() {
	mkdir -p "$scratch/spec/xenpod"
	echo "$1" >"$scratch/spec/xenpod/spec.json"
	(cd "$scratch/spec" && find . -mindepth 1 | cpio --quiet -o -H newc) >"$scratch/spec.cpio"
	lab_put "$scratch/spec.cpio" $dir/spec.cpio
	lab_in "cat >$dir/pod.cfg" <<-END
		name = "lab-pod"
		uuid = "$uuid"
		type = "pv"
		kernel = "$dir/vmlinux"
		ramdisk = "$dir/ramdisk.cpio"
		extra = "console=hvc0 quiet panic=1"
		memory = 128
		vcpus = 1
		p9 = [ 'tag=app0,security_model=none,path=$dir/app0',
			'tag=app1,security_model=none,path=$dir/app1',
			'tag=app2,security_model=none,path=$dir/app1' ]
		on_poweroff = "preserve"
		on_reboot = "preserve"
		on_crash = "preserve"
	END
	lab_run "cat $dir/initrd.cpio $dir/spec.cpio >$dir/ramdisk.cpio && rm -rf $dir/out &&
		mkdir $dir/out && xl create -q $dir/pod.cfg" || bail "xl create"
	domid=$(lab_run xl domid lab-pod)
}

node() {
	lab_run xenstore-read "/local/domain/$domid/data/xenpod/$1"
}

# The node's value, however long that takes, once it matches.
expect_node() {
	wait_for 180 "xenstore-read /local/domain/$domid/data/xenpod/$1 | grep -Eqx '$2'" || :
	expect_match "$1 is: $2" "$(node "$1")" "^$2\$"
}

client() {
	lab_run "$dir/guestclient $domid $uuid 7 $*"
}

# A streams client in the background of Dom-0.
attach() {
	lab_run "$dir/guestclient $domid $uuid 7 streams $dir/out >$dir/frames 2>&1 </dev/null &"
}

# enter APP OPTIONS COMMAND: what it printed, then its code.
enter() {
	local rc=0

	client enter "$@" 2>&1 || rc=$?
	echo "code $rc"
}

# Destroys it and waits until it has left the list, whoever still maps its pages.
# shellcheck disable=SC2317 # called by check
destroy() {
	lab_run "xl destroy lab-pod; end=\$((SECONDS + 60))
		while xl list | awk -v id=$domid '\$2 == id { n++ } END { exit !n }'; do
			[ \$SECONDS -lt \$end ] || exit 1; sleep 0.5; done"
}

make -s -C "$top" guest guestclient >"$scratch/make" 2>&1 || bail "make guest" "$(cat "$scratch/make")"
leftovers_snapshot base
make_roots
lab_run mkdir -p $dir
lab_put "$top/build/guest/vmlinux" $dir/vmlinux
lab_put "$top/build/guest/initrd.cpio" $dir/initrd.cpio
lab_put "$top/build/release/lab/guestclient" $dir/guestclient
lab_put "$scratch/app0" $dir/app0
lab_put "$scratch/app1" $dir/app1

# ---- pod 1: apps, users, sessions, xl shutdown --------------------------------------------------

# shellcheck disable=SC2016 # for the guest's shell
create "$(spec "$(app web app0 web /srv false '["sh","-c",
	"echo hello; echo oops >&2; id; pwd; echo $COLOUR; hostname; exec sleep 1000"]'),$(
	app side app1 root / true '["sh","-c",
	"touch /x; trap \"echo bye; exit 0\" TERM; echo ready; while :; do sleep 1; done"]')")"
expect_node pod '[0-9]+ running'
expect_node app/0 '2 running'
attach
expect_soon "output comes" 60 "grep -q guest-test $dir/out/web.1 && grep -q ready $dir/out/side.1"
expect_eq "stdout of the first app" "$(lab_run cat $dir/out/web.1)" "hello
uid=1000(web) gid=1001(web) groups=400,500,1001(web)
/srv
blue
guest-test"
expect_eq "its stderr is apart" "$(lab_run cat $dir/out/web.2)" oops
expect_match "the second app's root is read-only" "$(lab_run cat $dir/out/side.2)" 'Read-only'

expect_eq "enter: output, environment, code" \
	"$(enter web -e PATH=/bin -e A=b sh -c "'echo \$A; id -u; pwd; exit 7'")" "b
0
/
code 7"
expect_eq "enter: a program that is not there" "$(enter web -e PATH=/bin nosuch)" \
	'xenpod-init: no program "nosuch" in PATH=/bin
code 127'
expect_eq "enter: killed by a signal" "$(enter web -s 15 -e PATH=/bin sleep 1000)" 'code 143'
head -c 200000 /dev/urandom >"$scratch/bytes"
lab_in "$dir/guestclient $domid $uuid 7 enter web -e PATH=/bin cat" <"$scratch/bytes" \
	>"$scratch/bytes.back"
check "enter: bytes go through as they are" cmp "$scratch/bytes" "$scratch/bytes.back"
expect_match "enter: a terminal" "$(enter side -t 33x77 -e PATH=/bin sh -c "'tty; stty size'")" \
	'/dev/pts/0.*33 77.*code 0'
expect_match "enter: an unknown app" "$(enter nosuch id)" 'has no app .*nosuch.*code 98'
expect_match "a second streams client" "$(client streams /tmp 2>&1)" 'another client'
expect_match "another pod's uuid" \
	"$(lab_run "$dir/guestclient $domid ${uuid/f/e} 7 streams /tmp" 2>&1)" 'this is pod'
expect_match "bytes that are no frame" \
	"$(lab_run "head -c 500 /dev/urandom | tr '\\000-\\014' x | $dir/guestclient $domid $uuid 7 raw" 2>&1)" \
	'ERROR'
expect_match "a frame that is too long" \
	"$(lab_run "printf '\\001\\000\\000\\000\\377\\377\\377\\377' | $dir/guestclient $domid $uuid 7 raw" 2>&1)" \
	'ERROR'
lab_run "$dir/guestclient $domid $uuid 7 enter web -e PATH=/bin sh -c 'trap \"\" HUP
	touch /srv/alive; while :; do sleep 1; done' >/dev/null 2>&1 </dev/null &
	pid=\$!; end=\$((SECONDS + 60)); until [ -e $dir/app0/srv/alive ]; do sleep 0.2; done; kill -9 \$pid"
expect_soon "a command whose client was killed is killed" 60 \
	"all=\$($dir/guestclient $domid $uuid 7 enter web -e PATH=/bin sh -c \
	'cat /proc/[0-9]*/cmdline' </dev/null | tr '\\000' ' ')
	case \$all in *srv/alive*) false ;; *'sleep 1000'*) true ;; *) false ;; esac"
expect_soon "every ring but the attached and the free one is gone" 30 \
	"[ \$(xenstore-list /local/domain/$domid/data/xenpod/s | wc -l) = 2 ]"

check "xl shutdown" lab_run xl shutdown lab-pod
expect_node pod '[0-9]+ done 0'
expect_eq "killed by our TERM" "$(node app/0)" '3 killed 15'
expect_eq "ended by itself" "$(node app/1)" '3 exited 0'
expect_eq "its last words" "$(lab_run tail -n 1 $dir/out/side.1)" bye
expect_soon "END is the last frame" 30 "[ \"\$(tail -n 1 $dir/frames)\" = 'END 0' ]"
expect_soon "the guest powers off by itself" 60 "xl list lab-pod | grep -q -- '---s--'"
check "it goes" destroy

# ---- pod 2: the first failure decides; a client that comes late and reads slowly ----------------

grace=10000
create "$(spec "$(app talk app0 root / false '["sh","-c",
	"dd if=/dev/zero bs=1000 count=300; echo end; exit 5"]'),$(
	app side app1 root / false '["sh","-c",
	"trap \"echo bye; exit 0\" TERM; while :; do sleep 1; done"]'),$(
	app deaf app2 root / false '["sh","-c","trap \"\" TERM; while :; do sleep 1; done"]')")"
expect_node pod '[0-9]+ running'
lab_run sleep 3
expect_eq "an app whose output nobody takes waits" "$(node app/0)" '2 running'
frames=$(lab_run "timeout 200 $dir/guestclient $domid $uuid 7 streams $dir/out slow")
expect_eq "a slow client is told all of it" "$(sort <<<"$frames")" 'APP 0 exited 5
APP 1 exited 0
APP 2 killed 9
END 5
EOF 0 1
EOF 0 2
EOF 1 1
EOF 1 2
EOF 2 1
EOF 2 2
WELCOME {"version":1,"apps":["talk","side","deaf"]}'
expect_eq "the pod's end comes last" "$(tail -n 1 <<<"$frames")" 'END 5'
expect_eq "every byte" "$(lab_run "stat -c %s $dir/out/talk.1")" 300004
expect_match "the console says who did not end" \
	"$(lab_run cat /var/log/xen/console/guest-lab-pod.log)" 'app deaf did not end within 10000 ms'
expect_node pod '[0-9]+ done 5'
check "it goes" destroy

# ---- pod 3: cannot start; nobody comes for the output -------------------------------------------

create "$(spec "$(app none app0 root / false '["nosuch"]'),$(
	app side app1 root / false '["sleep","1000"]')")"
expect_node pod '[0-9]+ done 203'
expect_eq "exec failure" "$(node app/0)" '2 failed 203 no program "nosuch" in PATH=/bin'
expect_match "the other one is stopped" "$(node app/1)" '^[0-9] killed 15$'
expect_match "the console says why" "$(lab_run cat /var/log/xen/console/guest-lab-pod.log)" \
	'no program "nosuch" in PATH=/bin.*output is lost'
check "it goes" destroy

# ---- pod 4: a broken spec -----------------------------------------------------------------------

create "$(spec "$(app web app0 root srv false '["sh"]')")"
expect_node pod '[0-9]+ failed .*app "web": "cwd" must be an absolute path'
check "it goes" destroy

lab_run "rm -rf $dir; rm -f /var/log/xen/*lab-pod* /var/log/xen/console/guest-lab-pod.log"
expect_nothing_left "nothing is left"
finish
