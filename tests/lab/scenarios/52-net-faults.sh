#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: full
# PODS: 12
# LIMIT: 3600
#
# Plugins that fail, hang, talk nonsense or without end, confs and plugins that vanish, a supervisor
# that is killed between the steps: each ends in a state that says why, and nothing of it is left.
# shellcheck source=tests/lab/net.sh
. "$(dirname "$0")/../net.sh"

net_begin
builtin_nets

# Behind `default` in the order of file names. It does what /tmp/faulty.mode says.
conf faulty 99-zfaulty.conf <<'END'
{"cniVersion": "0.4.0", "name": "faulty", "type": "faulty"}
END
conf nosuch 99-znosuch.conf <<'END'
{"cniVersion": "0.4.0", "name": "nosuch", "type": "no-such-plugin"}
END
mkdir -p /opt/cni/bin
cat >/opt/cni/bin/faulty <<'END'
#!/bin/sh
exec 3>&1 >&2
ns=$(basename "$CNI_NETNS")
mode=$(cat /tmp/faulty.mode)
dev=f$(echo "$CNI_CONTAINERID" | cut -c1-8)
echo "$CNI_COMMAND" >>/tmp/faulty.log
case $CNI_COMMAND:$mode in
ADD:fail)
	echo '{"cniVersion": "0.4.0", "code": 11, "msg": "no luck today", "details": "ask tomorrow"}' >&3
	exit 1
	;;
ADD:hang) exec sleep 1000 ;;
ADD:garbage)
	echo 'this is no JSON' >&3
	exit 0
	;;
CHECK:unhappy)
	echo '{"cniVersion": "0.4.0", "code": 11, "msg": "it is not as I made it"}' >&3
	exit 1
	;;
ADD:flood) exec head -c 100000000 /dev/zero >&3 ;;
DEL:stubborn)
	n=$(cat /tmp/faulty.n)
	if [ "$n" -gt 0 ]; then
		echo $((n - 1)) >/tmp/faulty.n
		echo '{"cniVersion": "0.4.0", "code": 11, "msg": "the switch is busy"}' >&3
		exit 1
	fi
	;;
ADD:slow | DEL:slow) sleep 6 ;;
esac
case $CNI_COMMAND in
ADD)
	ip link add $dev type veth peer name "$CNI_IFNAME" netns "$ns" || exit 1
	ip link set $dev up
	ip -n "$ns" address add 10.92.0.2/24 dev "$CNI_IFNAME"
	ip -n "$ns" link set "$CNI_IFNAME" up
	echo '{"cniVersion": "0.4.0", "ips": [{"version": "4", "address": "10.92.0.2/24"}]}' >&3
	;;
DEL) ip link delete $dev 2>/dev/null ;;
esac
exit 0
END
chmod 755 /opt/cni/bin/faulty
echo good >/tmp/faulty.mode
echo 0 >/tmp/faulty.n
: >/tmp/faulty.log
plugins_warm $work/nets/99-default.conf

mode() {
	echo "$1" >/tmp/faulty.mode
	: >/tmp/faulty.log
}

# refused NAME ERE ARGS...: it ends with 254 and one such line, and nothing of its network is there.
refused() {
	run_to "$1" "${@:3}" $images/busybox.aci -- -c 'exit 0'
	observed=$((observed + 1))
	uuid=$(cat "$t/$1.uuid")
	expect_eq "$1: exit code" "$(cat "$t/$1.code")" 254
	expect_match "$1: says why" "$(cat "$t/$1.err")" "$2"
	expect_eq "$1: one line" "$(wc -l <"$t/$1.err")" 1
	nothing_of_it "$1"
}

# Its history stays for a while, the pod does not.
forgotten() {
	! xenpod-status --no-legend --full | grep -q "^$uuid"
}

nothing_of_it() {
	expect_eq "$1: no namespace, no interface, no lease" \
		"$(find /run/netns -name 'xenpod-*'; ip -o link | grep -E 'veth|: f[0-9a-f]{8}@'; find /var/lib/cni/networks/default -name '1*.*')" ''
}

# ---- ADD ------------------------------------------------------------------------------------------

