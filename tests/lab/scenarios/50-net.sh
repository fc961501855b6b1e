#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: full
# PODS: 4
# LIMIT: 3600
#
# Networks by Debian's CNI plugins, seen from inside the domains: what an interface is set to, who
# reaches whom, ports of the host, name servers, and that all of it is given back.
# shellcheck source=tests/lab/net.sh
. "$(dirname "$0")/../net.sh"

net_begin

conf lan 10-lan.conflist <<'END'
{"cniVersion": "0.4.0", "name": "lan", "plugins": [
	{"type": "bridge", "bridge": "lan0", "isGateway": true, "isDefaultGateway": true, "mtu": 9000,
	 "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.77.0.0/24"}], [{"subnet": "fd77::/64"}]]},
	 "dns": {"nameservers": ["192.0.2.53"], "search": ["lan.test", "test"], "options": ["ndots:2"]}},
	{"type": "tuning", "mtu": 9000},
	{"type": "bandwidth", "ingressRate": 800000000, "ingressBurst": 80000000}]}
END

builtin_nets
plugins_warm $work/nets/*.conf $confs/*

# ---- the default network, and a port of the host --------------------------------------------------

start def --net=default --port=web:8080 --port=web:127.0.0.1:8081 $work/images/server
runs def
ip=$(address default)
gateway=172.16.28.1
expect_match "an address of the default network" "$ip" '^172\.16\.28\.[0-9]+$'
expect_eq "the guest's interface has it" "$(guest_addresses eth0)" "$ip/24"
expect_eq "its routes are those of the plugin's interface, not of its result" "$(guest_routes)" \
	"172.16.28.0/24 via $gateway dev eth0 src $ip
$gateway dev eth0 scope link src $ip
default via $gateway dev eth0"
expect_eq "net-info.json is what rkt reads" "$(jq -c '.[0] | [.netName, .ifName, .ip, .mask, .netConf]' <"$(pod_dir)/net-info.json")" \
	"[\"default\",\"eth0\",\"$ip\",\"255.255.255.0\",\"net/99-default.conf\"]"
expect_match "xenpod-status shows it" "$(xenpod-status --no-legend)" "default=$ip"
expect_match "xenpod list shows it" "$(xenpod list)" "default:ip4=$ip"
check "the guest reaches the gateway" in_pod server ping -c 2 -W 30 $gateway
check "the host reaches the guest" ping -c 2 -W 30 "$ip"
expect_eq "the outside sees the host's address" "$(in_pod server wget -qO- http://$outside:7000/)" $edge
expect_eq "a port of the host" "$(outside_gets http://$edge:8080/)" 'here is server'
expect_eq "the same by 127.0.0.1" "$(get http://127.0.0.1:8080/)" 'here is server'
expect_eq "a port of 127.0.0.1 alone" "$(get http://127.0.0.1:8081/)" 'here is server'
check "which is not the outside's" sh -c "! timeout 10 ip netns exec outside busybox wget -qO- http://$edge:8081/"
expect_eq "the guest by the host's port" "$(in_pod server wget -qO- http://$gateway:8080/)" 'here is server'
said=$(xenpod run --net=default --port=web:8080 $work/images/server 2>&1)
expect_eq "a port that is a pod's is refused" $? 254
observed=$((observed + 1))
expect_match "and its pod is named" "$said" "tcp/8080.*$uuid"

# ---- a bridge, two pods, IPv6, large frames, name servers -----------------------------------------

start one --net=lan,default $work/images/server
runs one
one4=$(address lan) one6=$(address lan fd77)
expect_eq "interfaces in the order of the files: eth0" "$(guest_addresses eth0)" "$one4/24 $one6/64"
expect_match "eth1" "$(guest_addresses eth1)" '^172\.16\.28\.[0-9]+/24$'
expect_eq "MTU" "$(in_pod server cat /sys/class/net/eth0/mtu)" 9000
expect_eq "resolv.conf is what the network said" "$(in_pod server grep -v '^#' /etc/resolv.conf | tr -s '\n')" \
	$'\nsearch lan.test test\nnameserver 192.0.2.53\noptions ndots:2'
expect_eq "stage1 has it too" "$(grep -c 'nameserver 192.0.2.53' "$(pod_dir)/stage1/rootfs/etc/rkt-resolv.conf")" 1
start two --net=lan --dns=none $work/images/server
runs two
two6=$(address lan fd77)
check "guest to guest" in_pod server ping -c 2 -W 30 "$one4"
check "guest to guest by IPv6" in_pod server ping6 -c 2 -W 20 "$one6"
check "guest to guest with jumbo frames that must not be cut" in_pod server ping -c 2 -W 30 -s 8900 "$one4"
check "the host to a guest by IPv6" ping -c 2 -W 30 "$two6"
expect_eq "a page from the other guest" "$(in_pod server wget -qO- "http://$one4/")" 'here is server'
expect_eq "IPv6 gateway" "$(in_pod server ip -6 route | sed -n 's/^\(default via [^ ]*\).*/\1/p')" 'default via fd77::1'
expect_match "with --dns=none the image's file stays, here none" "$(in_pod server cat /etc/resolv.conf 2>&1)" 'No such file'
check "the plugin's shaping is there" sh -c 'tc qdisc show | grep -q tbf'

# ---- what a network leaves -------------------------------------------------------------------------

use def
xenpod stop "$uuid" >/dev/null
expect_end def 0 exited stopped
check "its lease is kept until gc" test -e "/var/lib/cni/networks/default/$ip"
expect_eq "its ports are free at once" "$(nft list tables | grep -c "xenpod-$uuid")" 0
for name in one two; do
	use $name
	xenpod stop "$uuid" >/dev/null
	expect_end $name 0 exited stopped
done

net_end
