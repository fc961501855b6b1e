#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Whatever is wrong, whoever is told: every program and verb that people call has rows for a bad flag, a flag
# without its value, a bad value, an unknown and an ambiguous UUID, no permission, no supervisor, no xenstored.
# Each answer is one line on stderr that begins with the program's name and says the row's text, nothing on
# stdout, the row's exit status, and nothing is changed. A verb of `xenpod --help` or a program without rows
# fails. Beside a supervisor on the simulated world, with the real hooks; needs root, no Xen.
# The last line is `N passed, N failed`.
set -u

if [ "${XENPOD_TEST_NS:-}" != 1 ]; then
	exec env XENPOD_TEST_NS=1 unshare --mount --propagation private "$0" "$@"
fi
# shellcheck source-path=SCRIPTDIR source=statuskit.bash
. "$(dirname "$0")/statuskit.bash"
end() {
	[ -z "$daemon" ] || kill -9 "$daemon" 2>/dev/null
	# The pods' run processes wait for a supervisor to return.
	for process in /proc/[0-9]*; do
		case $(readlink "$process/cwd" 2>/dev/null) in
		"$T"/*) kill -9 "${process#/proc/}" ;;
		esac
	done
	wait 2>/dev/null
	awk -v t="$T/" 'index($5, t) == 1 { print $5 }' /proc/self/mountinfo | tac | xargs -r umount -l
	rm -rf "$T"
}
trap end EXIT
# In a folder that nobody is kept out of.
chmod 755 "$T"
cp -r "$bin" "$T/bin"
bin=$T/bin
A=aaaa0001-3333-4444-8555-666666666666
B=bbbb0001-3333-4444-8555-666666666666
C=bbbb0002-3333-4444-8555-666666666666
U=dddd0001-3333-4444-8555-666666666666
unknown=cccc0001-3333-4444-8555-666666666666
mkdir "$T/elsewhere" "$T/locked"
chmod 700 "$T/locked"

# ---- what a row is -------------------------------------------------------------------------------------

phase=
declare -A had
state() { # all that a call could change
	find "$T" "$XENPOD_STATE_DIR" -path "$T/bin" -prune -o -path "$T/log*" -prune -o -path "$T/now*" -prune -o \
		-path "$T/out" -prune -o -path "$T/err" -prune -o \( -type f -o -type d -o -type l -o -type s \) \
		! -name 'store.db-*' -printf '%P %y %m %U %l\n' 2>/dev/null | sort
	[ "$phase" = down ] || "$bin/xenpod-status" --history --json
}
# row PROGRAM[ VERB] CASE EXIT-STATUS TEXT ARGS...: the cases are said above.
row() {
	local what="$1 ($2)" case=$2 want=$3 text=$4 rc=0 as="" where=$T/elsewhere names="${1%% *}"
	local -a call
	read -ra call <<<"$1"
	had[$1:$2]=1
	case $case in
	down | xenstored) [ "$phase" = "$case" ] || return 0 ;;
	*) [ "$phase" = up ] || return 0 ;;
	esac
	[ "$case" != nobody ] || as="setpriv --reuid=nobody --regid=nogroup --clear-groups"
	case $1 in
	"xenpod status" | "xenpod events" | "xenpod wait" | "xenpod inspect") names="xenpod(-status)?" ;; # one program
	xenpod-host) names=xenpod ;; # it is `xenpod host`
	"xenpod run") names="(xenpod|stage1)" ;; # it becomes the stage1's run
	run | stop | gc | enter)
		names=stage1
		[ ! -d "$D/pods/run/$A" ] || where=$D/pods/run/$A
		;;
	esac
	shift 4
	# shellcheck disable=SC2086 # words
	(cd "$where" && exec timeout 60 $as "$bin/${call[0]}" "${call[@]:1}" "$@") >"$T/out" 2>"$T/err" </dev/null || rc=$?
	state >"$T/now.after"
	same "$what: exit status, of $*" "$want" "$rc"
	same "$what: one line on stderr, nothing on stdout, of $* ($(cat "$T/err"))" "1 0" "$(wc -l <"$T/err") $(wc -c <"$T/out")"
	same "$what: begins with $names: $(cat "$T/err")" 1 "$(grep -cE "^$names: " "$T/err")"
	same "$what: says \"$text\": $(cat "$T/err")" 1 "$(grep -cF -- "$text" "$T/err")"
	same "$what: changes nothing, by $*" "" "$(diff "$T/now.before" "$T/now.after" | head -n 5)"
	mv "$T/now.after" "$T/now.before"
}
# works PROGRAM[ VERB] CASE ARGS...: no fault for it: it does what it does, with status 0 and without a complaint.
works() {
	local what="$1 ($2)" rc=0
	local -a call
	read -ra call <<<"$1"
	had[$1:$2]=1
	[ "$phase" = "$2" ] || return 0
	shift 2
	timeout 60 "$bin/${call[0]}" "${call[@]:1}" "$@" >"$T/out" 2>"$T/err" </dev/null || rc=$?
	same "$what: $*" "0 " "$rc $(cat "$T/err")"
	state >"$T/now.before"
}
# none PROGRAM[ VERB] CASE,... REASON: there is no such fault.
none() {
	local case
	for case in ${2//,/ }; do
		had[$1:$case]=1
	done
}
silent='the supervisor does not answer at'
denied='not permitted to talk to the supervisor at'
root='needs root (try sudo)'

rows() {
	local v p=xenpod

	row $p flag 254 'there is no verb "--nope" (xenpod --help' --nope
	row $p flag 254 'there is no verb "puase"; did you mean "pause"?' puase
	row $p value 254 'a verb is missing (xenpod --help'
	none $p novalue,unknown,ambiguous,nobody,down,xenstored "its verbs have them"

	for v in $verbs; do
		case $v in
		fsck) row "$p $v" flag 16 'option --nope is not known here (see --help)' --nope ;;
		*) row "$p $v" flag 254 'option --nope is not known here (see --help)' --nope ;;
		esac
	done

	row "$p run" flag 254 'option --memoyr=1G is not known here, --memory is (see --help)' stays --memoyr=1G
	row "$p run" novalue 254 'option --name needs a value' --name
	row "$p run" novalue 254 'no image is named (xenpod run --help)'
	row "$p run" value 254 '--volume=x: kind=host or kind=empty is missing' --volume=x stays
	row "$p run" value 254 '--memory=1Q: "1Q" is not a quantity; write for example 256Mi' "$T/stays" --memory=1Q
	row "$p run" value 254 '--type=hvm: auto, pv or pvh is wanted' --type=hvm "$T/stays"
	row "$p run" value 254 '"sometimes" is no restart policy' --restart=sometimes "$T/stays"
	row "$p run" value 254 'No such file' --dir="$D" --stage1-path="$T/s1" "$T/no-image"
	row "$p run" unknown 254 '"5" is not a pod UUID' --uuid=5 "$T/stays"
	row "$p run" unknown 254 "there is a pod $A already" --dir="$D" --stage1-path="$T/s1" --uuid=$A "$T/stays"
	none "$p run" ambiguous "it takes whole UUIDs only"
	row "$p run" nobody 254 "$root" --dir="$D" "$T/stays"
	# Told by the hook, when the pod is made: as with rkt its directory stays for gc.
	row "$p run" down 254 "$silent" --dir="$T/now.data" --stage1-path="$T/s1" --no-overlay --uuid=$unknown "$T/stays"
	none "$p run" xenstored "the pod is accepted, and started when Xen is seen again; below"

	row "$p host" flag 254 'option --prefx=/usr is not known here, --prefix is (see --help)' services plan --prefx=/usr
	row "$p host" novalue 254 'option --prefix needs a value' services plan --prefix
	row "$p host" value 254 'services: a verb is missing: plan, setup, teardown or status is wanted' services
	row "$p host" value 254 'services: there is no verb "pln": plan, setup' services pln
	row "$p host" value 254 'services plan takes no "x"' services plan x
	row "$p host" value 254 'services status takes no --force' services status --force
	row "$p host" value 254 '--runit=etc: a path that begins with / is wanted' services plan --runit=etc
	row "$p host" value 254 '--runit and --systemd exclude each other' services plan --runit --systemd
	row "$p host" value 254 '--timeout=1h: seconds are wanted, 3600 at most' services setup --timeout=1h
	row "$p host" value 254 'goes without --root' --root="$T" services status
	row "$p host" value 254 "is not below $T: name the directory" --state-dir="$T/now.host" services setup --runit=/etc --prefix="$T"
	row "$p host" nobody 254 "$root" services setup
	row "$p host" nobody 254 "$root" services teardown
	row "$p host" flag 254 'option --brigde=x is not known here, --bridge is (see --help)' network plan --brigde=x
	row "$p host" novalue 254 'option --out needs a value' network up --out
	row "$p host" value 254 'network: a verb is missing: plan, up, down or status is wanted' network
	row "$p host" value 254 'network: there is no verb "pln": plan, up' network pln
	row "$p host" value 254 'network up takes no "x"' network up x
	row "$p host" value 254 'network status takes no --force' network status --force
	row "$p host" value 254 '--firewall=pf: auto, nftables or iptables is wanted' network up --firewall=pf
	row "$p host" value 254 '--port=eth0: none or dummy is wanted' network up --port=eth0
	row "$p host" value 254 '--address=10.1.1.0/24: no host can have that address' network up --address=10.1.1.0/24
	row "$p host" value 254 '--bridge=abcdefghij: 9 characters at most' network up --bridge=abcdefghij
	row "$p host" value 254 'network changes the kernel that runs: --root' --root="$T" network up
	row "$p host" nobody 254 "$root" network up
	row "$p host" nobody 254 "$root" network down
	row "$p host" flag 254 'option --kernl=/x is not known here, --kernel is (see --help)' efi plan --kernl=/x
	row "$p host" novalue 254 'option --esp needs a value' efi plan --esp
	row "$p host" value 254 'efi: a verb is missing: plan, install, confirm, remove or status is wanted' efi
	row "$p host" value 254 'efi: there is no verb "instal": plan, install' efi instal
	row "$p host" value 254 'efi plan takes no "x"' efi plan x
	row "$p host" value 254 'efi status takes no --force' efi status --force
	row "$p host" value 254 '--esp=efi: a path that begins with / is wanted' efi plan --esp=efi
	row "$p host" value 254 '--console=vga com1: no blanks can stand there' efi plan '--console=vga com1'
	row "$p host" value 254 '--dom0-mem=much: a size is wanted, as 4096M or 2G,max:4G' efi plan --dom0-mem=much
	row "$p host" value 254 'this host was not booted by EFI' --root="$T" efi plan
	row "$p host" nobody 254 "$root" efi install
	row "$p host" nobody 254 "$root" efi confirm
	row "$p host" nobody 254 "$root" efi remove

	row "$p list" novalue 254 'option --dir needs a value' --dir
	row "$p list" value 254 "no data directory $T/none (no pod was ever run there; see --dir)" --dir="$T/none"
	row "$p list" value 254 'list takes no "aaaa"' aaaa
	none "$p list" unknown,ambiguous "it takes no UUID"
	row "$p list" nobody 254 'Permission denied' --dir="$T/locked/x"
	works "$p list" down --dir="$D"
	works "$p list" xenstored --dir="$D"

	row "$p status" novalue 254 'option --output needs a value' --output
	row "$p status" value 254 'there is no column "NOPE"; there are UUID, STATE' --output=NOPE
	row "$p status" value 254 'there is no state "upp"; there are starting' --state=upp
	row "$p status" value 254 '--since=x: a whole number is wanted' --history --since=x
	row "$p status" value 254 '--history and --watch are two things' --history --watch
	row "$p status" unknown 1 'no pod "cccc" (xenpod-status shows them)' cccc
	row "$p status" unknown 1 "no pod" $unknown
	row "$p status" ambiguous 254 '"bbbb" matches 2 pods; give more of the UUID' bbbb
	row "$p status" nobody 4 "$denied" $A
	row "$p status" nobody 4 "(try sudo)"
	row "$p status" down 4 "$silent"
	row "$p status" down 4 "$silent" --watch
	row "$p status" down 5 "$silent" --health
	works "$p status" xenstored
	works "$p status" xenstored --health

	row "$p inspect" novalue 254 'inspect needs the UUID of one pod (xenpod-status shows them)'
	row "$p inspect" value 254 'inspect needs the UUID of one pod (xenpod-status shows them)' $A $B
	row "$p inspect" unknown 1 'no pod "cccc" (xenpod-status shows them)' cccc
	row "$p inspect" ambiguous 254 '"bbbb" matches 2 pods; give more of the UUID' bbbb
	row "$p inspect" nobody 4 "$denied" $A
	row "$p inspect" down 4 "$silent" $A
	works "$p inspect" xenstored $A

	row "$p logs" novalue 254 'option --app needs a value' --app
	row "$p logs" value 254 '--stream is stdout or stderr, not "both"' --stream=both $A
	row "$p logs" unknown 254 'no pod "cccc" (xenpod-status shows them)' cccc
	row "$p logs" ambiguous 254 '"bbbb" matches 2 pods; give more of the UUID' bbbb
	row "$p logs" nobody 254 "$denied" aaaa
	row "$p logs" down 254 "$silent" aaaa
	works "$p logs" xenstored $A

	row "$p events" novalue 254 'option --since needs a value' --since
	row "$p events" value 254 '--since=today: a whole number is wanted, or "oldest"' --since=today
	row "$p events" unknown 1 'no pod "cccc" (xenpod-status shows them)' cccc
	works "$p events" ambiguous bbbb
	row "$p events" nobody 4 "$denied" $A
	row "$p events" down 4 "$silent" $A
	works "$p events" xenstored $A

	row "$p wait" novalue 254 'option --timeout needs a value' --timeout
	row "$p wait" value 254 '--timeout=soon: seconds are wanted (30, 0.5), or a duration (10m)' --timeout=soon $A
	row "$p wait" unknown 1 'no pod "cccc" (xenpod-status shows them)' cccc
	row "$p wait" ambiguous 254 '"bbbb" matches 2 pods; give more of the UUID' bbbb
	row "$p wait" nobody 4 "$denied" $A
	row "$p wait" down 4 "$silent" $A
	row "$p wait" xenstored 6 "is not at its end yet, and the time is over" --timeout=0.5 $A

	row "$p enter" novalue 254 'option --app needs a value' --app
	row "$p enter" value 254 "has no app \"nope\", it has: stays" --dir="$D" --app=nope $A
	row "$p enter" value 254 "no data directory $T/none" --dir="$T/none" $A
	row "$p enter" unknown 254 "no pod \"cccc\" in $D (xenpod list shows them)" --dir="$D" cccc
	row "$p enter" unknown 254 '"xy" is no pod UUID' --dir="$D" xy
	row "$p enter" ambiguous 254 '"bbbb" matches 2 pods; give more of the UUID' --dir="$D" bbbb
	row "$p enter" nobody 254 "$root" --dir="$D" $A
	none "$p enter" down,xenstored "the hook's, below"

	for v in stop rm; do
		row "$p $v" novalue 254 'option --uuid-file needs a value' --uuid-file
		row "$p $v" novalue 254 "$v needs the UUID of a pod (xenpod list shows them)"
		row "$p $v" value 254 "--uuid-file=$T/none: open $T/none: No such file" --uuid-file="$T/none"
		row "$p $v" value 254 "no data directory $T/none" --dir="$T/none" $A
		row "$p $v" unknown 254 "no pod \"cccc\" in $D (xenpod list shows them)" --dir="$D" cccc
		row "$p $v" ambiguous 254 '"bbbb" matches 2 pods; give more of the UUID' --dir="$D" bbbb
		row "$p $v" nobody 254 "$root" --dir="$D" $A
	done
	row "$p stop" value 254 '--host-shutdown is for all pods: it goes with --all' --host-shutdown --dir="$D" $A
	row "$p stop" value 254 "$A cannot be given with --all" --all $A
	row "$p stop" down 254 "pod $A was not stopped: stop $A: $silent" --dir="$D" $A
	row "$p stop" down 254 "$silent" --all
	works "$p stop" xenstored --dir="$D" $C
	row "$p rm" value 254 "pod $A runs (xenpod stop aaaa0001 first)" --dir="$D" $A
	row "$p rm" down 254 "pod $U: gc $U: $silent" --dir="$D" $U
	none "$p rm" xenstored "a pod has to be stopped first"

	for v in kill pause resume; do
		row "$p $v" novalue 254 "$v needs the UUID of a pod (xenpod-status shows them)"
		row "$p $v" value 254 'no pod "xy" (xenpod-status shows them)' xy
		row "$p $v" unknown 254 'no pod "cccc" (xenpod-status shows them)' cccc
		row "$p $v" unknown 254 "no pod" $unknown
		row "$p $v" ambiguous 254 '"bbbb" matches 2 pods; give more of the UUID' bbbb
		row "$p $v" nobody 254 "$root" $A
		row "$p $v" down 254 "$silent" $A
	done
	row "$p resume" value 254 "pod $A is running (running): resume is not possible now" $A
	works "$p pause" xenstored $B
	works "$p kill" xenstored $B
	none "$p resume" xenstored "as pause"

	row "$p start" novalue 254 'start needs the UUID of a pod, or --all (xenpod list shows them)'
	row "$p start" novalue 254 'option --dir needs a value' --dir
	row "$p start" value 254 "$A cannot be given with --all" --all $A
	row "$p start" value 254 "pod $A is running (running): start is not possible now" --dir="$D" $A
	row "$p start" unknown 254 "no pod \"cccc\" in $D (xenpod list shows them)" --dir="$D" cccc
	row "$p start" ambiguous 254 '"bbbb" matches 2 pods; give more of the UUID' --dir="$D" bbbb
	row "$p start" nobody 254 "$root" --dir="$D" $A
	row "$p start" nobody 254 "$root" --all
	row "$p start" down 254 "$silent" --dir="$D" $A
	row "$p start" down 254 "$silent" --all
	works "$p start" xenstored --all

	none "$p fsck" novalue "none of its options has a value"
	row "$p fsck" value 16 'fsck takes no "aaaa"' aaaa
	row "$p fsck" value 8 'xenpodd runs: stop it first (systemctl stop xenpodd; pods go on)' --repair
	none "$p fsck" unknown,ambiguous "it takes no UUID"
	row "$p fsck" nobody 8 "$root"
	row "$p fsck" down 8 "no store at $XENPOD_STATE_DIR/store.db: xenpodd has not run here"
	none "$p fsck" xenstored "that is a finding, and exit status 4"

	row "$p gc" novalue 254 'option --grace-period needs a value' --grace-period
	row "$p gc" value 254 '--grace-period: "soon" is no duration (30m, 1h30m, 10s, 0)' --grace-period=soon
	row "$p gc" value 254 '--expire-prepared: "x" is no duration' --expire-prepared=x
	row "$p gc" value 254 '--json shows a plan: it goes with --dry-run' --json
	row "$p gc" value 254 "no data directory $T/none" --dir="$T/none"
	row "$p gc" unknown 254 'gc takes no "cccc" (xenpod rm removes one pod)' cccc
	none "$p gc" ambiguous "it takes no UUID"
	row "$p gc" nobody 254 "$root" --dir="$D"
	row "$p gc" down 254 "pod $U: gc $U: $silent" --dir="$D" --grace-period=0
	works "$p gc" xenstored --dir="$D"

	for v in "$p host" xenpod-host; do
		row "$v" flag 254 'option --rot is not known here, --root is (see --help)' --rot
		row "$v" flag 254 'option --nope is not known here (see --help)' check --nope
		row "$v" novalue 254 'option --root needs a value' --root
		row "$v" novalue 254 'option --timeout needs a value' check --timeout
		row "$v" value 254 'a command is missing (xenpod host --help shows them)'
		row "$v" value 254 'there is no command "chekc"; did you mean "check"?' chekc
		row "$v" value 254 '--root=x: a path that begins with / is wanted' --root=x check
		row "$v" value 254 '--timeout=soon: seconds are wanted (30, 0.5), or a duration (10m)' check --timeout=soon
		row "$v" value 254 'check takes no "aaaa" (see --help)' check aaaa
		row "$v" value 254 '--json and --quiet are two ways to show it: one at a time' check --json --quiet
		none "$v" unknown,ambiguous "it takes no UUID"
		none "$v" nobody,down,xenstored "check tells these as findings (contract/host-check.sh)"
	done

	p=xenpod-status # its options are those of `xenpod status`, above
	row $p flag 254 'option --wach is not known here, --watch is (see --help)' --wach
	row $p novalue 254 'option --sort needs a value' --sort
	row $p value 254 '--health is of the supervisor, not of pod "aaaa"' --health aaaa
	row $p value 254 '--since is for --history and --watch only' --since=5
	row $p unknown 1 'no pod "cccc" (xenpod-status shows them)' --wait cccc
	row $p ambiguous 254 '"bbbb" matches 2 pods; give more of the UUID' --wait bbbb
	row $p nobody 4 "$denied" --watch
	row $p nobody 5 "$denied" --health
	row $p down 4 "$silent" --wait $A
	works $p xenstored --history

	p=xenpodd
	row $p flag 254 'there is no option --nope; see xenpodd --help' --nope
	row $p novalue 254 '--config needs a value; see xenpodd --help' --config
	row $p value 254 '--world is xen or sim, not mars; see xenpodd --help' --world=mars
	row $p value 254 '--max-starts wants a number up to 1000, not x; see xenpodd --help' --max-starts=x
	row $p value 254 'unexpected argument start; see xenpodd --help' start
	row $p value 254 "$T/bad.conf:2: there is no setting \"MaxStart\" in [Supervisor]; xenpodd --check-config shows all" \
		--check-config --config="$T/bad.conf"
	row $p value 254 "open $T/none: No such file" --world=sim --sim-script="$T/none"
	row $p value 254 "is in use by another xenpodd" --world=sim
	none $p unknown,ambiguous "it takes no UUID"
	row $p nobody 254 'only root can run pods: start it with systemctl, or sudo'
	none $p down,xenstored "it is the supervisor; without xenstored it waits, and says so in the journal"

	p=xenpod-metrics
	row $p flag 254 'option --nope is not known here (see --help)' --nope
	row $p novalue 254 'option --textfile needs a value' --textfile
	row $p value 254 "create $T/none/x.new: No such file" --textfile="$T/none/x"
	row $p value 254 '"x": xenpod-metrics takes no arguments, see --help' x
	none $p unknown,ambiguous "it takes no UUID"
	row $p nobody 4 "$denied"
	row $p down 4 "$silent"
	works $p xenstored

	for p in xenpod-watch xenpod-act; do
		row $p flag 254 'unknown argument "--nope": it is started by xenpodd (see --help)' --nope
		row $p value 254 'no socket on file descriptor 3: it is started by xenpodd (see --help)'
		none $p novalue,unknown,ambiguous,nobody,down,xenstored "nobody calls it but xenpodd, on a socket"
	done
	row xenpod-vif flag 254 'it is started by libxl (see --help)' --nope
	none xenpod-vif novalue,value,unknown,ambiguous,nobody,down,xenstored "nobody calls it but libxl"
	row xenpod-init flag 254 "it is started by the guest's kernel as /init (see --help)" --nope
	none xenpod-init novalue,value,unknown,ambiguous,nobody,down,xenstored "it runs in the guest only"

	for p in run stop gc enter; do
		row $p flag 254 'unknown flag --nope; see --help' --nope
	done
	row run novalue 254 'flag --hostname needs a value' --hostname
	row run value 254 "RKT_LOCK_FD is not set: run is started by rkt or by \`xenpod run\`" $A
	row run value 254 'flag --hostname: letters, digits, "-" and "." are possible' --hostname=a/b $A
	row run unknown 254 '"cccc" is not a pod UUID (36 characters' cccc
	none run ambiguous,nobody,down,xenstored "xenpod run has them, above; no UUID is cut"
	none stop novalue "none of its flags has a value"
	row stop value 254 "argument \"$B\" is one too many" $A $B
	row stop unknown 254 "there is no pod $unknown" $unknown
	row gc novalue 254 'flag --local-config needs a value' --local-config
	row gc value 254 "the pod's UUID is missing; see --help"
	row gc value 254 "stop it first" $A
	none gc unknown "rkt calls it for what is gone, too: status 0"
	for p in stop gc; do
		row $p value 254 '"5" is not a pod UUID (36 characters' 5
		none $p ambiguous "no UUID is cut"
		row $p nobody 254 "$denied" $A
		row $p down 254 "$silent" $A
	done
	works stop xenstored --force $C
	none gc xenstored "as stop"
	row enter novalue 254 'flag --pid needs a value' --pid
	row enter value 254 "pod $A has no app \"nope\"" --pid=1 --app=nope
	row enter value 254 '"No" is not a valid app name' --pid=1 --app=No
	none enter unknown,ambiguous,nobody "it takes no UUID; xenpod enter looks for them"
	row enter down 254 "$silent" --pid=1 --app=stays
	row enter xenstored 254 'xenstore does not answer: is this a Xen host with xenstored running?' --pid=1 --app=stays
}

# all PHASE: the rows of that phase.
all() {
	phase=$1
	state >"$T/now.before"
	rows
}

# ---- pods, with the hooks as they are --------------------------------------------------------------------

mkdir -p "$T/s1/rootfs/rkt/status" "$T/s1/rootfs/opt/stage2" "$T/s1/rootfs/etc" "$T/s1/rootfs/xenpod" "$T/stays/rootfs/bin"
cat >"$T/s1/manifest" <<'END'
{"acKind":"ImageManifest","acVersion":"0.8.11","name":"xenpod.io/test/stage1",
"labels":[{"name":"version","value":"1"},{"name":"os","value":"linux"}],
"annotations":[{"name":"coreos.com/rkt/stage1/run","value":"/run"},
{"name":"coreos.com/rkt/stage1/enter","value":"/enter"},
{"name":"coreos.com/rkt/stage1/stop","value":"/stop"},
{"name":"coreos.com/rkt/stage1/gc","value":"/gc"},
{"name":"coreos.com/rkt/stage1/interface-version","value":"6"}]}
END
cp "$bin/run" "$bin/stop" "$bin/gc" "$bin/enter" "$T/s1/rootfs/"
echo "127.0.0.1 localhost" >"$T/s1/rootfs/etc/hosts-fallback"
: >"$T/s1/rootfs/xenpod/vmlinux"
: >"$T/s1/rootfs/xenpod/initrd.cpio"
printf '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/stays","app":{"exec":["sim","forever"],"user":"0","group":"0"}}' \
	>"$T/stays/manifest"
printf '[Supervisor]\nMaxStart=9\n' >"$T/bad.conf"

# world NAME [SCRIPT]: a supervisor and a data directory of its own, with three pods that run.
world() {
	export XENPOD_RUN_DIR=$T/$1.run XENPOD_STATE_DIR=$T/$1.state
	D=$T/$1.data
	printf 'latency create 50ms\nlatency build 50ms\nlatency boot 50ms\nlatency app 50ms\n%s\n' "${2-}" >"$T/script"
	supervise --sim-script="$T/script"
	for u in $A $B $C; do
		same "$1: a pod runs" "$u" "$("$bin/xenpod" run --dir="$D" --stage1-path="$T/s1" --no-overlay --restart=always --uuid="$u" "$T/stays" </dev/null 2>>"$T/log.run")"
	done
}
killed() {
	kill -9 "$daemon"
	wait "$daemon" 2>/dev/null
	daemon=
}

# ---- the rows --------------------------------------------------------------------------------------------

verbs=$("$bin/xenpod" --help | awk '/^  [a-z]+ +/ && !/^  xenpod / { print $1 }')
same "there are verbs" 1 "$(($(wc -w <<<"$verbs") > 10))"
world first
all up
killed
world second 'at 25s xenstored down' # the pods run by then, however busy the machine is
# shellcheck disable=SC2016
wait_for '"$bin/xenpod-status" --health | grep -q "^sensors *lost"'
all xenstored
# A new pod waits for Xen, and its user is told.
"$bin/xenpod" run --dir="$D" --stage1-path="$T/s1" --no-overlay "$T/stays" </dev/null >"$T/run.out" 2>"$T/run.err" &
waiting=$!
# shellcheck disable=SC2016
wait_for 'grep -q "^stage1: Xen is not seen (.*): the pod waits until it is$" "$T/run.err"'
same "run: a pod that waits for Xen says so, in one line" 1 "$(wc -l <"$T/run.err")"
killed
kill -9 $waiting
# A pod that runs, for its lock is held, and one that waits for gc: their hooks have to ask the supervisor.
mkdir -p "$T/third.data/pods/run" "$T/third.data/pods/exited-garbage"
cp -r "$D/pods/run/$A" "$T/third.data/pods/run/"
cp -r "$D/pods/run/$A" "$T/third.data/pods/exited-garbage/$U"
D=$T/third.data
exec 8<"$D/pods/run/$A"
flock 8
XENPOD_STATE_DIR=$T/none
all down

# ---- there is a row for everything -------------------------------------------------------------------------

# shellcheck disable=SC2086 # words
for who in xenpod $(printf 'xenpod.%s\n' $verbs) $(ls "$bin"); do
	for case in flag novalue value unknown ambiguous nobody down xenstored; do
		same "${who/./ }: a row for case $case" 1 "${had[${who/./ }:$case]-}"
	done
done
finish
