#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The half of net.sh that runs in Dom-0.
# shellcheck source=tests/lab/net.sh
. "$(dirname "$0")/net.sh"

rounds=9
mib=16

median() {
	sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

# seconds COMMAND...
seconds() {
	local began=$EPOCHREALTIME

	"$@" >/dev/null || echo "failed: $*" >&2
	echo "$EPOCHREALTIME $began" | awk '{ print $1 - $2 }'
}

net_begin >/dev/null
trap 'ip link delete plain0 2>/dev/null; ip netns delete scratch 2>/dev/null; net_clean; rm -rf "$scratch"; kill $(jobs -p) 2>/dev/null' EXIT
conf lan 10-lan.conf <<'END'
{"cniVersion": "0.4.0", "name": "lan", "type": "bridge", "bridge": "lan0", "isGateway": true,
 "ipam": {"type": "host-local", "subnet": "10.77.0.0/24"}}
END
builtin_nets
ip link add plain0 type bridge
ip address add 10.78.0.1/24 dev plain0
ip link set plain0 up

start bench --net=lan --insecure-options=all-run --memory=64M $work/images/server
runs bench >/dev/null
domain=$(domid "$uuid")

# What comes is counted from its first byte to its last.
cat >$work/sink.py <<'END'
import socket, sys, time
server = socket.create_server((sys.argv[1], 9000))
while True:
    peer, _ = server.accept()
    size, began = 0, None
    while True:
        data = peer.recv(1 << 18)
        if not data:
            break
        began = began or time.monotonic()
        size += len(data)
    peer.close()
    print(size / (1 << 20) / (time.monotonic() - began), flush=True)
END

# ---- attaching --------------------------------------------------------------------------------------

last_vif() {
	xl network-list "$domain" | awk 'END { print $1 }'
}

plain_attach() {
	xl network-attach "$domain" script=vif-bridge bridge=plain0
}

our_attach() {
	xl network-attach "$domain" script=/usr/local/lib/xenpod/xenpod-vif
}

# What xenpod-act does then.
our_tie() {
	/root/vifattach "vif$domain.1" scratch eth0
}

# Each change of the vifs' nodes, with its time.
xenstore-watch "/local/domain/0/backend/vif/$domain" | while read -r node; do
	echo "$EPOCHREALTIME $node"
done >>$t/nodes &

# From the first node of the vif that has come to the last word of its script, in seconds.
created_to_connected() {
	local vif="vif/$domain/1/"

	until_true 10 grep -q "${vif}hotplug-status" $t/nodes
	sleep 0.5
	awk -v vif="$vif" 'index($2, vif) && !began { began = $1 }
		index($2, vif "hotplug-status") { end = $1 }
		END { print end - began }' $t/nodes
}

detach() {
	xl network-detach "$domain" "$(last_vif)"
	until_true 30 sh -c "! ip -o link | grep -q ' vif$domain.1'; sleep 0.5"
	: >$t/nodes
}

plugin() {
	CNI_COMMAND=$1 CNI_CONTAINERID=bench CNI_NETNS=/run/netns/scratch CNI_IFNAME=cni0 \
		CNI_PATH=/usr/lib/cni /usr/lib/cni/ptp <$work/nets/99-default.conf
}

for ((i = 0; i < rounds; i++)); do
	seconds plain_attach >$t/whole-plain.$i
	created_to_connected >$t/attach-plain.$i
	detach
	ip netns add scratch
	ip link add host0 type veth peer name eth0 netns scratch
	seconds our_attach >$t/whole-ours.$i
	created_to_connected >$t/connected.$i
	seconds our_tie >$t/tie.$i
	paste -d ' ' $t/connected.$i $t/tie.$i | awk '{ print $1 + $2 }' >$t/attach-ours.$i
	seconds plugin ADD >$t/add.$i
	plugin DEL
	detach
	ip netns delete scratch
done

both_listen() {
	[ "$(ss -Hltn 'sport = :9000' | wc -l)" = 2 ]
}

# ---- sending ----------------------------------------------------------------------------------------

plain_attach
until_true 60 in_pod server ip link set eth1 up
in_pod server ip address add 10.78.0.2/24 dev eth1
gateway=$(ip -o -4 address show dev lan0 | awk '{ print $4 }' | cut -d/ -f1)
python3 $work/sink.py "$gateway" >$t/flow-ours &
python3 $work/sink.py 10.78.0.1 >$t/flow-plain &
until_true 60 both_listen

sends() {
	in_pod server sh -c "dd if=/dev/zero bs=64k count=$((mib * 16)) 2>/dev/null | nc $1 9000"
}

round_trip() {
	in_pod server ping -q -c 20 -i 0.1 "$1" | sed -n 's,.*= [^/]*/\([^/]*\)/.*,\1,p'
}

for ((i = 0; i < rounds; i++)); do
	sends "$gateway"
	sends 10.78.0.1
	round_trip "$gateway" >$t/rtt-ours.$i
	round_trip 10.78.0.1 >$t/rtt-plain.$i
done

figure() {
	cat "$t/$1".* | median
}

awk -v n=$rounds -v m=$mib -v ap="$(figure attach-plain)" -v ao="$(figure attach-ours)" \
	-v wp="$(figure whole-plain)" -v wo="$(figure whole-ours)" -v tie="$(figure tie)" \
	-v add="$(figure add)" -v fo="$(median <$t/flow-ours)" -v fp="$(median <$t/flow-plain)" \
	-v ro="$(figure rtt-ours)" -v rp="$(figure rtt-plain)" 'BEGIN {
	printf "medians of %d alternating rounds\n", n
	printf "a vif, created to connected: vif-bridge %.2f s, xenpod-vif and the tie %.2f s (the tie %.2f s), ratio %.2f\n", ap, ao, tie, ao / ap
	printf "the whole of xl network-attach: %.2f s, %.2f s with the tie; beside it ADD of ptp %.2f s\n", wp, wo + tie, add
	printf "%d MiB to Dom-0: plain bridge %.1f MiB/s, through the tie %.1f MiB/s, ratio %.2f\n", m, fp, fo, fo / fp
	printf "round trip: plain bridge %.2f ms, through the tie %.2f ms\n", rp, ro
}'
xenpod stop "$uuid" >/dev/null
until_true 120 test -s $t/bench.code
xenpod gc --grace-period=0 >/dev/null 2>&1
kill "$observer"
rm -rf $work
[ "$failed" -eq 0 ]
