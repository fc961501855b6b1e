#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `xenpod host check` without a Xen: hosts are trees of files (--root) with stand-ins for xenstored, xl, QEMU and
# the supervisor. First one on which all is well; then each is broken in one thing, and must show that one
# thing and what to do, whatever depends on it; nothing that hangs is waited for. Needs root.
# The last line is `N passed, N failed`.
set -u

# shellcheck source-path=SCRIPTDIR source=checks.bash
. "$(dirname "$0")/checks.bash"
here=$top/tests/contract
server=
end() {
	[ -z "$server" ] || kill "$server"
	wait 2>/dev/null
	rm -rf "$T"
}
trap end EXIT
chmod 755 "$T"
unset XENSTORED_PATH XENSTORED_RUNDIR NO_COLOR
built=$(grep -aoE 'libxenlight\.so\.[0-9.]+' "$bin/xenpod-act" | head -n 1 | sed 's/.*\.so\.//')

# ---- a good host ---------------------------------------------------------------------------------------

# file PATH [TEXT]: of the tree that we are in.
file() {
	mkdir -p "$(dirname "$1")"
	printf '%s' "${2-}" >"$1"
}

# process PID NAME STATE ARGUMENTS...: as /proc has it.
process() {
	file "proc/$1/comm" "$2"$'\n'
	file "proc/$1/stat" "$1 ($2) $3 1 1 0"
	printf '%s\0' "${@:4}" >"proc/$1/cmdline"
}

# stand_in PATH: a program, its text on stdin.
stand_in() {
	mkdir -p "$(dirname "$1")"
	{
		echo '#!/bin/sh'
		cat
	} >"$1"
	chmod 755 "$1"
}

good_xen() {
	file sys/hypervisor/type $'xen\n'
	file sys/hypervisor/version/major "${built%%.*}"$'\n'
	file sys/hypervisor/version/minor "${built#*.}"$'\n'
	file sys/hypervisor/version/extra $'.7-pre\n'
	file proc/xen/capabilities $'control_d\n'
	mkdir -p dev/xen run
	: >dev/xen/privcmd
	: >dev/xen/evtchn
	: >dev/xen/gntdev
	ln -s "$T/stores/good" run/xenstored
	file etc/xen/xl.conf $'# a comment\nautoballoon="off"\n'
	file etc/default/xen
	file xl-info "xen_major              : ${built%%.*}
xen_minor              : ${built#*.}
xen_caps               : xen-3.0-x86_64 hvm-3.0-x86_32 hvm-3.0-x86_64
virt_caps              : pv hvm hvm_directio pv_directio hap
total_memory           : 16384
free_memory            : 11212
xen_commandline        : placeholder dom0_mem=4096M,max:4096M
"
}

good_kernel() {
	file proc/sys/kernel/osrelease $'6.1.0-test\n'
	file proc/modules $'xen_netback 65536 0 - Live 0x0\nveth 1 0 - Live 0x0\n'
	file lib/modules/6.1.0-test/modules.builtin $'kernel/net/sched/sch_ingress.ko\n'
	file lib/modules/6.1.0-test/modules.dep \
		$'kernel/net/sched/cls_bpf.ko.xz:\nkernel/net/sched/act_mirred.ko: kernel/x.ko\nkernel/drivers/xen/xen-gntdev.ko: \n'
	file lib/modules/6.1.0-test/kernel/net/sched/cls_bpf.ko.xz
	file lib/modules/6.1.0-test/kernel/net/sched/act_mirred.ko
	file lib/modules/6.1.0-test/kernel/drivers/xen/xen-gntdev.ko
	file sys/fs/cgroup/cgroup.controllers 'cpu memory pids'
	file sys/fs/selinux/enforce 0
}

good_services() {
	mkdir -p run/systemd/system
	file usr/lib/systemd/system/xenconsoled.service
	file usr/lib/systemd/system/xenstored.service
	file usr/lib/systemd/system/xenpodd.service
	file etc/init.d/xen
	process 101 oxenstored S /usr/lib/xen/bin/oxenstored --no-fork
	process 102 xenconsoled S /usr/sbin/xenconsoled -i --log=guest --log-dir=/var/log/xen/console
	process 103 xen-qemu-system S /usr/libexec/xen-qemu-system-i386 -xen-domid 0 -xen-attach -name dom0
	process 104 xen-qemu-system S /usr/libexec/xen-qemu-system-i386 -xen-domid 7 -name pod
	process 105 xenpodd S xenpodd
	file proc/net/unix $'Num       RefCount Protocol Flags    Type St Inode Path\n0000: 00000002 00000000 00010000 0001 01 7 /run/xenpod/status\n'
	stand_in usr/libexec/xen-qemu-system-i386 <<-'END'
		case "$*" in
		*-version*) echo "QEMU emulator version 7.2.22 (test)" ;;
		*) echo "xenpv                Xen Para-virtualized PC" ;;
		esac
	END
}

