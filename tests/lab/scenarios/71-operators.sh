#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: full
# PODS: 10
# LIMIT: 3600
#
# What operators see, held against what is so: each verb beside `xl list`, the journal and the pods' output;
# a difference between what is stored and what Xen and the locks say; events followed over restarts;
# metrics beside the supervisor's own figures; the configuration read again; pods as units; completion; a
# supervisor that is stopped. JSON is held against its schema and metrics against promtool on the host.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/lab/parts.sh
. "$(dirname "$0")/../parts.sh"

told=$inside/told # KIND-WORD.json, KIND as the schema calls it; WORD.prom

# ---- on the host ----------------------------------------------------------------------------------

# Debian's package is a server with a unit; only one of its programs is wanted here.
promtool_get() {
	local dir=$top/build/lab/promtool

	promtool=$(command -v promtool) && return
	promtool=$dir/usr/bin/promtool
	[ ! -x "$promtool" ] || return 0
	mkdir -p "$dir"
	(cd "$dir" && { apt-get download -qq prometheus || { apt-get update -qq && apt-get download -qq prometheus; }; } &&
		dpkg-deb -x prometheus_*.deb . && rm prometheus_*.deb) >"$scratch/promtool" 2>&1
}

promtool_says() {
	"$promtool" check metrics <"$1"
}

on_the_host() {
	local file kind

	scenario_send
	scenario_part
	lab_get "$told" "$scratch/told" || bail "what was told can be fetched"
	for file in "$scratch"/told/*.json; do
		kind=${file##*/}
		expect_match "as the schema has it: ${kind%.json}" \
			"$(/usr/bin/python3 "$top/tests/contract/schema.py" "${kind%%-*}" "$file" 2>&1)" '^[1-9][0-9]*$'
	done
	promtool_get || bail "promtool is there" "$(cat "$scratch/promtool")"
	for file in "$scratch"/told/*.prom; do
		check "promtool check metrics: ${file##*/}" promtool_says "$file"
	done
	finish
}

[ "${LAB_INSIDE-}" = 1 ] || on_the_host
# shellcheck source=tests/lab/fleet.sh
. "$(dirname "$0")/../fleet.sh"

# ---- in Dom-0 ---------------------------------------------------------------------------------------

dropin=/etc/xenpod/xenpod.conf.d/50-lab.conf

# settings LINE...: of the section Supervisor, in a drop-in.
settings() {
	mkdir -p "${dropin%/*}"
	printf '%s\n' '[Supervisor]' "$@" >$dropin
}

tidy() {
	systemctl stop -q xenpod-metrics.socket xenpod-metrics.service xenpod-gc.timer xenpod@web xenpod@once 2>/dev/null
	rm -rf /etc/xenpod /run/systemd/system/xenpod-gc.timer.d /run/systemd/system/xenpod@once.service.d \
		/run/xenpod/metrics /var/lib/systemd/timers/stamp-xenpod-gc.timer
	systemctl daemon-reload
	systemctl reset-failed -q xenpod@web xenpod@once xenpod@nothing 2>/dev/null
}
# shellcheck disable=SC2154 # scratch is lib.sh's
trap 'tidy; rm -rf "$scratch"; kill $(jobs -p) 2>/dev/null' EXIT

# tell KIND-WORD COMMAND...: JSON, kept for the schema; its exit status.
tell() {
	"${@:2}" >"$told/$1.json"
}

# rc_of COMMAND...: what it says is in $inside/said.
rc_of() {
	local rc=0

	timeout 120 "$@" >$inside/said 2>&1 </dev/null || rc=$?
	echo $rc
}

# one_line: what was said is that, and which.
one_line() {
	[ "$(wc -l <$inside/said)" = 1 ] && cat $inside/said
}

# xl_says COLUMN: of the pod's domain: 2 number, 4 vCPUs, 5 state, 6 seconds.
xl_says() {
	xl list "$uuid" | awk -v c="$1" 'NR == 2 { print $c }'
}

