#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: core
# PODS: 2
#
# What a manifest asks for, seen by the apps themselves: users, environment, files, volumes, handlers
# and limits, in one pod of four apps; and a pod that asks for nothing and is not to be confined.
# shellcheck source=tests/lab/inside.sh
. "$(dirname "$0")/../inside.sh"

inside_begin

# ---- what the host has --------------------------------------------------------------------------

mkdir -p $work/host/below $work/ro/sub
echo 'a line of the host' >$work/host/file
mount -t tmpfs sub $work/host/below -o size=1m
echo 'a line of another file system' >$work/host/below/file
echo 'read only' >$work/ro/file
echo 'a setting' >$work/settings

# ---- images -------------------------------------------------------------------------------------

# shellcheck disable=SC2016 # the app must get it as it is
image who '{"exec": ["who", "two words", "$HOME"], "user": "demo", "group": "demo",
	"supplementaryGIDs": [500, 1200], "workingDirectory": "/home/demo",
	"environment": [{"name": "X", "value": "a = b  c"}, {"name": "PATH", "value": "/bin"}],
	"eventHandlers": [{"name": "pre-start", "exec": ["/bin/sh", "-c", "id -u >/out/pre-start; sleep 1"]}]}' <<'END'
#!/bin/sh
trap 'exit 0' TERM
stat -c 'began %Y' /out/pre-start >/out/order
date '+now %s' >>/out/order
probe "$@" >/out/who 2>&1
sleep 100000 &
wait
END

image vols '{"user": "0", "group": "0"}' <<'END'
#!/bin/sh
trap 'exit 0' TERM
exec >/out/vols 2>&1
probe
cat /data/file /data/below/file /etc/conf/settings /ro/file
echo 'written by the app' >/data/written
echo 'written below' >/data/below/written
chmod 4755 /data/written
mknod /data/null c 1 3
touch /ro/x || echo 'ro is read-only'
touch /ro/sub/x || echo 'below ro is read-only'
echo x >>/etc/conf/settings || echo 'settings are read-only'
stat -c 'shared %a %u:%g' /shared
while ! [ -e /shared/word ]; do sleep 1; done
cat /shared/word
sleep 100000 &
wait
END

image tight '{"user": "0", "group": "0", "mountPoints": [{"name": "mine", "path": "/mine"}],
	"isolators": [{"name": "os/linux/capabilities-retain-set", "value": {"set": ["CAP_CHOWN", "CAP_KILL"]}},
		{"name": "os/linux/no-new-privileges", "value": true},
		{"name": "os/linux/oom-score-adj", "value": 500},
		{"name": "os/linux/cpu-shares", "value": 512},
		{"name": "os/linux/seccomp-remove-set", "value": {"set": ["mkdir", "mkdirat"], "errno": "ENOSYS"}},
		{"name": "resource/cpu", "value": {"limit": "500m"}},
		{"name": "resource/memory", "value": {"limit": "48Mi"}}]}' <<'END'
#!/bin/sh
trap 'exit 0' TERM
exec >/out/tight 2>&1
probe
touch /mine/x && echo 'mine is writable'
sleep 100000 &
wait
END

image plain '{"user": "1000", "group": "1000"}' <<'END'
#!/bin/sh
probe >/out/plain 2>&1
END

for name in who vols tight plain; do
	install -m 755 $inside/tools/probe.sh $work/images/$name/rootfs/bin/probe
done

# ---- the rich pod -------------------------------------------------------------------------------

start rich --hostname=rich \
	--volume=out,kind=host,source=$out --mount=volume=out,target=/out \
	--volume=data,kind=host,source=$work/host --volume=ro,kind=host,source=$work/ro,readOnly=true \
	--volume=settings,kind=host,source=$work/settings,readOnly=true \
	--volume=shared,kind=empty,mode=0770,uid=1000,gid=1000 \
	$work/images/who --memory=32Mi --mount=volume=shared,target=/shared \
	--- $work/images/vols --memory=32Mi --mount=volume=data,target=/data --mount=volume=ro,target=/ro \
	--mount=volume=settings,target=/etc/conf/settings --mount=volume=shared,target=/shared \
	--- $work/images/tight --readonly-rootfs=true
runs rich
soon "every app has said what it sees" 120 \
	sh -c "grep -q modules $out/who && grep -q shared $out/vols && grep -q modules $out/tight"

