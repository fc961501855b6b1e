#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: full
# PODS: 11
# LIMIT: 3600
#
# A power cut while ten networked pods run. After it their addresses are theirs until gc, which gives
# all of them back though no namespace and no interface of theirs is there any more.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"

lab_in 'mkdir -p /etc/rkt/net.d && cat >/etc/rkt/net.d/10-lan.conf' <<'END'
{"cniVersion": "0.4.0", "name": "lan", "type": "bridge", "bridge": "lan0", "isGateway": true,
 "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.77.0.0/24"}], [{"subnet": "fd77::/64"}]]}}
END
lab_in 'cat >/root/ten.sh' <<'END'
for i in $(seq 10); do
	xenpod run --net=default,lan --port=web:$((8000 + i)) --memory=64M /root/ten.image \
		-- -c 'trap "exit 0" TERM; sleep 100000 & wait' >/dev/null 2>&1 </dev/null &
done
until [ "$(xenpod-status --no-legend | grep -c ' running ')" = 10 ]; do
	! xenpod-status | grep -E ' (failed|exited) ' || exit 1
	sleep 2
	[ $SECONDS -lt 1800 ] || exit 1
done
sync
END
lab_run 'mkdir -p /root/ten.image && tar -C /root/ten.image -xf /root/images/busybox.aci &&
	jq ".app.ports = [{name: \"web\", protocol: \"tcp\", port: 80}]" </root/ten.image/manifest >/root/ten.new &&
	mv /root/ten.new /root/ten.image/manifest'

leases() {
	lab_run "find /var/lib/cni/networks/$1 -type f ! -name lock ! -name 'last*' | wc -l"
}

states() {
	lab_run "xenpod-status --json | jq -r '.pods[] | .state + \" \" + .cause'" | sort | uniq -c | sed 's/^ *//'
}

settled() {
	[ "$(lab_run "xenpod-status --json | jq -r .supervisor.state")" = running ] && [ "$(states)" = "$1" ]
}

soon_outside() {
	local end=$((SECONDS + $2))

	until "${@:3}" 2>/dev/null; do
		[ $SECONDS -lt $end ] || { not_ok "$1" "$(states)"; return; }
		sleep 2
	done
	ok "$1"
}

check "ten networked pods run" lab_run bash /root/ten.sh
expect_eq "each has an address of the one network" "$(leases default)" 10
expect_eq "and two of the other" "$(leases lan)" 20
check "a power cut" "$xenlab" crash
check "the machine starts from its disk" "$xenlab" up
soon_outside "the supervisor knows what became of them" 300 settled '10 exited host-reboot'
expect_eq "their addresses are theirs still" "$(leases default) $(leases lan)" '10 20'
expect_match "and are shown" "$(lab_run xenpod-status --no-legend | head -1)" 'lan=10\.77\.0\..* default=172\.16\.28\.'
expect_eq "gc" "$(lab_run 'xenpod gc --grace-period=0 >/dev/null' 2>&1)" ''
expect_eq "no pod is known any more" "$(lab_run xenpod-status --no-legend)" ''
expect_eq "no lease" "$(leases default) $(leases lan)" '0 0'
expect_eq "no namespace, no interface, no rules of theirs" "$(lab_run "find /run/netns -name 'xenpod-*' 2>/dev/null
	ip -o link | grep -E 'veth|vif|lan0'; nft list ruleset | grep -E 'xenpod|CNI-'")" ''
expect_eq "the next pod has a network" \
	"$(lab_run "xenpod run --net=default --memory=64M /root/images/busybox.aci -- -c 'ping -c 1 -W 30 172.16.28.1 >/dev/null && echo reached'" </dev/null)" reached
lab_run 'xenpod gc --grace-period=0 >/dev/null; rm -rf /root/ten* /etc/rkt/net.d /var/lib/cni/networks'
finish
