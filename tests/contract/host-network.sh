#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# DEEP: makes networks of its own and is killed at many moments
# `xenpod host network` on a real kernel, in a network namespace with an outside behind it and a pod's namespace
# on the bridge: what it makes, that it can be killed at any moment, that everything is as before afterwards,
# that traffic goes out by NAT under both firewalls, also where forwarding is dropped. Needs root, no Xen.
# The last line is `N passed, N failed`.
set -u

if [ "${XENPOD_TEST_NS:-}" != 1 ]; then
	exec env XENPOD_TEST_NS=1 unshare --net --mount --propagation private "$0" "$@"
fi
# shellcheck source-path=SCRIPTDIR source=checks.bash
. "$(dirname "$0")/checks.bash"
served=
end() {
	[ -z "$served" ] || kill "$served" 2>/dev/null
	cd / && umount -l /etc "$T" && rmdir "$T"
}
trap end EXIT

# ---- a host ----------------------------------------------------------------------------------------------

# The host's files and other namespaces' names are of this suite alone.
mount -t tmpfs none "$T"
mkdir -p "$T/etc/upper" "$T/etc/work" /run
mount -t overlay -o "lowerdir=/etc,upperdir=$T/etc/upper,workdir=$T/etc/work" none /etc
mount -t tmpfs none /run
mount -t tmpfs none /var/lib
mkdir -p /run/systemd/system /run/netns /etc/systemd/system
mount -t sysfs none /sys
export PATH=$PATH:/usr/sbin:/sbin

ip link set lo up
ip netns add outside
ip netns add pod
ip link add eth9 type veth peer name eth0 netns outside
ip address add 192.0.2.1/24 dev eth9
ip link set eth9 addrgenmode none up # an address that comes by itself comes late
ip -n outside address add 192.0.2.2/24 dev eth0
ip -n outside link set eth0 up
ip route add default via 192.0.2.2
ip netns exec outside python3 -c '
import socket
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("", 7000))
s.listen()
while True:
    c, who = s.accept()
    c.sendall(who[0].encode())
    c.close()' &
served=$!

# There is no systemd here: what it is told.
mkdir "$T/path"
printf '#!/bin/sh\necho "$*" >>%s\n' "$T/systemctl" >"$T/path/systemctl"
chmod 755 "$T/path/systemctl"
PATH=$T/path:$PATH

# Not every kernel that this runs on has such links; the lab's has.
port=dummy
ip link add probe type dummy 2>/dev/null && ip link delete probe || port=none

# nft COMMANDS: what they print.
nft() {
	python3 -c '
import ctypes, sys
l = ctypes.CDLL("libnftables.so.1")
l.nft_ctx_new.restype = ctypes.c_void_p
c = ctypes.c_void_p(l.nft_ctx_new(0))
l.nft_ctx_output_set_flags(c, 2)
sys.exit(l.nft_run_cmd_from_buffer(c, sys.argv[1].encode()) != 0)' "$1"
}

# Links, addresses, routes, rules, sysctls, files; without counters and numbers that the kernel gives.
dump() {
	ip -d -o link | sed 's/^[0-9]*: //; s/ gc_timer .*//' | sort
	ip -o address | sed 's/^[0-9]*: //; s/valid_lft .*//' | sort
	ip route show table all
	ip rule
	nft 'list ruleset'
	iptables-save 2>/dev/null | sed '/^#/d; s/\[.*\]//'
	sysctl -a 2>/dev/null | grep '^net\.ipv[46]\.conf\|^net\.ipv4\.ip_forward'
	find /etc/rkt /etc/systemd/system /etc/systemd/network -printf '%p %y %m %l\n' 2>/dev/null | sort
	find /etc/rkt /etc/systemd/system /etc/systemd/network -type f -exec cat {} + 2>/dev/null
}

before() {
	dump >"$T/before"
}

unchanged() { # WHAT
	same "$1" "" "$(dump | diff "$T/before" - | head -n 8)"
}

network() {
	"$bin/xenpod-host" --state-dir="$T/state" network "$@" >"$T/said" 2>&1 </dev/null
}

