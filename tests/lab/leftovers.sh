#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs in Dom-0: prints everything that a pod could leave behind, one thing a line, sorted.
# Prints nothing that changes by itself (process ids, counters, values in xenstore), nor the few
# containers that the first domain of a boot makes and that stay (made_once).

# The processes between us and the ssh server are not of the system that is looked at.
own_processes() {
	local pid=$BASHPID

	while [ "$pid" -gt 1 ] && [ "$(cat "/proc/$pid/comm")" != sshd ]; do
		echo "$pid"
		pid=$(awk '/^PPid:/ { print $2 }' "/proc/$pid/status")
	done
}

# Kernel threads (children of 2) come and go; so do sessions of the command channel, and udev's and
# systemd's workers.
processes() {
	local own

	own=$(own_processes | paste -sd '|')
	ps -ww -e -o pid=,ppid=,args= | awk -v own="^($own)\$" '
		$2 == 2 || $1 == 2 || $1 ~ own || $2 ~ own { next }
		{
			$1 = $2 = ""
			sub(/^ +/, "")
		}
		/^sshd: / || /^\(udev-worker\)/ || /^\(sd-/ || /systemd-udevd/ { next }
		{ print "process " $0 }'
}

# Long-lived daemons that could leak file descriptors, by name.
descriptors() {
	local pid comm

	for pid in /proc/[0-9]*; do
		comm=$(cat "$pid/comm" 2>/dev/null) || continue
		case $comm in
		xenpodd | xenpod-watch | xenconsoled | oxenstored | xenstored)
			echo "fds $comm $(find "$pid/fd" -mindepth 1 2>/dev/null | wc -l)"
			;;
		esac
	done
	systemctl show -p NFileDescriptorStore xenpodd.service | sed 's/^/fds systemd for xenpodd /'
}

domains() {
	xl list -v | awk 'NR > 1 { print "domain", $1, $2, $7 }'
}

control_groups() {
	find /sys/fs/cgroup -mindepth 1 -type d | grep -Ev '/(init.scope|dev-.*mount|.*\.socket)$' |
		sed 's/^/cgroup /'
}

mounts() {
	awk '{ for (i = 7; $i != "-"; i++); print "mount", $5, $(i + 1) }' /proc/self/mountinfo
}

namespaces() {
	ip netns list | awk '{ print "netns", $1 }'
	find /proc/[0-9]*/ns/net /proc/[0-9]*/ns/mnt -printf '%l\n' 2>/dev/null | sort -u |
		sed 's/:.*//' | uniq -c | awk '{ print "namespaces", $2, $1 }'
}

network() {
	ip -o link | awk -F ': ' '{ sub(/@.*/, "", $2); print "link", $2 }'
	nft list ruleset 2>/dev/null | sed -e 's/counter packets [0-9]* bytes [0-9]*//' -e 's/^/nft /'
}

files() {
	find /var/log/xen /run/xenpod /run/xen /var/lib/xen /run/netns /var/lib/cni /tmp /var/tmp \
		/dev/shm /run/systemd/transient -mindepth 1 2>/dev/null | sed 's/^/file /'
}

units() {
	systemctl list-units --plain --no-legend --state=failed | awk '{ print "failed unit", $1 }'
	systemctl list-units --plain --no-legend --type=scope | awk '{ print "scope", $1 }'
}

made_once='^(file /run/xen/domid-history|xenstore /(libxl|vm)|cgroup .*/system-modprobe.slice)$'

{
	domains
	processes
	descriptors
	control_groups
	mounts
	xenstore-ls -f | sed -e 's/ = .*//' -e 's/^/xenstore /'
	namespaces
	network
	files
	units
	losetup -a | sed 's/:.*//; s/^/loop /'
} | grep -Ev "$made_once" | sort | uniq -c | sed 's/^ *//'
