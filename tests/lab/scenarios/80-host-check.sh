#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: full
# PODS: 0
# LIMIT: 1800
#
# `xenpod host check` in a real Dom-0: first all is well; then the host is broken in one thing after the other,
# each time the check names that one cause and what to do, and all is well again when it has been put right.
# What it says as JSON is held against its schema on the host of the lab.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/lab/parts.sh
. "$(dirname "$0")/../parts.sh"

told=$inside/told.json

on_the_host() {
	local kernel

	scenario_send
	kernel=$(lab_kernel) || bail "there is a kernel"
	lab_put "$kernel" "$inside/vmlinux" || bail "it can be sent"
	scenario_part
	lab_get "$told" "$scratch/told.json" || bail "what was told can be fetched"
	expect_match "each JSON is as its schema has it" \
		"$(/usr/bin/python3 "$top/tests/contract/schema.py" host-check "$scratch/told.json" 2>&1)" '^[1-9][0-9]*$'
	finish
}

[ "${LAB_INSIDE-}" = 1 ] || on_the_host

# ---- in Dom-0 -----------------------------------------------------------------------------------------

modules=/lib/modules/$(uname -r)
away=$inside/away # what was taken away, by its path with "-" for "/"
mkdir -p "$away"

# look [COMMAND...]: what the check says, in $inside/said; its exit status in $rc.
look() {
	rc=0
	"$@" timeout 300 xenpod host check --json >$inside/said 2>$inside/err </dev/null || rc=$?
	cat $inside/said >>"$told"
	jq -r '.checks[] | select(.state != "ok") | "\(.state) \(.name): \(.text) -> \(.todo)"' $inside/said >$inside/lines
}

causes() {
	grep -E '^(warn|fail) ' $inside/lines | sed 's/:.*//' | paste -sd' '
}

take() { # PATH: away
	mv "$1" "$away/${1//\//-}"
}

back() { # PATH
	mv "$away/${1//\//-}" "$1"
}

well() {
	look
	[ "$rc" = 0 ] && [ ! -s "$inside/lines" ]
}

# It takes the supervisor a moment to see Xen again.
well_again() {
	local end=$((SECONDS + 60))

	until well; do
		[ "$SECONDS" -lt "$end" ] || {
			cat "$inside/lines"
			return 1
		}
		sleep 1
	done
}

# broken WHAT STATE NAME TEXT BREAK MEND [COMMAND...]: shell lines; the command is put before the check.
broken() {
	local wanted=0

	[ "$2" = warn ] || wanted=1
	eval "$5" >$inside/out 2>&1 || not_ok "$1: it can be broken" "$5"$'\n'"$(cat $inside/out)"
	look "${@:7}"
	expect_eq "$1: names its one cause" "$(causes), exit status $rc" "$2 $3, exit status $wanted"
	if grep -E '^(warn|fail) ' $inside/lines | grep -qE -- "$4"; then
		ok "$1: says what, and what to do"
	else
		not_ok "$1: says what, and what to do" "wanted: $4"$'\n'"$(cat $inside/lines)"
	fi
	expect_eq "$1: what was left out needs it" "$(grep '^skip' $inside/lines | grep -v " needs $3 ->")" ""
	eval "$6" >$inside/out 2>&1 || not_ok "$1: it can be put right" "$6"$'\n'"$(cat $inside/out)"
	check "$1: all is well again" well_again
}

# hog: a paused domain that takes nearly all that is free.
hog() {
	printf '%s\n' 'name = "hog"' 'type = "pv"' "memory = $(($(xl info free_memory) - 120))" \
		"kernel = \"$inside/vmlinux\"" >"$inside/hog.cfg"
	xl create -qp "$inside/hog.cfg"
}

pid_of() { pgrep -xo "$1"; }

tidy() {
	local path

	for path in oxenstored xenpodd; do pkill -CONT -x "$path"; done
	umount /proc/xen/capabilities
	rm -rf /etc/rkt/net.d/80-lab.conf
	ip link del xenbr80
	xl destroy hog
	systemctl start xenconsoled xen-qemu-dom0-disk-backend xenpod-admin.socket xenpod-status.socket xenpodd xen
} >/dev/null 2>&1
# shellcheck disable=SC2154 # scratch is lib.sh's
trap 'tidy; rm -rf "$scratch"' EXIT