said who "user, group and supplementary groups" 'uid 1000 gid 1000 groups 1000 500 1200'
said who "working directory" 'cwd /home/demo'
said who "environment, with the defaults" 'env X=a = b  c HOME=/root USER=root SHELL=/bin/sh'
# shellcheck disable=SC2016 # that is the point
said who "arguments are neither split nor expanded" 'arguments two words $HOME'
said who "host name" 'hostname rich rich'
said who "machine id: the pod's UUID" "machine-id ${uuid//-/}"
said who "a user has no capabilities" 'CapEff: 0000000000000000'
said who "rkt's default bounding set" 'CapBnd: 00000000a80425fb'
said who "a user under a filter gains no privileges" 'NoNewPrivs: 1'
said who "the default filter" 'Seccomp: 2'
said who "what would harm the domain is closed" 'sysrq is closed'
said who "or hidden" 'modules 0'
said pre-start "pre-start ran as root" 0
check "and was over when the app began" sh -c \
	"[ \$(sed -n 's/^now //p' $out/order) -ge \$((\$(sed -n 's/^began //p' $out/order) + 1)) ]"

said vols "a host folder" 'a line of the host'
said vols "another file system below it" 'a line of another file system'
said vols "a file volume" 'a setting'
said vols "a read-only volume" 'read only'
said vols "which is read-only" 'ro is read-only'
said vols "to its depth" 'below ro is read-only'
said vols "a read-only file" 'settings are read-only'
said vols "an empty volume has its mode and owner" 'shared 770 1000:1000'
said vols "the image's root is writable" 'root is writable'
expect_eq "what an app writes is on the host" "$(cat $work/host/written)" 'written by the app'
expect_eq "below as well" "$(cat $work/host/below/written)" 'written below'
check "the guest has made no device node on the host" test ! -e $work/host/null
check_not "nor a setuid program" test -u $work/host/written
expect_eq "exports are nosuid and nodev" \
	"$(findmnt -rno OPTIONS | grep -c .; findmnt -rno TARGET,OPTIONS | grep "/run/xenpod/pods/$uuid/tree" |
		grep -vc 'nosuid,nodev')" "$(findmnt -rno OPTIONS | grep -c .)"$'\n0'
check "who and vols share the empty volume" in_pod who /bin/sh -c 'echo "a word" >/shared/word'
soon "both see what is in it" 60 grep -qx 'a word' $out/vols

said tight "capabilities: the retain set" 'CapBnd: 0000000000000021'
said tight "no new privileges" 'NoNewPrivs: 1'
said tight "a filter's errno" 'mkdir fails'
said tight "oom score" 'oom_score_adj 500'
said tight "a read-only root" 'root is read-only'
said tight "an implicit volume in it" 'mine is writable'
read -r _ _ memory vcpus _ < <(xl list "$uuid" | tail -n 1)
# 112 MiB of limits, and half a core on top of two apps without a limit
expect_eq "xl list shows what xenpod-status shows" "$memory $vcpus" \
	"$(status "$uuid" '.pod | "\(.memory_kib / 1024) \(.vcpus)"')"
check "the domain has the limits' sum and no more than twice as much" \
	test "$memory" -ge 112 -a "$memory" -lt 256
# shellcheck disable=SC2016 # for the shell in the domain
limits=$(in_pod tight /bin/sh -c 'mount -t cgroup2 none /tmp && cd /tmp/app-tight &&
	echo $(cat memory.max memory.oom.group cpu.max cpu.weight) && cd / && umount /tmp')
expect_eq "inside the domain its limits hold" "$limits" '50331648 1 50000 100000 50'

expect_eq "stop" "$(xenpod stop "$uuid")" "$uuid"
expect_end rich 0 exited stopped
expect_eq "nothing was written into the images" \
	"$(find $work/images/*/rootfs/etc -newer $work/settings -type f)" ''
umount $work/host/below

# ---- a pod that asks for nothing ----------------------------------------------------------------

start plain --memory=128Mi --insecure-options=all-run --volume=out,kind=host,source=$out \
	--mount=volume=out,target=/out $work/images/plain
expect_end plain 0 exited finished
said plain "host name as rkt gives it" "hostname rkt-$uuid rkt-$uuid"
said plain "all capabilities when nothing is to be restricted" 'CapBnd: 000001ffffffffff'
said plain "no filter" 'Seccomp: 0'
check "hosts: the fallback, with the name" grep -q "^hosts 127.0.0.1.*rkt-$uuid" $out/plain

inside_end