good_network() {
	file etc/debian_version 12
	for plugin in ptp host-local bridge; do file "usr/lib/cni/$plugin"; done
	file etc/rkt/net.d/10-lan.conf '{"cniVersion": "0.4.0", "name": "lan", "type": "bridge", "bridge": "xenbr0",
		"ipam": {"type": "host-local", "subnet": "10.1.1.0/24"}}'
	mkdir -p sys/class/net/xenbr0/bridge
	file proc/sys/net/ipv4/ip_forward $'1\n'
	file proc/net/fib_trie $'Main:\n  +-- 0.0.0.0/0\n           |-- 10.1.1.1\n              /32 host LOCAL\n'
}

mkdir "$T/good" "$T/stand-ins"
cd "$T/good" || exit 1
good_xen
good_kernel
good_services
good_network
# Programs that are asked are this machine's: they answer for the host that is looked at.
stand_in "$T/stand-ins/xl" <<'END'
cat "$HOST/xl-info"
END
stand_in "$T/stand-ins/xenpod-status" <<'END'
[ ! -e "$HOST/health" ] || exec cat "$HOST/health"
echo '{"supervisor": {"version": "9.8", "world": "xen", "state": "running"}, "xen_seen": true, "store_error": ""}'
END
PATH=$T/stand-ins:$PATH
mkdir "$T/stores"
"$here/fake_xenstored.py" "$T/stores" good empty silent junk refuses hangs-up >"$T/ready" &
server=$!
until grep -qs ready "$T/ready"; do sleep 0.1; done

# look DIRECTORY ARGS...: what the check says of that host, and its exit status in $rc.
look() {
	rc=0
	HOST=$1 "${host:-$bin/xenpod-host}" --root="$1" --state-dir="$1/state" check "${@:2}" >"$T/out" 2>"$T/err" || rc=$?
}
not_well() { grep -E '^(warn|fail)' "$T/out"; }

look "$T/good"
cp "$T/out" "$T/out.good"
same "a good host: exit status" 0 "$rc"
same "a good host: nothing is not well" "" "$(not_well)"
same "a good host: nothing was left out" "" "$(grep '^skip' "$T/out")"
same "a good host: nothing on stderr" "" "$(cat "$T/err")"
same "a good host: the sum" "26 ok, 0 warn, 0 fail, 0 skip" "$(tail -n 1 "$T/out")"
same "what pods can be" 1 "$(grep -c '^ok    cpu           pods can be PV or PVH (VT-x or SVM, IOMMU)$' "$T/out")"
look "$T/good" --quiet
same "--quiet of a good host says nothing" "0 " "$rc $(cat "$T/out")"
look "$T/good" --json
cp "$T/out" "$T/json"
same "--json of a good host: all is well" 'ok 26 ok' \
	"$(jq -r '"\(.state) \(.checks | length) \([.checks[].state] | unique | join(","))"' "$T/out")"

# ---- broken in one thing ----------------------------------------------------------------------------------