look
expect_eq "a good host: nothing fails, nothing is warned of" "$(cat $inside/lines) $rc" " 0"
expect_eq "a good host: nothing on stderr" "$(cat $inside/err)" ""
xenpod host check >"$inside/told.text"
documented "xenpod host check" "$inside/told.text" '/^ok/!d; /secure-boot/d'
sum=$(tail -n 1 "$inside/told.text")
expect_match "a good host: the sum" "$sum" '^26 ok, 0 warn, 0 fail, 0 skip$'
expect_match "a good host: pods are PV here" "$(jq -r '.checks[] | select(.name == "cpu").text' $inside/said)" '^pods can be PV \(no VT-x or SVM in use'
expect_eq "a good host: Xen is the one that runs" \
	"$(jq -r '.checks[] | select(.name == "xen").text' $inside/said)" "Xen $(xl info xen_version)"

# ---- services -------------------------------------------------------------------------------------------

broken "xenconsoled is stopped" fail xenconsoled 'does not run.* -> systemctl start xenconsoled' \
	'systemctl stop xenconsoled' 'systemctl start xenconsoled xen'
broken "xenconsoled stands still" fail xenconsoled 'has been stopped -> kill -CONT' \
	'kill -STOP $(pid_of xenconsoled)' 'kill -CONT $(pid_of xenconsoled)'
broken "xenstored stands still" fail xenstored 'has been stopped -> kill -CONT' \
	'kill -STOP $(pid_of oxenstored)' 'kill -CONT $(pid_of oxenstored)'
broken "consoles are not logged" warn console-log 'not logged.*XENCONSOLED|not logged.*--log=guest' \
	'mkdir -p /run/systemd/system/xenconsoled.service.d
	printf "[Service]\nExecStart=\nExecStart=/usr/lib/xen-4.17/bin/xenconsoled -i\n" >/run/systemd/system/xenconsoled.service.d/lab.conf
	systemctl daemon-reload && systemctl restart xenconsoled' \
	'rm -r /run/systemd/system/xenconsoled.service.d; systemctl daemon-reload && systemctl restart xenconsoled'
broken "Dom-0 is not in xenstore" fail init-dom0 'does not have it -> systemctl start xen-init-dom0' \
	'xenstore-rm /local/domain/0/name' 'systemctl restart xen-init-dom0; systemctl start xen-qemu-dom0-disk-backend xen'
broken "no QEMU for Dom-0" warn disk-backend 'no QEMU.* -> systemctl start xen-qemu-dom0-disk-backend' \
	'systemctl stop xen-qemu-dom0-disk-backend' 'systemctl start xen-qemu-dom0-disk-backend'
broken "the supervisor is stopped" warn supervisor 'first request starts it -> systemctl start xenpodd' \
	'systemctl stop xenpodd' 'systemctl start xenpodd'
broken "the supervisor and its sockets are stopped" fail supervisor 'nobody listens.*systemctl enable --now' \
	'systemctl stop xenpodd xenpod-admin.socket xenpod-status.socket' 'systemctl start xenpod-admin.socket xenpod-status.socket xenpodd'
broken "the supervisor stands still" fail supervisor 'has been stopped -> kill -CONT' \
	'kill -STOP $(pid_of xenpodd)' 'kill -CONT $(pid_of xenpodd)'

# ---- kernel and Xen ---------------------------------------------------------------------------------------

# shellcheck disable=SC2034 # in lines that are evaluated
netback=$(find "$modules" -name 'xen-netback.ko*')
broken "no xen-netback" fail net-modules 'no xen-netback.*apt-get install linux-image-amd64' \
	'rmmod xen_netback && take "$netback"' 'back "$netback" && modprobe xen-netback'