does() { # WHAT RC ARGS...
	local rc=0

	network "${@:3}" || rc=$?
	same "$1" "$2" "$rc$([ "$rc" = "$2" ] || cat "$T/said")"
}

refused() { # TEXT ARGS...
	does "refused: ${*:2}" 254 "${@:2}"
	same "in one line that says \"$1\"" "1 1" "$(wc -l <"$T/said") $(grep -cF -- "$1" "$T/said")"
}

# ---- a pod on the bridge ---------------------------------------------------------------------------------

# By the real plugin, with the file that was made; leases are of this suite alone.
cni() { # COMMAND
	CNI_COMMAND=$1 CNI_CONTAINERID=pod CNI_NETNS=/run/netns/pod CNI_IFNAME=eth0 CNI_PATH=/usr/lib/cni \
		CNI_ARGS="IgnoreUnknown=1;IP=10.1.1.20" /usr/lib/cni/bridge </etc/rkt/net.d/10-xenbr0.conf >"$T/cni" 2>&1 ||
		same "the plugin does $1" "" "$(cat "$T/cni")"
}
plug() {
	cni ADD
	same "the pod's address and its way out" "10.1.1.20/24 10.1.1.1" \
		"$(ip -n pod -o -4 address show eth0 | awk '{ print $4 }') $(ip -n pod route show default | awk '{ print $3 }')"
}

unplug() {
	cni DEL
}

# What the outside sees of a call from the pod; "" when it does not get through.
seen() {
	ip netns exec pod timeout "${1:-30}" python3 -c '
import socket
s = socket.create_connection(("192.0.2.2", 7000), 20)
print(s.recv(100).decode())' 2>/dev/null
}

# ---- made, again, taken back -------------------------------------------------------------------------------

before
does "plan" 0 plan --port=$port --persistent
steps=$(grep -c '^would do\|^is so' "$T/said")
same "it tells" 1 "$(grep -c '^would do .*bridge xenbr0$' "$T/said")"
does "plan --json" 0 plan --port=$port --persistent --json
same "the same steps" "$steps" "$(grep -c '^ *"kind": ' "$T/said")"
same "is JSON" xenbr0 "$(python3 -c 'import json, sys; print(json.load(sys.stdin)["options"]["bridge"])' <"$T/said")"
does "up --dry-run" 0 up --port=$port --dry-run
does "status: nothing" 1 status
does "down: nothing" 0 down
unchanged "they change nothing"

for firewall in nftables iptables; do
	does "up by $firewall" 0 up --port=$port --firewall=$firewall --persistent
	does "up again" 0 up
	same "all is so" 0 "$(grep -vc '^is so ' "$T/said")"
	does "status" 0 status
	does "status --json" 0 status --json
	same "is JSON" "up 0" "$(python3 -c 'import json, sys; d = json.load(sys.stdin); print(d["state"], d["changed"])' <"$T/said")"
	same "the network for pods" xenbr0 "$(python3 -c 'import json; print(json.load(open("/etc/rkt/net.d/10-xenbr0.conf"))["bridge"])')"
	same "the unit is enabled" 1 "$(grep -c '^ExecStart=.* network up$' /etc/systemd/system/multi-user.target.wants/xenpod-host-network.service)"
	plug
	same "$firewall: the outside sees the host's address" 192.0.2.1 "$(seen)"
	refused 'xenbr0 has ports of others (veth' down
	unplug
	ip link set xenbr0 down
	does "somebody has changed something: status" 1 status
	same "it tells what" 1 "$(grep -c '^changed  *bridge xenbr0$' "$T/said")"
	does "up mends it" 0 up
	does "status" 0 status
	: >"$T/systemctl"
	does "down" 0 down
	unchanged "all is as before"
	same "systemd is told: before, that it may not bring it back; then, that it is gone" "stop|daemon-reload" \
		"$(sed '/^show/d; s/ .*//' "$T/systemctl" | paste -sd'|')"
	does "down again" 0 down
	unchanged "and stays so"
done

# ---- to other options ----------------------------------------------------------------------------------------