tried=
# broken NAME STATE TEXT REMEDY [COMMAND]: that shell line, in a copy of the good host, breaks it: this check alone
# tells so, with the text in its line and the other in what is to be done.
broken() {
	local name=$1 state=$2 what="$1: ${5-as it is}" wanted=0
	[ "$state" = warn ] || wanted=1
	tried="$tried $name"
	rm -rf "$T/h"
	cp -a "$T/good" "$T/h"
	(cd "$T/h" && eval "${5-}") || same "$what: it can be broken" 0 $?
	look "$T/h" --timeout=2
	same "$what: exit status" $wanted "$rc"
	same "$what: one cause" "$state $name" "$(not_well | awk '{ print $1, $2 }' | paste -sd' ')"
	same "$what: says \"$3\": $(not_well)" 1 "$(not_well | grep -cF -- "$3")"
	same "$what: what to do, \"$4\": $(grep -e '->' "$T/out")" 1 "$(grep -e '^  *-> ' "$T/out" | grep -cF -- "$4")"
	same "$what: what depends on it is left out because of it" "" "$(grep '^skip' "$T/out" | grep -v " needs $name\$")"
	same "$what: nothing on stderr" "" "$(cat "$T/err")"
	look "$T/h" --timeout=2 --json
	same "$what: exit status with --json" $wanted "$rc"
	cat "$T/out" >>"$T/json"
	echo "$state $name" >>"$T/json.wanted"
}

broken xen fail 'does not run under Xen' 'choose its entry' 'rm -r sys/hypervisor proc/xen dev/xen run/xenstored'
broken xen fail 'does not run under Xen' 'then "xenpod host efi plan"' 'echo kvm >sys/hypervisor/type; mkdir -p sys/firmware/efi'
broken xen fail 'does not run under Xen' 'choose its entry' 'echo kvm >sys/hypervisor/type'
broken xen fail 'Xen 4.8.7-pre is too old' 'boot Xen 4.9' \
	'echo 4 >sys/hypervisor/version/major; echo 8 >sys/hypervisor/version/minor'
broken dom0 fail 'xenfs is not mounted' 'mount -t xenfs xenfs /proc/xen' 'rm proc/xen/capabilities'
broken dom0 fail 'a guest of Xen' 'in Dom-0' ': >proc/xen/capabilities'
broken libxl fail "built for libxl $built, but Xen 4.99 runs" "boot Xen $built" 'echo 99 >sys/hypervisor/version/minor'

broken devices fail 'xen-gntdev is not loaded' 'modprobe xen-gntdev;' 'rm dev/xen/gntdev'
broken devices fail 'this kernel has no xen-gntdev' 'apt-get install linux-image-amd64' \
	'rm dev/xen/gntdev lib/modules/*/kernel/drivers/xen/xen-gntdev.ko'
broken devices fail 'this kernel has no xen-evtchn' 'dnf install kernel-modules' 'rm dev/xen/evtchn etc/debian_version'
broken devices fail 'there is no /dev/xen/evtchn, but xen-evtchn is loaded' 'modprobe -r xen-evtchn' \
	'rm dev/xen/evtchn; echo "xen_evtchn 1 0 - Live 0x0" >>proc/modules'
broken devices fail 'this kernel has no xen-privcmd' 'boot that kernel' 'rm dev/xen/privcmd'
broken net-modules fail 'no xen-netback' 'apt-get install linux-image-amd64' 'echo >proc/modules'
broken net-modules fail 'no sch_ingress' 'linux-image-amd64' ': >lib/modules/6.1.0-test/modules.builtin'
broken net-modules fail 'no cls_bpf' 'linux-image-amd64' 'mv lib/modules/6.1.0-test/kernel/net/sched/cls_bpf.ko.xz cls_bpf.away'
broken net-modules fail 'no act_mirred' 'linux-image-amd64' 'sed -i /act_mirred/d lib/modules/6.1.0-test/modules.dep'
broken cgroup warn 'no version 2' 'systemd.unified_cgroup_hierarchy=1' 'rm sys/fs/cgroup/cgroup.controllers'
broken selinux warn enforcing 'setenforce 0' 'echo 1 >sys/fs/selinux/enforce'

broken xenstored fail 'it does not run (' 'systemctl start xenstored' 'rm run/xenstored; rm -r proc/101'
broken xenstored fail 'it does not run (' 'systemctl start xen' 'rm -r run/xenstored proc/101 usr/lib/systemd'
broken xenstored fail 'it does not run (' 'sv start xenstored' 'rm -r run/xenstored proc/101; mkdir -p etc/service/xenstored'
broken xenstored fail 'it does not run (' 'service xencommons start' \
	'rm -r run/xenstored run/systemd proc/101; file etc/init.d/xencommons'