# Once a minute.
cpu_told() {
	cpu=$(status "$uuid" .pod.domain.cpu_time_ns)
	[ "$cpu" -gt 0 ]
}

# entries MATCH...: of the pod in the journal, as JSON.
entries() {
	journalctl -q -o json "XENPOD_UUID=$uuid" "$@"
}

# steps: numbers of the pod's turns that have changed its state, as the history and as the journal have them.
steps_kept() {
	status "$uuid" '.history[] | select(.from != .to) | .seq'
}

# journal_has REGEX MATCH...: a message in it is like that by now.
journal_has() {
	journalctl -q -o cat "${@:2}" | grep -q "$1"
}

steps_logged() {
	entries SYSLOG_IDENTIFIER=xenpodd | jq -r 'select(.XENPOD_SEQ) | .XENPOD_SEQ'
}

same_steps() {
	[ "$(steps_kept)" = "$(steps_logged)" ]
}

# scrape WORD: what monitoring is told.
scrape() {
	curl -sS --fail --max-time 60 --unix-socket /run/xenpod/metrics http://xenpod/metrics >"$told/$1.prom"
}

# metric WORD SAMPLE
metric() {
	awk -v s="$2" '$1 == s { print $2 }' "$told/$1.prom"
}

# more SAMPLE: from the first scrape to the last.
more() {
	echo $(($(metric after "$1") - $(metric before "$1")))
}

# pods_by_state FILE: "STATE COUNT" of those that there are, from the table's JSON.
pods_by_state() {
	jq -r '.pods | group_by(.state)[] | "\(.[0].state) \(length)"' "$1"
}

newest() {
	xenpod-status --health --json | jq .history.newest
}

# seqs FILE...: the numbers of the events that were told in it.
seqs() {
	jq -r .seq "$@"
}

watched_all() {
	[ "$(seqs "$told"/line-{first,second}.json)" = "$(xenpod-status --history --json --since="$first" | jq -r '.history[].seq')" ]
}

main_pid() {
	systemctl show -P MainPID "$1"
}

# systemd makes it for a unit's own commands, as those of a reload, and leaves it there.
LEFTOVERS_IGNORE='cgroup .*/xenpodd\.service/\.control$'
mkdir -p $told
pods_begin
first=$(newest)
xenpod-status --watch --json --since="$first" >$told/line-first.json 2>$inside/watch.err &
watcher=$!
xenpod-status --watch >$inside/watch.txt 2>&1 &
reader=$!
check "metrics are served when a socket is asked" systemctl start xenpod-metrics.socket
soon "the first scrape" 120 scrape before
expect_eq "xenpod-metrics is active now, and it is not root's" \
	"$(systemctl is-active xenpod-metrics.service) $(stat -c %u "/proc/$(main_pid xenpod-metrics.service)" | grep -cvx 0)" 'active 1'

# ---- a pod, by verbs and by xl ------------------------------------------------------------------------

start talker --memory=64M $images/ticker.aci
runs talker
check "xenpod-status --wait=running: it has been" timeout 60 xenpod-status --wait=running "$uuid"
expect_eq "xenpod wait --timeout: it has not ended" "$(rc_of xenpod wait --timeout=2 "$uuid")" 6
tell show-running xenpod inspect "${uuid:0:8}"
expect_eq "xenpod inspect: nothing differs" $? 0
expect_eq "and it says what xl says" "$(jq -r '.pod | "\(.uuid) \(.domid) \(.vcpus) \(.domain.state)"' $told/show-running.json)" \
	"$uuid $(xl_says 2) $(xl_says 4) running"
soon "CPU time is told" 150 cpu_told
check "CPU time: not more than xl's ($cpu ns)" awk -v ns="$cpu" -v s="$(xl_says 6)" 'BEGIN { exit !(ns / 1e9 <= s + 0.1) }'
expect_match "xenpod-status: side by side" "$(xenpod-status "$uuid")" $'\nup +running +running +held'

