#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: full
# PODS: 4
# LIMIT: 3600
#
# `xenpod host network up --persistent` over a reboot and a power cut: the bridge is there before the supervisor
# starts its pods again, also when the way out comes later, as wireless networks do; a systemd-networkd whose
# file is for every interface takes no address off the bridge, with D-Bus and without; `down`, and the next
# boot makes nothing.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"

edge=192.0.2.1    # Dom-0's address on the way out
outside=192.0.2.2 # somebody out there, who says who has called
networks=/etc/systemd/network
unit=xenpod-host-network

lab_in 'cat >/root/outside.sh' <<-END
	ip netns add outside
	ip link add edge type veth peer name edge netns outside
	ip address add $edge/24 dev edge
	ip link set edge up
	ip -n outside address add $outside/24 dev edge
	ip -n outside link set edge up
	systemd-run -q --collect --unit=outside -p NetworkNamespacePath=/run/netns/outside \\
	    python3 -IS /root/outside.py
END
lab_in 'cat >/root/outside.py' <<-'END'
	import socket
	s = socket.create_server(("", 7000))
	while True:
	    c, who = s.accept()
	    c.sendall(who[0].encode())
	    c.close()
END

files() {
	lab_run '{ find /etc/rkt /etc/systemd /usr/lib/systemd/network -printf "%p %y %m %l\n"
		find /etc/rkt /etc/systemd -type f -exec sha256sum {} +; } 2>/dev/null | sort'
}

files_changed() {
	files | diff "$scratch/files" - | head -n 10
}

# reaches WHAT: the pod has come to the outside by NAT.
reaches() {
	expect_soon "$1: the pod runs" 600 "xenpod-status --json \$(cat /root/uuid) | jq -e '.pod.state == \"running\"'"
	expect_soon "$1: it reaches the outside by NAT" 120 \
		"[ \"\$(timeout 60 xenpod enter \$(cat /root/uuid) /bin/busybox nc $outside 7000 </dev/null)\" = $edge ]"
	expect_eq "$1: by the address that it has asked for" \
		"$(lab_run "xenpod-status --json \$(cat /root/uuid) | jq -r '.pod.networks[].addresses[]'")" 10.1.1.20/24
}

bridge_address() {
	lab_run 'ip -o -4 address show xenbr0 2>&1' | awk '{ print $4 }'
}

supervisor_runs() {
	expect_soon "$1: the supervisor has taken up its work" 300 \
		'xenpod-status --json | jq -e ".supervisor.state == \"running\""'
}

# ---- a reboot; the way out is late ---------------------------------------------------------------------

check "the lab's state is saved" "$xenlab" snapshot before-boots
files >"$scratch/files"
check "there is a way out" lab_run sh /root/outside.sh
check "up --persistent" lab_run xenpod host network up --out=edge --persistent
expect_eq "the unit is enabled" "$(lab_run systemctl is-enabled $unit)" enabled
check "a pod that is started again" lab_run "xenpod run --restart=always --net=xenbr0:IP=10.1.1.20 --memory=64M \\
	--uuid-file-save=/root/uuid /root/images/busybox.aci -- -c 'trap \"exit 0\" TERM; while :; do sleep 1000 & wait; done'"
reaches "at first"

check "a reboot" "$xenlab" reboot
supervisor_runs "a reboot"
expect_soon "the bridge is there" 120 'ip -o -4 address show xenbr0 | grep -q "inet 10\.1\.1\.1/24 "'
expect_soon "the pod runs on it again" 600 "xenpod-status --json \$(cat /root/uuid) | jq -e '.pod.state == \"running\"'"
expect_match "the unit says what it waits for" "$(lab_run "journalctl -b -u $unit")" \
	'forwarding from edge: the link is not there'
expect_match "and tries again" "$(lab_run "systemctl is-active $unit")" '^activating$'
expect_eq "status does not say that all were well" "$(lab_run 'xenpod host network status >/dev/null; echo $?')" 1
check "then the way out comes" lab_run sh /root/outside.sh
expect_soon "the unit has done its work" 60 "systemctl is-active $unit"
check "status" lab_run xenpod host network status
reaches "after the reboot"
# No bridge by the CNI plugin: the order at boot was the right one.
expect_eq "the supervisor came after it" \
	"$(lab_run "systemctl show -P After xenpodd | tr ' ' '\n' | grep -c '^$unit.service'")" 1

# ---- a power cut; networkd has a file for every interface --------------------------------------------------

# The lab has no D-Bus, by which a networkd that runs is told of files; hosts have.
bus=(dbus dbus-bin dbus-daemon dbus-session-bus-common dbus-system-bus-common)
# shellcheck disable=SC2317 # called by check
dbus_get() {
	mkdir -p "$top/build/lab/dbus"
	(cd "$top/build/lab/dbus" && { ls ./dbus_*.deb >/dev/null 2>&1 || apt-get download -qq "${bus[@]}" ||
		{ apt-get update -qq && apt-get download -qq "${bus[@]}"; }; }) >"$scratch/dbus" 2>&1
}