mode fail
refused fail 'network "faulty": .*no luck today; ask tomorrow' --net=default,faulty
expect_match "fail: the status says it too" "$(xenpod-status "$uuid")" 'network-failed: .*no luck today'
expect_eq "fail: the plugin was asked to undo it" "$(head -2 /tmp/faulty.log | paste -sd' ')" 'ADD DEL'
mode unhappy
run_to unhappy --net=default,faulty $images/busybox.aci -- -c 'exit 0'
observed=$((observed + 1))
expect_eq "a plugin whose CHECK is not content: the pod runs" "$(cat "$t/unhappy.code")" 0
expect_match "and the journal says it" "$(journalctl -b -u xenpodd -o cat | grep CHECK)" 'network "faulty": .*not as I made it'
expect_eq "unhappy: made, asked" "$(head -2 /tmp/faulty.log | paste -sd' ')" 'ADD CHECK'
xenpod gc --grace-period=0 >/dev/null
mode garbage
refused garbage 'network "faulty": .*(JSON|garbage)' --net=default,faulty
mode flood
refused flood 'network "faulty": .*more than [0-9]+ bytes' --net=default,faulty
mode hang
refused hang 'network "faulty": .*did not end within' --net=default,faulty
expect_eq "hang: nothing of it runs on" "$(pgrep -f 'sleep 1000')" ''
refused missing 'no-such-plugin.*containernetworking-plugins' --net=default,nosuch
refused unknown 'networks not found: nowhere' --net=default,nowhere

mode hang
start hung --net=default,faulty $images/busybox.aci -- -c 'exit 0'
until_true 120 in_state "$uuid" networking
until_true 60 grep -q ADD /tmp/faulty.log
xenpod stop --force "$uuid" >/dev/null
soon "a plugin that hangs is no reason to wait" 60 in_state "$uuid" 'exited|failed'
nothing_of_it "stopped meanwhile"
expect_eq "its plugin is ended" "$(pgrep -f 'sleep 1000')" ''

# ---- the supervisor is killed -----------------------------------------------------------------------

mode slow
start killed --net=default,faulty $work/images/server
until_true 120 in_state "$uuid" networking
until_true 60 grep -q ADD /tmp/faulty.log
kill_supervisor
runs killed
expect_eq "killed while a plugin is at work: undone, then made anew" "$(grep -v CHECK /tmp/faulty.log | paste -sd' ')" 'ADD DEL ADD'
expect_eq "its interfaces" "$(guest_addresses eth1)" 10.92.0.2/24
check "and they work" in_pod server ping -c 2 -W 30 172.16.28.1
kill_supervisor
expect_match "killed while it runs: addresses are known" "$(xenpod-status --no-legend)" 'faulty=10\.92\.0\.2'
check "and go on" ping -c 2 -W 30 "$(address default)"
xenpod stop "$uuid" >/dev/null
expect_end killed 0 exited stopped
(xenpod gc --grace-period=0 >/dev/null 2>&1; true) &
until_true 120 in_state "$uuid" releasing
until_true 60 sh -c 'tail -1 /tmp/faulty.log | grep -q DEL'
kill_supervisor
soon "killed while it is given back: given back" 120 forgotten
nothing_of_it "killed while it is given back"

# ---- DEL ------------------------------------------------------------------------------------------

xenpod gc --grace-period=0 >/dev/null 2>&1 # others have the plugin as well
mode stubborn
echo 3 >/tmp/faulty.n
start stubborn --net=default,faulty $work/images/server
runs stubborn
xenpod stop "$uuid" >/dev/null
expect_end stubborn 0 exited stopped
(xenpod gc --grace-period=0 >/dev/null 2>&1; true) &
soon "a DEL that fails is shown" 60 sh -c "xenpod-status $uuid | grep -q 'the switch is busy'"
held=$uuid
start beside --net=default $images/busybox.aci -- -c 'exit 5'
expect_end beside 5 exited finished
uuid=$held
soon "after three failures it is done" 120 forgotten
expect_eq "three times and once" "$(grep -c DEL /tmp/faulty.log)" 4
xenpod gc --grace-period=0 >/dev/null
nothing_of_it "after that"

# ---- what vanishes ----------------------------------------------------------------------------------

mode good
start vanish --net=default,faulty $work/images/server
runs vanish
rm $confs/99-zfaulty.conf
mv /usr/lib/cni/ptp /usr/lib/cni/ptp.away
xenpod stop "$uuid" >/dev/null
expect_end vanish 0 exited stopped
check "gc without conf and plugin" xenpod gc --grace-period=0
mv /usr/lib/cni/ptp.away /usr/lib/cni/ptp
nothing_of_it "conf and plugin gone"

net_end