check "xenpod pause" timeout 120 xenpod pause "${uuid:0:8}"
soon "pause: it is paused" 60 in_state "$uuid" paused
expect_match "pause: for xl, too" "$(xl_says 5)" '^..p...$'
sleep 3
before=$(ticks talker)
sleep 10
expect_eq "pause: its clock stands still" "$(ticks talker)" "$before"
tell show-paused xenpod-status --json "$uuid"
expect_eq "pause: nothing differs" "$? $(jq -r '.truth | "\(.stored) \(.hypervisor) \(.lock)"' $told/show-paused.json)" '0 paused paused held'
expect_match "pause: the journal has it once" \
	"$(entries XENPOD_TO=paused | jq -rs '.[] | "\(.XENPOD_FROM) \(.XENPOD_EVENT) \(.PRIORITY)"')" \
	'^pausing (pause-done|domain-paused) 5$'
expect_eq "pause: of one that does not run: refused" "$(rc_of xenpod pause "$uuid")" 254
expect_match "pause: in one line" "$(one_line)" 'not possible now'
check "xenpod resume" timeout 120 xenpod resume "$uuid"
soon "resume: it runs" 60 in_state "$uuid" running
expect_match "resume: for xl, too" "$(xl_says 5)" '^..-...$'
goes_on talker

check "xenpod logs ends" timeout 60 xenpod logs -n 1 "$uuid"
expect_eq "xenpod logs: what it has said" "$(xenpod logs "$uuid" | head -n 3)" "$(head -n 3 $t/talker.out)"
expect_eq "xenpod logs --app --stream: nothing on stderr" "$(xenpod logs --app=ticker --stream=stderr "$uuid")" ''
expect_match "xenpod logs --all: what the supervisor says as well" "$(xenpod logs --all "$uuid")" 'runs, domain [0-9]+.*tick 1'
timeout 20 xenpod logs --follow --lines=1 "$uuid" >$inside/followed
expect_match "xenpod logs --follow: what comes" "$(cat $inside/followed)" 'tick [0-9]+.*tick [0-9]+'

check "xenpod kill" timeout 120 xenpod kill "$uuid"
expect_end talker 137 exited killed
check "xenpod wait: it has ended" timeout 60 xenpod wait "$uuid"
tell wait-ended xenpod wait --json "$uuid"
check "kill: there is no domain" no_domain "$uuid"
soon "each of its steps is in the journal, once" 60 same_steps
explained=$(journalctl -q -x --no-pager "XENPOD_UUID=$uuid")
expect_match "journalctl -x: what a start means" "$explained" "Subject: Pod $uuid runs"
expect_match "journalctl -x: what an end means" "$explained" "Subject: Pod $uuid was stopped by force.*xenpod.*--force"
expect_eq "journalctl -x: each entry of ours has its words" "$(journalctl -q -o json SYSLOG_IDENTIFIER=xenpodd |
	jq -r '.MESSAGE_ID // empty' | sort -u | while read -r id; do
		journalctl --list-catalog "$id" >/dev/null 2>&1 || echo "$id"
	done)" ''
expect_eq "a pod that is none: one line" "$(rc_of xenpod inspect ffffffff) $(one_line | grep -c ffffffff)" '1 1'

# ---- pods that end badly, and one at a time ---------------------------------------------------------------

settings MaxStarts=1 Debug=1 OrphanGraceSec=900
expect_match "xenpodd --check-config" "$(xenpodd --check-config)" 'MaxStarts=1.*OrphanGraceSec=900.*Debug=1'
pid=$(main_pid xenpodd)
check "systemctl reload" systemctl reload xenpodd
soon "reload: the journal says it" 60 journal_has 'the configuration was read again' "_PID=$pid" --since=-5min
start panic --memory=64M --insecure-options=all-run $images/busybox.aci -- -c 'sleep 2; echo c >/proc/sysrq-trigger'
panic=$uuid
launch calm
calm=$uuid
runs calm
use panic
expect_end panic 254 exited crashed
# Each turn has its number: the second domain was built when the first one had been let go.
expect_eq "reload: one start at a time, as it was set" "$(xenpod-status --history --json --since="$first" |
	jq -r --arg a "$panic" --arg b "$calm" '.history[] | select((.uuid == $a and .event == "unpaused") or
		(.uuid == $b and .event == "created")) | .event' | paste -sd' ')" 'unpaused created'