broken xenstored fail 'it does not run (' 'xenpod host services setup' 'rm -r run/xenstored proc/101 usr/lib/systemd etc/init.d'
broken xenstored fail 'process 101 has been stopped' 'kill -CONT 101' \
	'ln -sfn "$T/stores/silent" run/xenstored; process 101 oxenstored T oxenstored'
broken xenstored fail 'process 101: it does not answer' 'reboot' 'ln -sfn "$T/stores/silent" run/xenstored'
broken xenstored fail 'what answers is no xenstored' 'reboot' 'ln -sfn "$T/stores/junk" run/xenstored'
broken xenstored fail 'it answers EACCES' 'reboot' 'ln -sfn "$T/stores/refuses" run/xenstored'
broken xenstored fail 'it hangs up' 'reboot' 'ln -sfn "$T/stores/hangs-up" run/xenstored'
broken init-dom0 fail '/local/domain/0/domid: xenstore does not have it' 'start xen' 'ln -sfn "$T/stores/empty" run/xenstored'
broken xenconsoled fail 'it does not run' 'systemctl start xenconsoled' 'rm -r proc/102'
broken xenconsoled fail 'it does not run' 'systemctl start xenconsoled' 'process 102 xenconsoled Z'
broken xenconsoled fail 'process 102 has been stopped' 'kill -CONT 102' 'process 102 xenconsoled T xenconsoled --log=guest'
broken console-log warn 'not logged' 'echo XENCONSOLED_ARGS=--log=guest >>/etc/default/xen, and start xenconsoled anew' \
	'process 102 xenconsoled S xenconsoled; rm -r run/systemd'
broken console-log warn 'not logged' 'echo XENCONSOLED_ARGS=--log=guest >>/etc/default/xen, and systemctl restart xen' 'process 102 xenconsoled S xenconsoled'
broken console-log warn 'not logged' 'echo XENCONSOLED_TRACE=guest >>/etc/sysconfig/xencommons, and systemctl restart xenconsoled' \
	'process 102 xenconsoled S xenconsoled --log=hv --log-dir=guest; file etc/sysconfig/xencommons'
broken disk-backend warn 'no QEMU serves' 'start xen' 'rm -r proc/103'
broken disk-backend warn 'no QEMU serves' 'sv start xen-init-dom0-disk-backend' 'rm -r proc/103; mkdir -p etc/service/xen-init-dom0-disk-backend'
broken disk-backend warn 'no QEMU serves' 'xenpod host services setup' \
	'rm -r proc/103 usr/lib/systemd; mkdir -p etc/systemd/system; ln -sf /dev/null etc/systemd/system/xen.service; ln -sf /dev/null etc/systemd/system/xencommons.service'
broken console-log warn 'not logged' 'start xenconsoled with --log=guest' 'process 102 xenconsoled S xenconsoled; mkdir -p etc/service/xenconsoled'

broken xl fail 'xl info: it did not end within 2000 ms' 'xl -vvv info' 'file xl-info; rm xl-info; mkfifo xl-info'
broken xl fail 'xl info: exit status 1' 'xl -vvv info' 'rm xl-info'
broken cpu fail 'no 64-bit guests' "firmware's menu" 'sed -i "s/^xen_caps.*/xen_caps : xen-3.0-x86_32p/" xl-info'
broken memory warn '970 of 16384 MiB are free: only a pod with a limit' 'xl mem-set 0 2048' 'sed -i "s/^free_memory.*/free_memory : 970/" xl-info'
broken memory fail '112 of 16384 MiB are free' 'xl mem-set 0 2048' 'sed -i "s/^free_memory.*/free_memory : 112/" xl-info'
broken memory fail 'no pod has room' 'dom0_mem=' 'sed -i -e "s/^free_memory.*/free_memory : 0/" -e "s/dom0_mem=.*//" xl-info; rm etc/xen/xl.conf'
broken memory fail '-1 of -1 MiB' 'dom0_mem=' 'sed -i "/_memory/d" xl-info'
broken autoballoon warn 'on: xl takes memory' 'autoballoon="off"' 'echo "autoballoon = \"on\"" >>etc/xen/xl.conf'
broken autoballoon warn 'on: xl takes memory' 'autoballoon="off"' 'rm etc/xen/xl.conf; sed -i "s/dom0_mem=.*//" xl-info'
broken qemu fail 'no QEMU of Xen' 'apt-get install qemu-system-xen' 'rm usr/libexec/xen-qemu-system-i386'
broken qemu fail 'fsdev support is disabled' 'install qemu-system-xen' \
	'echo "echo fsdev support is disabled >&2; exit 1" | stand_in usr/libexec/xen-qemu-system-i386'