check "D-Bus is fetched" dbus_get
check "and sent" lab_put "$top/build/lab/dbus" /root/dbus
check "and installed" lab_run 'dpkg -i /root/dbus/*.deb'
lab_in "mkdir -p $networks && cat >$networks/99-all.network" <<-'END'
	[Match]
	Name=*

	[Network]
	DHCP=yes
END
lab_run "printf '[Match]\nName=eth0\n\n[Link]\nUnmanaged=yes\n' >$networks/00-lab.network
	printf '[Match]\nName=edge\n\n[Network]\nAddress=$edge/24\n' >$networks/00-edge.network
	systemctl enable -q systemd-networkd
	systemctl mask -q systemd-networkd-wait-online systemd-networkd.socket; sync" 2>/dev/null
check "a power cut" "$xenlab" crash
check "the machine starts from its disk" "$xenlab" up
check "the way out comes" lab_run sh /root/outside.sh
supervisor_runs "a power cut"
expect_soon "the unit has done its work" 300 "systemctl is-active $unit"
check "networkd runs" lab_run systemctl is-active systemd-networkd
reaches "beside networkd"
expect_eq "networkd was told" "$(lab_run "grep = $networks/05-xenpod-xenbr0.network" | paste -sd' ')" \
	'Name=xenbr0 xenbr0-dummy veth???????? Unmanaged=yes'
expect_eq "by D-Bus: there is nothing to say about it" "$(lab_run "journalctl -b -u $unit" | grep -c 'has not read')" 0
expect_eq "networkd leaves the bridge and its ports alone" \
	"$(lab_run 'networkctl list --no-legend "xenbr0*" "veth*"' | awk '{ print $NF }' | sort | uniq -c | awk '{ print $1, $2 }')" \
	'3 unmanaged'
check "networkd starts anew" lab_run systemctl restart systemd-networkd
unmanaged='networkctl list --no-legend xenbr0 | grep " unmanaged"'
expect_soon "networkd has looked at the bridge" 60 "$unmanaged"
expect_eq "the bridge keeps its address" "$(bridge_address)" 10.1.1.1/24

# That it is this file which does it: without it the address goes.
lab_run "mv $networks/05-xenpod-xenbr0.network /root/ && systemctl restart systemd-networkd"
expect_soon "without that file networkd takes the address off" 60 \
	'! ip -o -4 address show xenbr0 | grep -q "inet 10\.1\.1\.1/24 "'
check_not "status tells" lab_run xenpod host network status
check "up mends it" lab_run xenpod host network up
reaches "after that"

# ---- networkd that cannot be told --------------------------------------------------------------------------

check "the pod is stopped" lab_run "xenpod stop \$(cat /root/uuid)"
expect_soon "it has ended" 240 "xenpod-status --json \$(cat /root/uuid) | jq -e '.pod.state == \"exited\"'"
check "gc" lab_run xenpod gc --grace-period=0
check "down" lab_run xenpod host network down
check "D-Bus is gone" lab_run "systemctl stop dbus dbus.socket && dpkg -P ${bus[*]} && systemctl restart systemd-networkd"
expect_match "up says that networkd goes on with what it has read" "$(lab_run 'xenpod host network up --out=edge --persistent 2>&1')" \
	'systemd-networkd has not read .*05-xenpod-xenbr0.network yet'
check "it starts anew" lab_run systemctl restart systemd-networkd
expect_soon "and leaves the bridge alone" 60 \
	"grep -qs '^ADMIN_STATE=unmanaged' /run/systemd/netif/links/\$(cat /sys/class/net/xenbr0/ifindex)"
check "up mends what it has done meanwhile" lab_run xenpod host network up
check "networkd starts anew" lab_run systemctl restart systemd-networkd
expect_soon "and leaves it alone" 60 \
	"grep -qs '^ADMIN_STATE=unmanaged' /run/systemd/netif/links/\$(cat /sys/class/net/xenbr0/ifindex)"
check "all is so" lab_run xenpod host network status

# ---- taken back ----------------------------------------------------------------------------------------------

# While the unit tries again and again it must not bring back what was taken back.
check "the way out goes" lab_run ip link delete edge
check_not "the unit cannot do its work" lab_run systemctl start $unit
expect_soon "it tries again" 60 "systemctl show -P SubState $unit | grep -q '^auto-restart'"
check "down" lab_run xenpod host network down
expect_eq "there is no unit any more" "$(lab_run "systemctl show -P LoadState -P ActiveState $unit" | paste -sd' ')" "not-found inactive"
sleep 15
expect_match "and nothing comes back" "$(lab_run 'ip link show xenbr0 2>&1')" 'does not exist'
lab_run "systemctl unmask systemd-networkd-wait-online systemd-networkd.socket; systemctl disable systemd-networkd
	rm $networks/00-lab.network $networks/00-edge.network $networks/99-all.network" >/dev/null 2>&1
expect_eq "files are as before" "$(files_changed)" ''
check "a reboot" "$xenlab" reboot
supervisor_runs "the last reboot"
expect_match "nothing is made" "$(lab_run 'ip link show xenbr0 2>&1')" 'does not exist'
expect_eq "and nobody wants to" "$(lab_run "systemctl list-unit-files $unit.service --no-legend | wc -l")" 0
check "the lab is as it was" "$xenlab" restore before-boots
finish