expect_match "reload: each step is logged" "$(entries PRIORITY=7 | jq -r .XENPOD_EVENT)" guest-app
mkdir -p $inside/volume
start broken --memory=64M --volume=v,kind=host,source=$inside/volume --mount=volume=v,target=/bin/busybox $images/worker.aci
expect_end broken 254 failed guest-failed
tell list-some xenpod-status --json
expect_eq "xenpod-status --state" "$(xenpod-status --noheadings --full --state=failed | cut -d' ' -f1)" "$uuid"
expect_eq "a warning in the journal" "$(entries XENPOD_TO=failed | jq -r .PRIORITY)" 4

settings MaxStarts=many
expect_eq "a setting that makes no sense: systemctl reload says so" "$(rc_of systemctl reload xenpodd)" 1
expect_eq "xenpodd --check-config: where" "$(rc_of xenpodd --check-config) $(one_line | grep -c "$dropin:2: ")" '254 1'
expect_eq "and the supervisor goes on" "$(main_pid xenpodd) $(systemctl is-active xenpodd)" "$pid active"
settings MaxStarts=4 OrphanGraceSec=900
check "systemctl reload, mended" systemctl reload xenpodd

# ---- pods as units ----------------------------------------------------------------------------------------

mkdir -p /etc/xenpod/pods
printf '%s\n' '# A pod of a unit.' --net=none '  --memory=64M' "$images/ticker.aci" >/etc/xenpod/pods/web
unit_uuid() {
	cat "/run/xenpod-unit-$1/uuid"
}
another_pod() {
	[ "$(unit_uuid web)" != "$uuid" ] && systemctl is-active -q xenpod@web
}
check "systemctl start xenpod@web" timeout 900 systemctl start xenpod@web
uuid=$(unit_uuid web)
observed=$((observed + 1))
expect_eq "unit: it is active when the pod runs" "$(systemctl is-active xenpod@web) $(state "$uuid")" 'active running'
soon "unit: its output is in its journal" 60 journal_has '^tick 3$' -u xenpod@web
sleep 2
expect_eq "unit: and only once" "$(entries | jq -r .MESSAGE | grep -cx 'tick 3') $(journalctl -q -o cat -u xenpod@web | grep -cx 'tick 3')" '1 1'
check "unit: somebody destroys its domain" xl destroy "$uuid"
soon "unit: it is started anew, as another pod" 600 another_pod
observed=$((observed + 1))
expect_eq "unit: by its restart policy" "$(systemctl show -P NRestarts xenpod@web)" 1
expect_eq "unit: what the first one has left is removed" "$(status "$uuid" '.history[-1].to')" gone
uuid=$(unit_uuid web)
check "systemctl stop xenpod@web" timeout 300 systemctl stop xenpod@web
expect_eq "unit: it ended well" "$(systemctl show -P Result xenpod@web) $(systemctl is-active xenpod@web)" 'success inactive'
expect_eq "unit: the pod was stopped in order, and is removed" \
	"$(entries | jq -rs '[.[] | select(.XENPOD_TO == "exited") | .XENPOD_CAUSE] | join(" ")') $(status "$uuid" '.history[-1].to')" 'stopped gone'
expect_eq "unit: its app was asked" "$(xenpod logs "$uuid" | tail -n 1)" 'ticker: stopping'