broken qemu fail 'built without Xen' 'install qemu-system-xen' 'echo "echo none" | stand_in usr/libexec/xen-qemu-system-i386'
broken qemu fail 'did not end within' 'install' 'echo "sleep 60" | stand_in usr/libexec/xen-qemu-system-i386'

broken networks fail '/etc/rkt/net.d/20-x.conf' 'put that file right' 'echo "{" >etc/rkt/net.d/20-x.conf'
broken networks fail '/etc/rkt/net.d/20-x.conf: it cannot be read' 'put that file right' 'mkfifo etc/rkt/net.d/20-x.conf'
broken cni-plugins fail 'network "lan": there is no plugin "bridge"' 'apt-get install containernetworking-plugins' 'rm usr/lib/cni/bridge'
broken cni-plugins fail 'network "lan": there is no plugin "bridge"' 'install containernetworking-plugins' 'mv usr/lib/cni cni.away'
broken cni-plugins warn 'network "default": there is no plugin "ptp"' 'install containernetworking-plugins' 'rm -r etc/rkt usr/lib/cni'
broken bridges fail 'network "lan": there is no bridge xenbr0' 'ip link add xenbr0 type bridge' 'rm -r sys/class/net/xenbr0'
broken forwarding fail 'off, but this host is the gateway of network "lan"' 'sysctl -w net.ipv4.ip_forward=1' 'echo 0 >proc/sys/net/ipv4/ip_forward'
ours='mkdir state; echo "{\"options\": {\"bridge\": \"xenbr0\"}, \"steps\": []}" >state/network.json'
broken bridges fail 'network "lan": there is no bridge xenbr0' '-> xenpod host network up' "rm -r sys/class/net/xenbr0; $ours"
broken forwarding fail 'gateway of network "lan"' '-> xenpod host network up' "echo 0 >proc/sys/net/ipv4/ip_forward; $ours"
broken forwarding fail 'off for eth0, the way out of network "lan"' '-> xenpod host network up' 'echo 0 >proc/sys/net/ipv4/ip_forward
	mkdir -p state proc/sys/net/ipv4/conf/xenbr0 proc/sys/net/ipv4/conf/eth0; echo 1 >proc/sys/net/ipv4/conf/xenbr0/forwarding; echo 0 >proc/sys/net/ipv4/conf/eth0/forwarding
	echo "{\"options\": {\"bridge\": \"xenbr0\", \"chosen_out\": \"eth0\"}, \"steps\": []}" >state/network.json'
broken forwarding fail 'gateway of network "lan"' 'sysctl' 'echo 0 >proc/sys/net/ipv4/ip_forward
	sed -i "s/10.1.1.1/10.1.1.7/" proc/net/fib_trie
	sed -i "s/\"subnet\"/\"gateway\": \"10.1.1.7\", \"subnet\"/" etc/rkt/net.d/10-lan.conf'

broken supervisor warn 'the first request starts it' 'systemctl start xenpodd' 'rm -r proc/105'
broken supervisor fail 'nobody listens for it' 'systemctl enable --now' 'rm -r proc/105; rm proc/net/unix'
broken supervisor fail 'nobody listens for it' 'xenpod host services setup --xenpodd' \
	'rm -r proc/105; rm proc/net/unix; find . -name "xenpodd.service" -delete'
broken supervisor fail 'nobody listens for it' 'sv start xenpodd' 'rm -r proc/105; rm proc/net/unix; mkdir -p etc/service/xenpodd'
broken supervisor fail 'nobody listens for it' 'start xenpodd as root' 'rm -r proc/105 run/systemd; rm proc/net/unix'
broken supervisor fail 'process 105 has been stopped' 'kill -CONT 105' 'process 105 xenpodd T xenpodd'
broken supervisor fail 'does not answer: xenpod-status --health: it did not end' 'systemctl restart' 'mkfifo health'
broken supervisor fail 'it does not see Xen: lost' 'journalctl -u xenpodd' 'echo "{\"xen_seen\": false, \"degraded\": \"lost\"}" >health'
broken supervisor fail 'cannot write its database: full' 'df -h' 'echo "{\"store_error\": \"full\"}" >health'
broken supervisor fail 'does not answer: ' 'journalctl -u xenpodd' 'echo "{" >health'

