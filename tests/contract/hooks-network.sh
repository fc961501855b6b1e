#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `run` and a pod's networks: what rkt reads of them is there before the pid, and not before they are
# known (contract 1.3, 2.5, 5.3, 5.6). No Xen, no plugin is run. The last line is `N passed, N failed`.
set -u

# shellcheck source-path=SCRIPTDIR source=hookskit.bash
. "$(dirname "$0")/hookskit.bash"

new_pod_with_nets() {
	new_pod
	mkdir -p "$pod/stage1/rootfs/etc/rkt/net.d" "$pod/stage1/rootfs/usr/lib/rkt/plugins/net"
	cp "$top"/dist/nets/*.conf "$pod/stage1/rootfs/etc/rkt/net.d/"
	for plugin in ptp bridge portmap; do
		install -m 755 /dev/null "$pod/stage1/rootfs/usr/lib/rkt/plugins/net/$plugin"
	done
}
mkdir -p "$T/local/net.d"
echo '{"cniVersion":"0.4.0","name":"mine","plugins":[{"type":"bridge"},{"type":"portmap"}]}' \
	>"$T/local/net.d/10-mine.conflist"
# start_networked STEPS...: the supervisor has an answer of two networks in the file `nets`.
start_networked() {
	start_supervisor "$@"
	cat >"$XENPOD_RUN_DIR/nets" <<-END
		[{"name":"mine","ifname":"eth0","file":"10-mine.conflist","plugin":"/usr/lib/cni/bridge",
		"args":"IP=10.1.2.3","ip":"10.1.2.3","mask":"255.255.0.0","addresses":["10.1.2.3/16"]},
		{"name":"default","ifname":"eth1","file":"99-default.conf",
		"plugin":"$pod/stage1/rootfs/usr/lib/rkt/plugins/net/ptp","ip":"172.16.28.2",
		"mask":"255.255.255.0","addresses":["172.16.28.2/24","fd00::2/64"],
		"dns":{"nameservers":["192.0.2.1","2001:db8::1"],"domain":"d.example","search":["a.example",
		"b.example"],"options":["ndots:2"]}}]
	END
}
run_networked() {
	run_hook --debug --net=default,mine:IP=10.1.2.3 "--local-config=$T/local" "$@" $uuid
}
resolv_conf=stage1/rootfs/etc/rkt-resolv.conf
for_rkt() {
	(cd "$pod" && find pid net-info.json net $resolv_conf 2>/dev/null | sort | xargs)
}
json_of() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1])))' "$1" 2>&1; }

start_networked "Accept=accepted state file:made networked:nets running file:go ended:3"
new_pod_with_nets
run_networked >"$T/out" 2>"$T/err" &
hook=$!
await grep -q "was accepted" "$T/err"
sleep 0.3
same "nothing for rkt before they are known" "" "$(for_rkt)"
same "the lock is kept" "" "$(flock -n -s "$pod" echo free)"
touch "$XENPOD_RUN_DIR/made"
await test -e "$pod/pid"
same "the files" \
	"net net-info.json net/10-mine.conflist net/99-default.conf pid $resolv_conf" "$(for_rkt)"
same "pid is run's own" "$hook" "$(cat "$pod/pid")"
cat >"$T/wanted" <<'END'
[{"netName":"mine","netConf":"net/10-mine.conflist","pluginPath":"/usr/lib/cni/bridge",
"ifName":"eth0","ip":"10.1.2.3","args":"IP=10.1.2.3","mask":"255.255.0.0"},
{"netName":"default","netConf":"net/99-default.conf",
"pluginPath":"stage1/rootfs/usr/lib/rkt/plugins/net/ptp",
"ifName":"eth1","ip":"172.16.28.2","args":"","mask":"255.255.255.0"}]
END
same "net-info.json" "$(json_of "$T/wanted")" "$(json_of "$pod/net-info.json")"
same "others can read it" 644 "$(stat -c %a "$pod/net-info.json")"
same "a conf is copied" "$(json_of "$top/dist/nets/99-default.conf")" \
	"$(json_of "$pod/net/99-default.conf")"
same "a list is copied" "mine bridge portmap" "$(python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
print(d["name"], *[p["type"] for p in d["plugins"]])' "$pod/net/10-mine.conflist")"
resolv_text='|search a.example b.example|nameserver 192.0.2.1|nameserver 2001:db8::1'
resolv_text+='|options ndots:2|domain d.example'
same "resolv.conf of the first that tells name servers" "$resolv_text" \
	"$(sed '1{/^#/d}' "$pod/$resolv_conf" | paste -sd'|')"
touch "$XENPOD_RUN_DIR/go"
wait $hook
same "exit status" 3 $?
same "as asked" "mine, default True" \
	"$(log "'{net} {network[resolv]}'.format(**c[0]['parameters'])")"

start_networked "Accept=accepted networked:nets running ended:0"
new_pod_with_nets
(run_networked --dns-conf-mode=resolv=none,hosts=default >"$T/out" 2>"$T/err")
same "no resolv.conf when it is not theirs" \
	"net net-info.json net/10-mine.conflist net/99-default.conf pid" "$(for_rkt)"

steps="accepted close accepted networked:nets close accepted networked:nets running file:go ended:4"
start_networked "Accept=$steps"
new_pod_with_nets
run_networked >"$T/out" 2>"$T/err" &
hook=$!
await called Accept 3
pid_time=$(stat -c %y "$pod/pid")
touch "$XENPOD_RUN_DIR/go"
wait $hook
same "the supervisor was away twice" 4 $?
same "pid was written once" "$pid_time" "$(stat -c %y "$pod/pid")"

start_networked "Accept=accepted ended:failed:plugin_ptp_says_no"
new_pod_with_nets
(run_networked >"$T/out" 2>"$T/err")
same "not made: exit status" 254 $?
says "not made" plugin_ptp_says_no
same "not made: nothing for rkt" "" "$(for_rkt)"

# The pid comes last: without what stands before it, it does not come.
start_networked "Accept=accepted networked:nets await:Stop ended:0" "Stop=ok"
new_pod_with_nets
mkdir -p "$pod/net-info.json/taken"
(run_networked >"$T/out" 2>"$T/err")
same "not written: exit status" 254 $?
says "not written" "net-info.json"
same "not written: no pid" absent "$([ -e "$pod/pid" ] || echo absent)"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