broken "no device of grants" fail devices '/dev/xen/gntdev.* -> ' 'take /dev/xen/gntdev' 'back /dev/xen/gntdev'
broken "xenfs is not mounted" fail dom0 'xenfs is not mounted.* -> mount -t xenfs xenfs /proc/xen' true true \
	unshare --mount --propagation private sh -c 'umount /proc/xen; exec "$@"' sh
broken "a guest of Xen" fail dom0 'guest of Xen' \
	': >$inside/empty; mount --bind $inside/empty /proc/xen/capabilities' 'umount /proc/xen/capabilities'
broken "another Xen than it was built for" fail libxl 'built for libxl 4.17, but Xen 4.99' 'echo 99 >$inside/minor' true \
	unshare --mount --propagation private sh -c 'mount --bind /root/lab/minor /sys/hypervisor/version/minor; exec "$@"' sh
broken "no memory" fail memory 'no pod has room.*xl mem-set' hog 'xl destroy hog'
broken "autoballoon" warn autoballoon 'on: xl takes memory' \
	'cp -p /etc/xen/xl.conf $inside/xl.conf; echo "autoballoon=\"on\"" >>/etc/xen/xl.conf' 'cp -p $inside/xl.conf /etc/xen/xl.conf'
broken "no QEMU" fail qemu 'no QEMU of Xen.* -> apt-get install qemu-system-xen' \
	'take /usr/libexec/xen-qemu-system-i386' 'back /usr/libexec/xen-qemu-system-i386'
broken "no xl" fail xl '"xl" is not there.* -> apt-get install xen-system-amd64' \
	'take /usr/sbin/xl; take /usr/lib/xen-4.17/bin/xl' 'back /usr/sbin/xl; back /usr/lib/xen-4.17/bin/xl'
broken "an xl that fails" fail xl 'xl info: exit status.*xl -vvv info' \
	'take /usr/lib/xen-4.17/bin/xl; printf "#!/bin/sh\nexit 3\n" >/usr/lib/xen-4.17/bin/xl; chmod 755 /usr/lib/xen-4.17/bin/xl' \
	'back /usr/lib/xen-4.17/bin/xl'

# ---- networks -----------------------------------------------------------------------------------------------

broken "no CNI plugins" warn cni-plugins 'no plugin "ptp".*containernetworking-plugins' 'take /usr/lib/cni' 'back /usr/lib/cni'
mkdir -p /etc/rkt/net.d
printf '{"cniVersion": "0.4.0", "name": "lan", "type": "bridge", "bridge": "xenbr80", "ipam": {"type": "host-local", "subnet": "10.80.1.0/24"}}\n' \
	>/etc/rkt/net.d/80-lab.conf
forward=$(sysctl -n net.ipv4.ip_forward)
sysctl -qw net.ipv4.ip_forward=1
broken "no bridge" fail bridges 'there is no bridge xenbr80 -> ip link add' true \
	'ip link add xenbr80 type bridge && ip addr add 10.80.1.1/24 dev xenbr80 && ip link set xenbr80 up'
broken "no forwarding" fail forwarding 'gateway of network "lan".*sysctl -w' 'sysctl -qw net.ipv4.ip_forward=0' 'sysctl -qw net.ipv4.ip_forward=1'
broken "no plugin of a network" fail cni-plugins 'network "lan": there is no plugin "bridge"' 'take /usr/lib/cni/bridge' 'back /usr/lib/cni/bridge'
broken "a network that nobody can read" fail networks '80-lab.conf' \
	'cp /etc/rkt/net.d/80-lab.conf $inside/80; echo "{" >/etc/rkt/net.d/80-lab.conf' 'cp $inside/80 /etc/rkt/net.d/80-lab.conf'
rm /etc/rkt/net.d/80-lab.conf
rmdir --ignore-fail-on-non-empty /etc/rkt/net.d /etc/rkt
ip link del xenbr80
sysctl -qw net.ipv4.ip_forward="$forward"

# ---- who asks -------------------------------------------------------------------------------------------------

broken "somebody who is not root" fail root 'not root.* -> sudo xenpod host check' true true \
	setpriv --reuid=nobody --regid=nogroup --clear-groups
check "all is well at the end" well
finish