# Of the installation itself.
mkdir "$T/alone"
cp "$bin/xenpod-host" "$T/alone/"
host=$T/alone/xenpod-host broken libxl fail 'xenpod-act is not installed' 'install xenpod anew' true
stand_in "$T/alone/xenpod-act" <<END
# libxenlight.so.$built
echo "error while loading shared libraries: libxenlight.so.$built: cannot open shared object file" >&2
exit 127
END
host=$T/alone/xenpod-host broken libxl fail 'cannot open shared object file' "libraries of version $built" true

# What was said as JSON is the same.
same "JSON: each document by its schema" "$(wc -l <"$T/json")" "$(/usr/bin/python3 "$here/schema.py" host-check "$T/json" | tail -n 1)"
same "JSON: each tells what the lines told" "" "$(jq -r '.checks[] | select(.state == "fail" or .state == "warn") | "\(.state) \(.name)"' \
	"$T/json" | diff "$T/json.wanted" - | head)"

# Every check has been seen to find something; Secure Boot and root are below.
same "each check has a broken host" "" \
	"$(comm -3 <(awk '/^ok / { print $2 }' "$T/out.good" | grep -vxE 'root|secure-boot|manager|rkt' | sort -u) <(tr ' ' '\n' <<<"$tried" | grep . | sort -u))"

# ---- what is no fault ---------------------------------------------------------------------------------------

# fine NAME TEXT COMMAND: nothing is not well, and the line of that check says so.
fine() {
	rm -rf "$T/h"
	cp -a "$T/good" "$T/h"
	(cd "$T/h" && eval "$3")
	look "$T/h"
	same "$1: $3: is well" "0 " "$rc $(not_well)"
	same "$1: $3: says \"$2\": $(grep " $1 " "$T/out")" 1 "$(grep " $1 " "$T/out" | grep -cF -- "$2")"
}
efi=sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c
fine secure-boot 'off' "file $efi; printf '\6\0\0\0\0' >$efi"
fine secure-boot 'Xen has booted with it' "file $efi; printf '\6\0\0\0\1' >$efi"
fine secure-boot 'knows none' "file $efi junk-and-more"
fine cpu 'pods can be PV (no VT-x or SVM in use, no IOMMU)' \
	'sed -i -e "s/^xen_caps.*/xen_caps : xen-3.0-x86_64 /" -e "s/^virt_caps.*/virt_caps : pv/" xl-info'