does "up" 0 up --port=none
does "to others" 0 up --bridge=lan7 --address=10.7.0.1/16
same "the old bridge is gone" 1 "$(ip link show xenbr0 2>&1 | grep -c 'does not exist')"
same "the new one is there" 1 "$(ip -o -4 address show lan7 | grep -c 'inet 10\.7\.0\.1/16 brd 10\.7\.255\.255')"
does "down" 0 down
unchanged "all is as before"
does "up" 0 up --port=none
does "to another bridge, the address stays" 0 up --bridge=lan7
same "the old bridge is gone" 1 "$(ip link show xenbr0 2>&1 | grep -c 'does not exist')"
same "the new one has its address, and the way there" "10.1.1.1/24 lan7" \
	"$(ip -o -4 address show lan7 | awk '{ print $4 }') $(ip route show 10.1.1.0/24 | awk '{ print $3 }')"
does "all is so" 0 status
does "down" 0 down
unchanged "all is as before"
does "up with a pod" 0 up --port=none
plug
refused 'xenbr0 has ports of others (veth' up --bridge=lan7
refused 'xenbr0 has ports of others (veth' up --address=10.7.0.1/16
refused 'xenbr0 has ports of others (veth' plan --address=10.7.0.1/16
does "what leaves them alone goes on" 0 up --firewall=iptables
same "the pod still gets out" 192.0.2.1 "$(seen)"
does "by force" 0 up --address=10.7.0.1/16 --force
unplug
does "down" 0 down
unchanged "all is as before"

# A change that comes to its last step only: the first bridge is there still, and pods can be on it.
ip link add late0 type bridge
does "up" 0 up --port=none --out=late0
ip link delete late0
does "to another bridge, without a way out" 254 up --bridge=lan7 --address=10.7.0.1/16
plug
refused 'xenbr0 has ports of others (veth' up
refused 'xenbr0 has ports of others (veth' down
unplug
does "down" 0 down
unchanged "all is as before"

# What somebody has switched on or put in since is not taken away.
sysctl -qw net.ipv4.ip_forward=0 net.ipv4.conf.eth9.forwarding=0
does "up" 0 up --port=none
sysctl -qw net.ipv4.ip_forward=1
does "down --dry-run" 0 down --dry-run
same "tells so" 1 "$(grep -c '^would leave .*forwarding from eth9 (net.ipv4.ip_forward was switched on since)' "$T/said")"
does "down" 0 down
same "forwarding stays" "1 1" "$(sysctl -n net.ipv4.conf.eth9.forwarding) $(grep -c '^left .*forwarding from eth9 (net.ipv4.ip_forward was switched on since)' "$T/said")"
sysctl -qw net.ipv4.ip_forward=0
for rule in 'add rule ip nat POSTROUTING tcp dport { 80, 443 } counter' 'add set ip nat ports { type inet_service; elements = { 1, 2 }; }' \
	'add rule ip nat POSTROUTING counter comment "a hook {"'; do
	does "up" 0 up --port=none --firewall=iptables
	does "down --dry-run" 0 down --dry-run
	same "would leave nothing" 0 "$(grep -c '^would leave .*iptables: table nat' "$T/said")"
	nft "$rule"
	does "down --dry-run" 0 down --dry-run
	same "would leave: $rule" 1 "$(grep -c '^would leave .*iptables: table nat (others have rules in it)' "$T/said")"
	does "down" 0 down
	same "left: $rule" 1 "$(grep -c '^left .*iptables: table nat (others have rules in it)' "$T/said")"
	nft 'delete table ip nat'
done
before