mkdir -p /run/systemd/system/xenpod@once.service.d
printf '%s\n' '[Service]' Restart=no >/run/systemd/system/xenpod@once.service.d/lab.conf
systemctl daemon-reload
printf '%s\n' --memory=64M "$images/worker.aci" -- 7 3 >/etc/xenpod/pods/once
check "systemctl start of one that will fail" timeout 900 systemctl start xenpod@once
uuid=$(unit_uuid once)
observed=$((observed + 1))
soon "unit: it has failed" 300 systemctl is-failed -q xenpod@once
expect_eq "unit: as the app did" "$(systemctl show -P Result xenpod@once) $(systemctl show -P ExecMainStatus xenpod@once)" 'exit-code 7'
check_not "unit: a file that is not there" systemctl start xenpod@nothing

# ---- what monitoring is told --------------------------------------------------------------------------------

# Until a table and a scrape are of one moment.
one_moment() {
	tell list-quiet xenpod-status --json && tell health-quiet xenpod-status --health --json && scrape after || return
	sed -n 's/^xenpod_pods{state="\(.*\)"} \([1-9][0-9]*\)$/\1 \2/p' "$told"/after.prom | sort >"$inside"/by_metrics
	pods_by_state "$told"/list-quiet.json | sort | cmp -s - "$inside"/by_metrics
}
soon "metrics: pods by state are those of the table" 120 one_moment
for name in events_missed audit_corrections orphans_collected commit_retries rejected unlisted; do
	expect_eq "metrics: $name as --health has it" "$(metric after xenpod_${name}_total)" "$(jq ".$name" $told/health-quiet.json)"
done
expect_eq "metrics: the host's memory" "$(metric after xenpod_host_memory_total_bytes)" \
	"$(jq '.host.total_kib * 1024' $told/health-quiet.json)"
for wanted in 'killed 1' 'crashed 1' 'guest-failed 1' 'destroyed 1' 'stopped 1' 'finished 1'; do
	expect_eq "metrics: ends since the first scrape, ${wanted% *}" "$(more "xenpod_pod_ends_total{cause=\"${wanted% *}\"}")" "${wanted#* }"
done
expect_eq "metrics: pods since the first scrape" "$(more xenpod_pods_accepted_total)" $observed
# All but the one that its guest could not prepare.
expect_eq "metrics: starts were measured" "$(more xenpod_pod_start_duration_seconds_count)" $((observed - 1))
expect_eq "metrics: Xen is seen, the store is written" "$(metric after xenpod_up) $(metric after xenpod_xen_up) $(metric after xenpod_store_up)" '1 1 1'

# ---- who may look ---------------------------------------------------------------------------------------------

nobody=(setpriv --reuid=65534 --regid=65534)
member=("${nobody[@]}" "--groups=$(getent group xenpod | cut -d: -f3)")
expect_eq "the group xenpod may look" "$("${member[@]}" xenpod-status --json | jq -r .source)" supervisor
expect_eq "and others may not: one line" "$(rc_of "${nobody[@]}" --clear-groups xenpod-status) $(one_line | wc -l)" '4 1'
expect_eq "the group may not change" "$(rc_of "${member[@]}" xenpod stop "$calm") $(one_line | grep -c root)" '254 1'

# ---- a bash, and two minutes in which nothing happens -----------------------------------------------------------

uuid=$calm
printf '%s\n' '. /usr/share/bash-completion/bash_completion' 'PS1="ready> "' >$inside/bashrc
# shellcheck disable=SC2016 # $? is that bash's
completed=$(python3 $inside/tools/typist.py 24x200 "wait ready>
type xenpod inspect ${uuid:0:8}\\t
wait ${uuid:8}
type >/dev/null && echo good \$((20+1))\\r
wait good 21
type xenpod run --restart=al\\t
wait always
type \\x03
wait ready>
type exit\\r
end" env TERM=xterm bash --rcfile $inside/bashrc -i 2>&1)
expect_match "a Tab completes a UUID and a value" "$completed" 'exit [0-9]+$'

# Of us: the supervisor, its units, its pods and what runs them.
said_after() {
	journalctl -q -o json --after-cursor="$1" | jq -r 'select(.XENPOD_UUID or ([._SYSTEMD_UNIT, .UNIT, .SYSLOG_IDENTIFIER] |
		any(strings; startswith("xenpod")))) | .MESSAGE'
}
cursor=$(journalctl -q -n 1 -o json | jq -r .__CURSOR)
sleep 130
expect_eq "two minutes with a pod that has nothing to say: nothing in the journal" "$(said_after "$cursor")" ''
truth "pods of people and of units"

