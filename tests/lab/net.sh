# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# For scenarios of networks: an outside world (a namespace with an address of its own, reached through
# Dom-0), configurations, an image that serves a page, and questions to guests.
# shellcheck source=tests/lab/inside.sh
. "$(dirname "${BASH_SOURCE[0]}")/inside.sh"

# shellcheck disable=SC2034 # for the scenarios
edge=192.0.2.1           # Dom-0's address there
outside=192.0.2.2        # the outside's
confs=/etc/rkt/net.d

# conf NAME FILE: a network's configuration from stdin.
conf() {
	mkdir -p $confs
	cat >"$confs/$2"
}

# Serves "here is NAME", and tells the outside's callers who they are to it.
net_begin() {
	inside_begin
	image server '{"user": "0", "group": "0", "ports": [{"name": "web", "protocol": "tcp", "port": 80}],
		"exec": ["/bin/server"]}' <<-'END'
		#!/bin/sh
		trap 'exit 0' TERM
		mkdir -p /srv
		echo 'here is server' >/srv/index.html
		busybox httpd -f -p '[::]:80' -h /srv &
		wait
	END
	for tool in httpd wget ping6 nc arping nslookup; do
		ln -sf busybox $work/images/server/rootfs/bin/$tool
	done
	ip netns add outside
	ip link add edge type veth peer name edge netns outside
	ip address add $edge/24 dev edge
	ip link set edge up
	ip -n outside address add $outside/24 dev edge
	ip -n outside link set edge up
	ip -n outside link set lo up
	# What it is asked it answers with who has asked.
	ip netns exec outside python3 -c '
import http.server
class Echo(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.client_address[0].encode())
    def log_message(self, *words):
        pass
http.server.HTTPServer(("", 7000), Echo).serve_forever()' &
}

# What plugins make once and keep for the next container (a bridge, the first rules' tables, a lease
# directory) is theirs: each network is made and given back once, by hand, before things are counted.
# plugins_warm FILE...: the first plugin of each.
plugins_warm() {
	local file plugin command

	ip netns add warm
	for file in "$@"; do
		plugin=$(jq -c 'if .plugins then {name, cniVersion} + .plugins[0] else . end' <"$file")
		for command in ADD DEL; do
			CNI_COMMAND=$command CNI_CONTAINERID=warm CNI_NETNS=/run/netns/warm CNI_IFNAME=eth0 \
				CNI_PATH=/usr/lib/cni "/usr/lib/cni/$(jq -r .type <<<"$plugin")" \
				<<<"$plugin" >/dev/null || bail "plugins work by themselves" "$file"
		done
	done
	ip netns delete warm
	kill "$observer"
	wait "$observer"
	leftovers_snapshot base
	observer_start
}

# On the way out, whatever happened: this is ours and not the pods'.
net_clean() {
	rm -rf $confs /var/lib/cni/networks /tmp/faulty.* /tmp/mine.added
	ip netns list | awk '{print $1}' | xargs -r -n 1 ip netns delete
	for dev in lan0 edge mv dh dh0 mine0; do
		ip link delete $dev 2>/dev/null
	done
	nft flush ruleset
	true
}
trap 'net_clean; rm -rf "$scratch"; kill $(jobs -p) 2>/dev/null' EXIT

net_end() {
	inside_end
}

# The stage1 image's own, in $work/nets.
builtin_nets() {
	mkdir -p $work/nets
	tar -xf /usr/local/lib/xenpod/stage1-xen.aci -C $work/nets --strip-components=4 rootfs/etc/rkt/net.d
}

pod_dir() {
	echo "$datadir/pods/run/$uuid"
}

# address NETWORK [PREFIX]: the pod's first, or that which begins so, as the supervisor tells it.
address() {
	status "$uuid" ".pod.networks[] | select(.name == \"$1\") | .addresses[]" |
		sed 's,/.*,,' | grep -m 1 "^${2-}"
}

# Of an interface of the guest: global addresses, IPv4 first.
guest_addresses() {
	in_pod server ip -o addr show dev "$1" scope global | awk '{print $4}' | paste -sd' '
}

guest_routes() {
	in_pod server ip route | sed 's/  */ /g; s/ $//' | LC_ALL=C sort
}

get() {
	timeout 60 busybox wget -qO- "$1"
}

outside_gets() {
	timeout 60 ip netns exec outside busybox wget -qO- "$1"
}
