#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash
# PID 1 of 20-world's test guest: mounts its two trees, writes the nodes that xenpod-init would
# write, then does what it finds in /rw/command.
/bin/busybox --install -s /bin
export PATH=/bin:/sbin
mkdir -p /proc /dev /ro /rw
mount -t proc proc /proc
mount -t devtmpfs dev /dev
while read -r module; do insmod "/modules/$module"; done </modules/order
xsput data/xenpod/pod "1 booting" 1
opts=trans=xen,version=9p2000.L,msize=131072,cache=mmap
mount -t 9p -o $opts ro /ro
mount -t 9p -o $opts rw /rw
cp /xenpod/spec.json /rw/spec
stat -c %a /xenpod/spec.json >/rw/mode
cp /ro/question /rw/answer
{ echo x >/ro/written || echo refused; } >/rw/read-only 2>/dev/null
xsput data/xenpod/app/7 "1 running" 1
xsput data/xenpod/app/0 "1 running" 1
xsput data/xenpod/pod "2 running" 1
while :; do
	[ -e /rw/command ] || { sleep 0.2; continue; }
	command=$(cat /rw/command)
	rm /rw/command
	case $command in
	panic) echo c >/proc/sysrq-trigger ;;
	flood) xsput data/xenpod/app/0 "%d running" 1000 ;;
	nonsense) xsput data/xenpod/app/0 "$(printf '\303\251\001\nb%0500d' 7)" 1 ;;
	esac
done