# ---- a supervisor that is stopped ---------------------------------------------------------------------------------

kill $watcher $reader
wait $watcher $reader 2>/dev/null
last=$(tail -n 1 $told/line-first.json | jq .seq)
expect_match "xenpod-status --watch: lines of text" "$(cat $inside/watch.txt)" \
	"20[0-9-]+ [0-9:.]+ +[0-9]+ ${panic:0:8} [a-z-]+ +collecting -> exited +sysrq triggered crash"
xenpod-status --watch --json --since="$last" >$told/line-second.json 2>$inside/watch.err &
watcher=$!
domains=$(xl list | awk 'NR > 1 { print $1, $2 }')
lives=$(status "$calm" '.pod | "\(.domid) \(.generation) \(.started)"')
check "systemctl stop xenpodd and its sockets" systemctl stop xenpodd.service xenpod-admin.socket xenpod-status.socket
sleep 10
expect_eq "stopped: no pod was" "$(xl list | awk 'NR > 1 { print $1, $2 }')" "$domains"
check_not "stopped: the lock is held all the same" lock_free "$calm"
tell list-store xenpod-status --json 2>$inside/said
expect_eq "stopped: root reads the store, and is told so" \
	"$(jq -r '"\(.source) \(.pods | length)"' $told/list-store.json) $(one_line | grep -c store.db)" \
	"store $(jq '.pods | length' $told/list-quiet.json) 1"
tell show-store xenpod-status --json "$calm" 2>/dev/null
expect_eq "stopped: what the hypervisor has is not known" "$(jq -r '.truth | "\(.stored) \(.hypervisor)"' $told/show-store.json)" 'running null'
expect_eq "stopped: --health says it" "$(rc_of xenpod-status --health) $(one_line | wc -l)" '5 1'
expect_eq "stopped: a change is refused" "$(rc_of xenpod pause "$calm") $(one_line | grep -c 'does not answer')" '254 1'
check "stopped: a scrape says it" scrape down
expect_eq "stopped: xenpod_up" "$(metric down xenpod_up)" 0
check "systemctl start xenpodd" systemctl start xenpodd.service
soon "started: a supervisor has taken up the work" 180 supervisor_runs
expect_eq "started: the pod is the same one" "$(status "$calm" '.pod | "\(.domid) \(.generation) \(.started)"')" "$lives"
expect_eq "started: and runs" "$(state "$calm")" running
truth "the supervisor was stopped"
stop_all
use calm
expect_end calm 0 exited stopped
until_true 60 watched_all
expect_eq "xenpod-status --watch: each event once, over a --since and a stop of the supervisor" \
	"$(seqs $told/line-{first,second}.json)" "$(xenpod-status --history --json --since="$first" | jq -r '.history[].seq')"
kill $watcher
wait $watcher 2>/dev/null
tell history-all xenpod-status --history --json --since="$first"

# ---- what does not fit together --------------------------------------------------------------------------------------

differs() {
	[ "$(rc_of xenpod-status "$calm")" = "$1" ]
}

# What is done here to pods that have ended would be lies of their locks.
observer_stop
expect_eq "all fits" "$(rc_of xenpod-status "$calm")" 0
flock "$datadir/pods/run/$calm" sleep 1000 &
holder=$!
until_true 60 differs 3
tell show-lock xenpod-status --json "$calm"
expect_eq "a lock that is held after the end: exit status 3" $? 3
expect_match "and what it is" "$(xenpod-status "$calm")" 'DIFFERS +the pod has ended, and the lock of its directory is held still'
pkill -P $holder sleep
wait $holder
soon "let go: all fits" 60 differs 0