# Of an earlier boot's call the files are there, and nothing else is asked for: not even iptables.
does "up by iptables" 0 up --port=none --firewall=iptables
cp "$T/state/network.json" "$T/record"
does "down" 0 down
does "up by iptables" 0 up --port=none --firewall=iptables
ip link delete xenbr0
nft 'delete table ip nat; delete table ip filter' 2>/dev/null
sysctl -qw net.ipv4.conf.eth9.forwarding=0
jq '(.steps[] | select(.boot) | .boot) = "earlier"' "$T/record" >"$T/state/network.json"
ip link add xenbr0 type bridge
ip link add vm0 type veth
ip link set vm0 master xenbr0
does "somebody's bridge of that name, with a guest" 0 down --dry-run
ip link delete vm0
ip link delete xenbr0
tables=$(readlink -f /usr/sbin/iptables-save)
mount --bind /dev/null "$tables"
does "status" 1 status
does "down" 0 down
same "nothing of it is left" 0 "$(grep -c '^left' "$T/said")"
umount "$tables"
unchanged "all is as before"

# A record that somebody has written into.
does "up" 0 up --port=none
cp "$T/state/network.json" "$T/record"
jq '(.steps[] | select(.kind == "forwarding" and .name == "eth9") | .was) = 0' "$T/record" >"$T/state/network.json"
refused 'its record has no text where one is wanted' down
cp "$T/record" "$T/state/network.json"
does "down" 0 down
unchanged "all is as before"

# ---- where forwarding is dropped -----------------------------------------------------------------------------

iptables -w -P FORWARD DROP
before
does "up where iptables drops" 0 up --port=none
same "it is iptables that is used" 1 "$(grep -c '^done .*iptables: nat POSTROUTING' "$T/said")"
plug
same "traffic goes out" 192.0.2.1 "$(seen)"
unplug
does "down" 0 down
unchanged "all is as before"
does "up by nftables where iptables drops" 0 up --port=none --firewall=nftables
plug
same "traffic goes out" 192.0.2.1 "$(seen)"
unplug
does "down" 0 down
unchanged "all is as before"
iptables -w -P FORWARD ACCEPT
nft 'delete table ip filter'

nft 'table inet strict { chain g { type filter hook forward priority 1; policy drop; }; chain f { type filter hook forward priority 0; policy drop; ct state invalid drop; }; }'
before
does "up where two chains of nftables drop" 0 up --port=none
same "three rules in each of them" "3 3" "$(nft 'list chain inet strict f' | grep -c 'comment "xenpod ') $(nft 'list chain inet strict g' | grep -c 'comment "xenpod ')"
same "it is nftables that is used" 1 "$(grep -c '^done .*nftables: table xenpod_host' "$T/said")"
plug
same "traffic goes out" 192.0.2.1 "$(seen)"
nft 'flush chain inet strict f'
same "somebody empties the chain: it does not" "" "$(seen 2)"
does "status tells" 1 status
does "up mends it" 0 up
same "traffic goes out" 192.0.2.1 "$(seen)"
unplug
nft 'add rule inet strict f ct state invalid drop'
does "down" 0 down
unchanged "all is as before"
nft 'delete table inet strict'

# ---- what cannot be --------------------------------------------------------------------------------------------

ip link add xenbr0 type bridge
ip address add 10.8.7.1/24 dev eth9
ip route add 10.9.0.0/16 via 192.0.2.2
before
refused 'there is an interface xenbr0 already' up --port=none
refused '10.8.0.0/16 overlaps with 10.8.7.0/24 of eth9' up --port=none --bridge=br1 --address=10.8.0.1/16
refused '10.9.1.0/24 overlaps with 10.9.0.0/16 of eth9' up --port=none --bridge=br1 --address=10.9.1.1/24
refused '--out=nothing: there is no such interface' up --port=none --bridge=br1 --out=nothing
refused '--out=lo: that is no way out' up --port=none --bridge=br1 --out=lo
refused '--address=10.1.1.0/24: no host can have' up --address=10.1.1.0/24
refused '--address=10.1.1.1: an IPv4 address with' up --address=10.1.1.1
refused '--bridge=abcdefghij: 9 characters' up --bridge=abcdefghij
refused '--firewall=pf: auto, nftables or iptables' up --firewall=pf
refused '--port=eth0: none or dummy is wanted' up --port=eth0
refused 'network status takes no --force' status --force
refused 'network up takes no "now"' up now
refused 'there is no verb "start"' start
unchanged "nothing is changed by them"
rm -r /run/systemd
refused '--persistent makes a unit of systemd' up --port=none --bridge=br1 --persistent
mkdir -p /run/systemd/system
ip link delete xenbr0
ip route delete default
before
refused 'there is no default route that tells the way out' up --port=none
does "with a name it goes" 0 up --port=none --out=eth9
does "down" 0 down
unchanged "all is as before"
ip route add default via 192.0.2.2
before

