#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: full
# PODS: 2
# LIMIT: 3600
#
# One pod with an interface of many a plugin: macvlan with static addresses, a bridge with a real DHCP
# server whose leases are short, portmap and bandwidth behind ptp, tuning, and a plugin that is a shell
# script of somebody's. Then a pod that may use no addresses but its own.
# shellcheck source=tests/lab/net.sh
. "$(dirname "$0")/../net.sh"

net_begin

# ---- what the host has ----------------------------------------------------------------------------

# segment NAME ADDRESS: an interface of the host, and a namespace behind it with that address.
segment() {
	ip netns add "$1"
	ip link add "$1" type veth peer name far netns "$1"
	ip link set "$1" up
	ip -n "$1" address add "$2" dev far
	ip -n "$1" link set far up
}

segment mv 10.88.0.254/24
segment dh 10.89.0.254/24
ip link add dh0 type bridge
ip link set dh0 up
ip link set dh master dh0
printf '%s\n' 'start 10.89.0.10' 'end 10.89.0.20' 'interface far' 'option subnet 255.255.255.0' \
	'option router 10.89.0.254' 'option lease 20' 'min_lease 10' "lease_file $work/leases" >$work/udhcpd
touch $work/leases
ip netns exec dh busybox udhcpd -f $work/udhcpd 2>$work/udhcpd.log &
mkdir -p /run/cni
rm -f /run/cni/dhcp.sock
/usr/lib/cni/dhcp daemon &

conf mv 10-mv.conf <<'END'
{"cniVersion": "0.3.1", "name": "mv", "type": "macvlan", "master": "mv",
 "ipam": {"type": "static", "addresses": [{"address": "10.88.0.7/24", "gateway": "10.88.0.254"}],
	"routes": [{"dst": "198.51.100.0/24", "gw": "10.88.0.254"}]}, "dns": {"nameservers": ["10.88.0.254"]}}
END
conf dh 20-dh.conf <<'END'
{"cniVersion": "0.4.0", "name": "dh", "type": "bridge", "bridge": "dh0", "ipam": {"type": "dhcp"}}
END
conf shaped 30-shaped.conflist <<'END'
{"cniVersion": "1.0.0", "name": "shaped", "plugins": [
	{"type": "ptp", "ipMasq": true, "ipam": {"type": "host-local", "subnet": "10.90.0.0/24"}},
	{"type": "tuning", "mac": "c2:11:22:33:44:55"},
	{"type": "portmap", "capabilities": {"portMappings": true}, "snat": true},
	{"type": "bandwidth", "egressRate": 800000000, "egressBurst": 80000000}]}
END
conf mine 40-mine.conf <<'END'
{"cniVersion": "0.4.0", "name": "mine", "type": "mine", "word": "from the conf"}
END
mkdir -p /opt/cni/bin
cat >/opt/cni/bin/mine <<'END'
#!/bin/sh
# A plugin of somebody's, as short as can be.
exec 3>&1 >&2
ns=$(basename "$CNI_NETNS")
case $CNI_COMMAND in
ADD)
	word=$(jq -r .word)
	ip link add mine0 type veth peer name "$CNI_IFNAME" netns "$ns" || exit 1
	ip link set mine0 up
	ip address add 10.91.0.1/24 dev mine0
	ip -n "$ns" address add 10.91.0.2/24 dev "$CNI_IFNAME"
	ip -n "$ns" link set "$CNI_IFNAME" up
	echo "$CNI_CONTAINERID $CNI_ARGS $word" >/tmp/mine.added
	echo '{"cniVersion": "0.4.0", "ips": [{"version": "4", "address": "10.91.0.2/24"}], "dns": {}}' >&3
	;;
CHECK)
	[ "$(jq -r '.prevResult.ips[0].address')" = 10.91.0.2/24 ] || exit 1
	ip -n "$ns" link show "$CNI_IFNAME" || exit 1
	echo checked >/tmp/mine.checked
	;;
DEL)
	ip link delete mine0 2>/dev/null
	rm -f /tmp/mine.added /tmp/mine.checked
	;;
esac
exit 0
END
chmod 755 /opt/cni/bin/mine
plugins_warm $confs/30-shaped.conflist

# ---- one pod with all of them ----------------------------------------------------------------------

start all --net="mv,dh,shaped,mine:A=1;B=two" --port=web:8080 $work/images/server
runs all
expect_eq "macvlan, static" "$(guest_addresses eth0)" 10.88.0.7/24
expect_match "a route of its conf" "$(guest_routes)" '198\.51\.100\.0/24 via 10\.88\.0\.254 dev eth0'
check "the segment's other end is reached" in_pod server ping -c 2 -W 30 10.88.0.254
leased=$(address dh)
expect_match "DHCP: an address of the server" "$leased" '^10\.89\.0\.[0-9]+$'
expect_eq "which the guest has" "$(guest_addresses eth1)" "$leased/24"
check "and is reached by" ip netns exec dh ping -c 2 -W 30 "$leased"
expect_eq "tuning's MAC" "$(in_pod server cat /sys/class/net/eth2/address)" c2:11:22:33:44:55
shaped=$(address shaped)
check "ptp with others chained to it" ping -c 2 -W 30 "$shaped"
expect_match "bandwidth's shaping" "$(tc qdisc show)" 'qdisc tbf'
expect_eq "a forwarded port leads to the network that masquerades" "$(get http://127.0.0.1:8080/)" 'here is server'
expect_eq "a script's interface" "$(guest_addresses eth3)" 10.91.0.2/24
check "it works" in_pod server ping -c 2 -W 30 10.91.0.1
expect_eq "it was asked by CHECK, with its own result" "$(cat /tmp/mine.checked)" checked
expect_eq "what the script was told" "$(cat /tmp/mine.added)" "$uuid IgnoreUnknown=1;A=1;B=two from the conf"
expect_match "name servers of the first that tells some" "$(in_pod server cat /etc/resolv.conf)" 'nameserver 10\.88\.0\.254'

# ---- only its own addresses --------------------------------------------------------------------------

start own --net=shaped --anti-spoofing --insecure-options=all-run $work/images/server
runs own
own=$(address shaped)
check "its own address works" in_pod server ping -c 2 -W 30 10.90.0.1
in_pod server ip address add 10.90.0.99/32 dev eth0
ip route add 10.90.0.99/32 dev "$(ip route get "$own" | sed -n 's/.* dev \([^ ]*\).*/\1/p')"
check "another is dropped" sh -c "! xenpod enter --app=server $uuid ping -c 3 -W 10 -I 10.90.0.99 10.90.0.1"
use all
in_pod server ip address add 10.90.0.98/32 dev eth2
ip route add 10.90.0.98/32 dev "$(ip route get "$shaped" | sed -n 's/.* dev \([^ ]*\).*/\1/p')"
check "where nobody asked for that it is not" in_pod server ping -c 2 -W 30 -I 10.90.0.98 10.90.0.1

# ---- leases are renewed by the plugin's daemon ---------------------------------------------------------

sleep 60
check "after three leases the address is still good" ip netns exec dh ping -c 2 -W 30 "$leased"
expect_eq "and the guest's" "$(guest_addresses eth1)" "$leased/24"

for name in all own; do
	use $name
	xenpod stop "$uuid" >/dev/null
	expect_end $name 0 exited stopped
done
xenpod gc --grace-period=0 >/dev/null
check "the script's DEL was called" test ! -e /tmp/mine.added
kill %?dhcp 2>/dev/null

net_end