fine cpu 'pods can be PVH (' 'sed -i "s/^xen_caps.*/xen_caps : hvm-3.0-x86_64/" xl-info'
fine autoballoon 'off' 'rm etc/xen/xl.conf'
fine autoballoon 'off' 'echo autoballoon=0 >etc/xen/xl.conf; sed -i "s/dom0_mem=.*//" xl-info'
fine console-log 'are logged' 'process 102 xenconsoled S xenconsoled --log all'
fine selinux none 'rm sys/fs/selinux/enforce'
fine devices 'privcmd, evtchn, gntdev' 'rm -r lib/modules/6.1.0-test/kernel/drivers'
fine bridges 'those that networks name' 'rm -r sys/class/net/xenbr0; sed -i "s/\"bridge\": /\"isGateway\": true, \"bridge\": /" etc/rkt/net.d/10-lan.conf'
fine forwarding 'off; plugins turn it on' 'echo 0 >proc/sys/net/ipv4/ip_forward; : >proc/net/fib_trie'
fine forwarding 'off; plugins turn it on' 'echo 0 >proc/sys/net/ipv4/ip_forward; rm -r etc/rkt'
fine forwarding 'on for the bridges that need it' 'echo 0 >proc/sys/net/ipv4/ip_forward
	for bridge in $(grep -ho "\"bridge\": *\"[^\"]*\"" etc/rkt/net.d/* | cut -d\" -f4); do
		mkdir -p "proc/sys/net/ipv4/conf/$bridge" && echo 1 >"proc/sys/net/ipv4/conf/$bridge/forwarding"
	done'
fine networks '0 of this host' 'rm -r etc/rkt'
fine manager runit 'rm -r run/systemd; mkdir -p etc/service'
fine manager 'not systemd' 'rm -r run/systemd'
fine rkt 'xenpod run needs none' true

# Firmware that boots no Xen is told beside the Xen that is not there: both have to be put right.
cd "$T/good" && mkdir -p "$T/sb" && cd "$T/sb" && file $efi && printf '\6\0\0\0\1' >$efi
look "$T/sb"
same "Secure Boot before there is a Xen" 'fail xen warn secure-boot' "$(not_well | grep -E ' (xen|secure-boot) ' | awk '{ print $1, $2 }' | paste -sd' ')"

# ---- nothing that hangs is waited for ---------------------------------------------------------------------

rm -rf "$T/h"
cp -a "$T/good" "$T/h"
cd "$T/h" || exit 1
echo "sleep 60" | stand_in usr/libexec/xen-qemu-system-i386
rm xl-info
mkfifo xl-info health
rm etc/xen/xl.conf proc/net/fib_trie
mkfifo etc/xen/xl.conf proc/net/fib_trie
began=$SECONDS
look "$T/h" --timeout=0.5
same "all that is asked hangs: it ends" 1 $((SECONDS - began < 20))
same "all that is asked hangs: each is told" "xl qemu supervisor" "$(not_well | awk '{ print $2 }' | paste -sd' ')"
same "nothing that was asked is left" "" "$(pgrep -f "$T/h/usr/libexec")"

# ---- how it is shown ----------------------------------------------------------------------------------------

(cd "$T/good" && rm -rf "$T/h" && cp -a "$T/good" "$T/h" && cd "$T/h" && rm -r proc/102)
look "$T/h" --quiet
same "--quiet: the fault, and what to do" $'fail  xenconsoled   it does not run: pods\' domains have no console\n                    -> systemctl start xenconsoled' "$(cat "$T/out")"
same "no colours in a file" 0 "$(grep -c $'\033' "$T/out")"
# terminal ENVIRONMENT...: how many lines have colours there.
terminal() {
	HOST=$T/h script -qec "env $* $bin/xenpod-host --root=$T/h check" /dev/null </dev/null | grep -c $'\033\[3'
}
same "colours on a terminal" 1 $(($(terminal TERM=xterm) > 20))
same "NO_COLOR" 0 "$(terminal TERM=xterm NO_COLOR=1)"
same "TERM=dumb" 0 "$(terminal TERM=dumb)"
rc=0
setpriv --reuid=nobody --regid=nogroup --clear-groups "$bin/xenpod-host" --root="$T/good" check >"$T/out" 2>&1 || rc=$?
same "not root: exit status" 1 "$rc"
same "not root: says so, and does not ask" 'fail root' "$(not_well | awk '{ print $1, $2 }' | paste -sd' ')"
same "not root: what was not asked" "autoballoon console-log cpu disk-backend init-dom0 memory supervisor xenconsoled xenstored xl" \
	"$(grep '^skip.* needs root$' "$T/out" | awk '{ print $2 }' | sort | paste -sd' ')"

# ---- bad input ------------------------------------------------------------------------------------------------

# bad TEXT ARGS...
bad() {
	rc=0
	"$bin/xenpod-host" "${@:2}" >"$T/out" 2>"$T/err" || rc=$?
	same "bad input, ${*:2}" "254 0 1 1" "$rc $(wc -c <"$T/out") $(wc -l <"$T/err") $(grep -cF -- "$1" "$T/err")"
}
bad 'check takes no "all" (see --help)' check all
bad '--timeout=0: seconds are wanted' check --timeout=0
bad '--timeout=soon: seconds are wanted' check --timeout=soon
bad '--timeout=99999999999: seconds are wanted' check --timeout=99999999999
bad 'option --timeout needs a value' check --timeout
bad 'option --jsno is not known here, --json is' check --jsno
bad '--json and --quiet are two ways' check --json --quiet
bad '--root=x: a path that begins with / is wanted' --root=x check
finish