# ---- the way out comes later than we do -------------------------------------------------------------------------

# As at a boot whose wireless network is not there yet: the rest is done, and the next try does that, too.
ip link add late0 type bridge
does "up" 0 up --port=none --out=late0
ip link delete late0
ip link delete xenbr0
nft 'delete table ip xenpod_host'
does "up without it" 254 up
same "says so" 1 "$(grep -c 'forwarding from late0: the link is not there' "$T/said")"
same "all but that was done" "10.1.1.1/24 1" \
	"$(ip -o -4 address show xenbr0 | awk '{ print $4 }') $(nft 'list table ip xenpod_host' | grep -c late0)"
ip link add late0 type bridge
does "the link is there: up" 0 up
same "it forwards" 1 "$(sysctl -n net.ipv4.conf.late0.forwarding)"
refused '--out=late1: there is no such interface' up --out=late1
ip link delete late0
does "down when it is gone" 0 down
same "that is told" 1 "$(grep -c 'forwarding from late0' "$T/said")"
unchanged "all is as before"

# ---- systemd-networkd runs -----------------------------------------------------------------------------------------

mkdir -p /run/systemd/netif "$T/stand-ins"
: >/run/systemd/netif/state
printf '#!/bin/sh\necho "$@" >>%s\nexit $(cat %s)\n' "$T/asked" "$T/answer" >"$T/stand-ins/networkctl"
chmod +x "$T/stand-ins/networkctl"
echo 0 >"$T/answer"
PATH=$T/stand-ins:$PATH does "up beside networkd" 0 up --port=none
same "it leaves the bridge alone" 'Name=xenbr0 veth???????? Unmanaged=yes' \
	"$(grep '=' /etc/systemd/network/05-xenpod-xenbr0.network | paste -sd' ')"
same "and was told so" reload "$(cat "$T/asked")"
same "before there was a bridge" "networkd link" \
	"$(jq -r '[.steps[] | .kind | select(. == "networkd" or . == "link")] | unique_by(.) | sort | reverse | join(" ")' "$T/state/network.json")"
PATH=$T/stand-ins:$PATH does "down" 0 down
same "it was told again" 'reload reload' "$(paste -sd' ' "$T/asked")"
echo 1 >"$T/answer"
PATH=$T/stand-ins:$PATH does "up, and networkd cannot be told" 0 up --port=none
same "that is said" 1 "$(grep -c 'systemd-networkd has not read /etc/systemd/network/05-xenpod-xenbr0.network yet' "$T/said")"
PATH=$T/stand-ins:$PATH does "down" 0 down
rm -r /run/systemd/netif
unchanged "all is as before"

# ---- killed at any moment --------------------------------------------------------------------------------------

killed() { # MILLISECONDS VERB...
	timeout --foreground -s KILL "$(printf '0.%03d' "$1")" "$bin/xenpod-host" --state-dir="$T/state" network "${@:2}" \
		>/dev/null 2>&1
	# A program that it had started has its lock until it ends, which it does by itself.
	[ ! -d "$T/state" ] || flock -w 30 "$T/state" true
}

bad=
for firewall in nftables iptables; do
	for ((i = 2; i <= 90; i += 6)); do
		killed $i up --port=$port --firewall=$firewall
		((i % 12 == 2)) || network up --port=$port --firewall=$firewall || bad="up after $i ms: $(cat "$T/said")"
		((i % 18 == 2)) || killed $i down
		network down || bad="down after $i ms: $(cat "$T/said")"
		[ -z "$(dump | diff "$T/before" -)" ] || bad="$firewall, $i ms: $(dump | diff "$T/before" - | head -n 4) $(cat "$T/said")"
		[ -z "$bad" ] || break
	done
done
same "killed at many moments, all is as before" "" "$bad"

finish