# Somebody's xl makes a domain with an ended pod's UUID and mark.
mkdir -p $inside/guest
tar -xf /usr/local/lib/xenpod/stage1-xen.aci -C $inside/guest --strip-components=2 rootfs/xenpod/vmlinux
printf '%s\n' 'name = "forged"' 'type = "pv"' 'memory = 96' "kernel = \"$inside/guest/vmlinux\"" "uuid = \"$calm\"" \
	'on_crash = "preserve"' >$inside/forged.cfg
check "xl create with the UUID of a pod that has ended" xl create -qp $inside/forged.cfg
forged=$(xl domid forged)
xenstore-write "/local/domain/$forged/xenpod/store" \
	"$(sqlite3 -readonly $datadir/store.db "SELECT value FROM meta WHERE key = 'store_id'")" \
	"/local/domain/$forged/xenpod/generation" 1
soon "a domain that should not be: exit status 3" 150 differs 3
expect_match "and what it is" "$(cat $inside/said)" 'DIFFERS +the pod should have no domain, and Xen shows one'
tell show-domain xenpod-status --json "$calm"
expect_eq "it is so for programs" "$(jq -r '.truth | "\(.stored) \(.hypervisor)"' $told/show-domain.json)" 'exited paused'
expect_eq "it waits as long as the configuration says" \
	"$(xenpod gc --dry-run --json | jq --arg u "$calm" '.domains[] | select(.uuid == $u) | ((.due - .since) / 1e9 | round)')" 900
settings OrphanGraceSec=1
check "systemctl reload, with a short grace" systemctl reload xenpodd
soon "it is collected: all fits" 240 differs 0
check_not "and xl does not have it" xl domid forged
rm -f /var/log/xen/console/guest-forged.log /var/log/xen/xl-forged.log*
rm $dropin
check "systemctl reload, without a file" systemctl reload xenpodd

# ---- what is kept until gc ---------------------------------------------------------------------------------------------

uuid=$panic
log=/var/log/xen/console/guest-$uuid.log
tell show-crashed xenpod-status --json "$uuid"
expect_match "a console's last lines are in the record" "$(jq -r .console $told/show-crashed.json)" 'Kernel panic - not syncing: sysrq'
check "and its log is kept" grep -q 'Kernel panic' "$log"
mkdir -p /run/systemd/system/xenpod-gc.timer.d
printf '%s\n' '[Timer]' OnActiveSec=1s RandomizedDelaySec=0 AccuracySec=1s >/run/systemd/system/xenpod-gc.timer.d/lab.conf
systemctl daemon-reload
expect_match "xenpod-gc.timer: once a day" "$(systemctl show -P TimersCalendar xenpod-gc.timer)" 'OnCalendar=\*-\*-\* 00:00:00'
gc_ran() {
	[ "$(systemctl show -P ExecMainExitTimestampMonotonic xenpod-gc.service)" != 0 ]
}
check "xenpod-gc.timer starts" systemctl start xenpod-gc.timer
soon "and has xenpod-gc.service run" 120 gc_ran
expect_eq "gc: it ended well" "$(systemctl show -P Result xenpod-gc.service)" success
expect_eq "gc: who has just ended is marked" "$(xenpod list --full --json | jq -r --arg u "$uuid" '.pods[] | select(.uuid == $u) | .state')" garbage
expect_eq "gc: its record and its console are kept" "$(status "$uuid" '"\(.pod.state) \(.pod.cause) \(.console | length > 0)"')" 'exited crashed true'
check "gc: so is its log" test -s "$log"
tidy
check_not "a gc without a grace leaves no log" sh -c "xenpod gc --grace-period=0 >&2; test -e '$log'"
expect_eq "nor a pod" "$(status "$uuid" '.history[-1].to')" gone
pods_end
