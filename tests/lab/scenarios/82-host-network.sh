#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: full
# PODS: 2
# LIMIT: 3000
#
# `xenpod host network` in Dom-0: the bridge with its dummy port, made, interrupted, made again and taken back
# with nothing left; a pod on it with a static address, which reaches the outside by NAT, also where a firewall
# drops what is forwarded; the bridge is not taken away under a pod.
# shellcheck source=tests/lab/net.sh
. "$(dirname "$0")/../net.sh"

net_begin

# Links, addresses, routes, rules, sysctls, files; without counters and numbers that the kernel gives.
dump() {
	ip -d -o link | sed 's/^[0-9]*: //; s/ gc_timer .*//'
	ip -o address | sed 's/^[0-9]*: //; s/valid_lft .*//'
	ip route show table all | sed 's/ expires [0-9]*sec//'
	ip rule
	nft -s list ruleset
	iptables-save | sed '/^#/d; s/\[.*\]//'
	sysctl -a 2>/dev/null | grep '^net\.ipv[46]\.' | grep -v 'tcp_mem\|udp_mem'
	find /etc/rkt /etc/systemd/system -printf '%p %y %m %l\n' 2>/dev/null | sort
}

changed() {
	dump | diff "$inside/before" - | head -n 10
}

network() {
	xenpod host network "$@" >$inside/said 2>&1 </dev/null
}

settled() {
	[ -z "$(ip -o address show tentative)" ]
}

# killed MILLISECONDS: `up`, cut off then. A program that it had started has its lock until it ends by itself.
killed() {
	timeout --foreground -s KILL "$(printf '0.%03d' "$1")" xenpod host network up --out=edge >/dev/null 2>&1
	[ ! -d /var/lib/xenpod/host ] || flock -w 60 /var/lib/xenpod/host true
}

soon "addresses that come by themselves are there" 30 settled
dump >$inside/before
said=$(xenpod host network plan --out=edge 2>&1)
expect_match "plan tells" "$said" 'would do +bridge xenbr0'
expect_eq "and changes nothing" "$(changed)" ''

# ---- interrupted, run twice, taken back --------------------------------------------------------------

for ((i = 1; i <= 12; i++)); do
	killed $((i * 40))
	if ((i % 2)); then
		network up --out=edge || not_ok "up after a kill ($i)" "$(cat $inside/said)"
	fi
	network down || not_ok "down after a kill ($i)" "$(cat $inside/said)"
	[ -z "$(changed)" ] || not_ok "nothing is left after a kill ($i)" "$(changed)"
done
ok "killed at a dozen moments"

check "up" network up --out=edge
documented "xenpod host network up" $inside/said 's/eth0/edge/; /directory|unit/d'
check "up again" network up --out=edge
expect_eq "all is so" "$(grep -vc '^is so ' $inside/said)" 0
check "status" xenpod host network status
xenpod host network status >$inside/said
documented "xenpod host network status" $inside/said 's/eth0/edge/'
expect_eq "status --json" "$(xenpod host network status --json | jq -r .state)" up
expect_match "the bridge" "$(ip -o link show xenbr0)" 'state UP'
expect_match "its port" "$(ip -o -d link show xenbr0-dummy)" 'master xenbr0 .*dummy'

# ---- a pod on it ---------------------------------------------------------------------------------------

plugins_warm $confs/10-xenbr0.conf
start fixed --net=xenbr0:IP=10.1.1.20 $work/images/server
runs fixed
expect_eq "the pod has the address that was asked for" "$(address xenbr0)" 10.1.1.20
expect_eq "its interface has it" "$(guest_addresses eth0)" 10.1.1.20/24
expect_match "its way out" "$(guest_routes)" 'default via 10\.1\.1\.1 dev eth0'
check "it reaches the host" in_pod server ping -c 2 -W 30 10.1.1.1
check "the host reaches it" ping -c 2 -W 30 10.1.1.20
expect_eq "its end on the bridge keeps the MAC that the plugin has given it" \
	"$(udevadm info -q property "/sys/class/net/$(find /sys/class/net/xenbr0/brif/ -name 'veth*' -printf '%f' -quit)" | sed -n 's/^ID_NET_LINK_FILE=//p')" \
	/usr/lib/systemd/network/10-xenpod-cni.link
expect_eq "the outside sees the host's address" "$(in_pod server wget -qO- http://$outside:7000/)" $edge
expect_eq "down under a pod is refused" "$(network down; echo $?)" 254
expect_match "and says why" "$(cat $inside/said)" 'xenbr0 has ports of others \('
expect_eq "it goes on reaching the outside" "$(in_pod server wget -qO- http://$outside:7000/)" $edge

nft add table inet strict
nft add chain inet strict forward '{ type filter hook forward priority 0; policy drop; }'
check_not "a firewall drops what is forwarded" in_pod server ping -c 2 -W 3 $outside
check "up again" network up --out=edge
expect_eq "then it is let through" "$(in_pod server wget -qO- http://$outside:7000/)" $edge
expect_eq "chains of others are as they were but for that" \
	"$(nft list chain inet strict forward | grep -c xenpod)" 3

use fixed
xenpod stop "$uuid" >/dev/null
expect_end fixed 0 exited stopped
expect_eq "gc" "$(xenpod gc --grace-period=0 2>&1 >/dev/null)" ''
check "down" network down
documented "xenpod host network down" $inside/said 's/eth0/edge/; /directory|^xenpod:/d'
expect_eq "the firewall's chain is empty again" "$(nft list chain inet strict forward | grep -c xenpod)" 0
nft delete table inet strict
rm -rf /var/lib/cni/networks/xenbr0
expect_eq "all is as before" "$(changed)" ''

# What pods leave is counted from when the bridge was there.
check "up once more" network up --out=edge
mkdir -p /var/lib/cni/networks/xenbr0
touch /var/lib/cni/networks/xenbr0/lock /var/lib/cni/networks/xenbr0/last_reserved_ip.0 # as host-local keeps them
trap 'xenpod host network down --force >/dev/null; net_clean; rm -rf "$scratch"; kill $(jobs -p) 2>/dev/null' EXIT
net_end
