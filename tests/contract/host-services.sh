#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `xenpod host services`: what it makes below a root, that it takes all of it back byte for byte, wherever it
# was interrupted; and under a real runsvdir, with stand-ins for Xen's programs, that the services start in
# order, each when what it needs answers. In a mount namespace of its own; needs root and runit, no Xen.
# The last line is `N passed, N failed`.
set -u

if [ "${XENPOD_TEST_NS:-}" != 1 ]; then
	exec env XENPOD_TEST_NS=1 unshare --mount --propagation private --pid --fork --mount-proc --kill-child "$0" "$@"
fi
# shellcheck source-path=SCRIPTDIR source=checks.bash
. "$(dirname "$0")/checks.bash"
runsvdir=
end() {
	[ -z "$runsvdir" ] || { kill -HUP "$runsvdir" && wait "$runsvdir"; } 2>/dev/null
	for mount in /etc /run /var/log "$T/tmp"; do
		umount -l "$mount" 2>/dev/null
	done
	rm -rf "$T"
}
trap end EXIT

# ---- stand-ins -----------------------------------------------------------------------------------------

mkdir -p "$T"/{path,inst/bin,inst/sbin,inst/share/xenpod,xen/bin,xen/sbin,xen/lib/xen/bin} "$T/world"
cp "$bin/xenpod-host" "$T/inst/bin/"
cp -r "$top/dist/systemd" "$T/inst/share/xenpod/units"
host=$T/inst/bin/xenpod-host

# program FILE: from stdin; W is where they tell each other what is.
program() {
	{ printf '#!/bin/sh\nW=%s\n' "$T/world"; cat; } >"$1"
	chmod 755 "$1"
}
# A daemon notes what was there when it began, and that it was told to end.
daemon='echo "${0##*/} $(ls "$W/nodes" 2>/dev/null | paste -sd,)" >>"$W/log"
trap "echo \"end ${0##*/}\" >>\"$W/log\"; exit 0" TERM
'
rest='while :; do sleep 0.1; done'
program "$T/xen/sbin/oxenstored" <<<"$daemon"'sleep 1; mkdir "$W/nodes" && touch "$W/nodes/root"; '"$rest"
program "$T/xen/lib/xen/bin/xen-init-dom0" <<<"echo init >>\"\$W/log\"; sleep 1; touch \"\$W/nodes/name\""
program "$T/xen/sbin/xenconsoled" <<<"$daemon$rest"
program "$T/xen/lib/xen/bin/qemu-system-i386" <<<"$daemon"'sleep 1; touch "$W/nodes/state"; '"$rest"
program "$T/inst/sbin/xenpodd" <<<"$daemon"'touch "$W/xenpodd"; '"$rest"
program "$T/inst/bin/xenpod-status" <<<'[ -e "$W/xenpodd" ]'
program "$T/xen/bin/xenstore-read" <<'END'
case $* in
"-s /") [ -e "$W/nodes/root" ] ;;
*/name) [ -e "$W/nodes/name" ] && echo Domain-0 ;;
*/state) [ -e "$W/nodes/state" ] && echo running ;;
esac
END
program "$T/xen/bin/xenstore-list" <<<'[ -e "$W/nodes" ] && echo 0 && cat "$W/domains" 2>/dev/null; :'
program "$T/path/modprobe" <<<'exit 0'
program "$T/path/mount" <<<'exit 0'
program "$T/path/grep" <<<'case $* in *capabilities*) [ -e "$W/dom0" ] ;; *) exec /usr/bin/grep "$@" ;; esac'

# ---- below a root ----------------------------------------------------------------------------------------

root=$T/root
rooted() { "$host" --root="$root" --state-dir="$T/state" services "$@" >"$T/out" 2>"$T/err"; }
tree() { # DIR: all of it, byte for byte
	(cd "$1" && find . -printf '%p %y %m %l\n' | sort && find . -type f -print0 | sort -z | xargs -0r sha256sum)
}
fresh() {
	rm -rf "$root" "$T/state"
	mkdir -p "$root/etc/service" "$root/proc" "$root$T"
	cp -r "$T/xen" "$root$T/xen"
	echo mine >"$root/etc/xenpod.conf"
	tree "$root" >"$T/before"
}
unchanged() { same "$1" "" "$(tree "$root" | diff "$T/before" - | head -n 5)"; }
ok() { # WHAT COMMAND...
	local what=$1 rc=0
	shift
	"$@" || rc=$?
	same "$what" 0 "$rc$([ $rc = 0 ] || cat "$T/err")"
}
fails() { # WHAT TEXT COMMAND...
	local what=$1 text=$2 rc=0
	shift 2
	"$@" || rc=$?
	same "$what: exit status" 254 "$rc"
	same "$what: one line that says \"$text\": $(cat "$T/err")" "1 1" \
		"$(wc -l <"$T/err") $(grep -cF -- "$text" "$T/err")"
}

fresh
ok "plan" rooted plan --runit --prefix="$T/xen"
unchanged "plan changes nothing"
same "plan names the services" 4 "$(grep -c 'would do  *service /etc/service/' "$T/out")"
steps=$(grep -c '^would do' "$T/out")
ok "plan --json" rooted plan --runit --prefix="$T/xen" --json
same "plan --json: the same steps" "$steps symlink" "$(jq -r '"\(.steps | length) \(.steps[-1].kind)"' <"$T/out")"
same "plan --json: programs" "$T/xen/sbin/oxenstored $T/xen/lib/xen/bin/qemu-system-i386" \
	"$(python3 -c 'import json,sys; p=json.load(sys.stdin)["programs"]; print(p["xenstored"], p["xen-init-dom0-disk-backend"])' <"$T/out")"
ok "setup --dry-run" rooted setup --runit --prefix="$T/xen" --dry-run
unchanged "setup --dry-run changes nothing"
ok "setup" rooted setup --runit --prefix="$T/xen"
same "setup: links" "xen-init-dom0 xen-init-dom0-disk-backend xenconsoled xenstored" \
	"$(cd "$root/etc/service" && find . -type l -printf '%f\n' | sort | paste -sd' ')"
for script in "$root"/etc/xenpod/sv/*/run "$root"/etc/xenpod/sv/*/check; do
	same "${script#"$root"} is a script" "" "$(sh -n "$script" 2>&1)"
	! command -v shellcheck >/dev/null || same "${script#"$root"}: shellcheck" "" \
		"$(shellcheck -e SC3045 "$script" 2>&1 | head -n 20)"
done
tree "$root" >"$T/made"
ok "setup again" rooted setup
same "setup again changes nothing" "" "$(tree "$root" | diff "$T/made" -)"
same "setup again finds all as it is" 0 "$(grep -vc '^is so' "$T/out")"
fails "setup for somebody else" "set up for runit in /etc/service already" rooted setup --systemd
ok "setup with the supervisor" rooted setup --xenpodd
same "a log beside it" "/run/xenpod-sv.xenpodd.log" "$(readlink "$root/etc/xenpod/sv/xenpodd/log/supervise")"
ok "teardown" rooted teardown
unchanged "teardown takes all of it back"
ok "teardown again" rooted teardown
same "teardown again says so" "nothing is set up" "$(cat "$T/out")"

# What is there of others.
fails "status elsewhere" "goes without --root" rooted status
fails "no Xen there" "oxenstored or xenstored is not below $T/world" rooted setup --runit --prefix="$T/world"
mkdir "$root/etc/service/xenconsoled"
fails "a service of somebody" "/etc/service/xenconsoled is there already" rooted setup --runit --prefix="$T/xen"
rmdir "$root/etc/service/xenconsoled"
mkdir -p "$root/proc/77"
echo oxenstored >"$root/proc/77/comm"
printf 'oxenstored\0' >"$root/proc/77/cmdline"
fails "a xenstored runs" "xenstored runs already (process 77)" rooted setup --runit --prefix="$T/xen"
rm -r "$root/proc/77"
mkdir -p "$root/run/xenstored"
touch "$root/run/xenstored/socket"
fails "a xenstored has run" "reboot the host first" rooted setup --runit --prefix="$T/xen"
rm -r "$root/run"
rm -r "$root/etc/service"
fails "no runit" "there is no directory of runit's services" rooted setup --prefix="$T/xen"
mkdir "$root/etc/service"
unchanged "what was refused has changed nothing"
mkdir "$root/etc/init.d"
touch "$root/etc/init.d/xen"
ok "the distribution starts them" rooted setup
same "it is said" "is so       Xen's services: /etc/init.d/xen starts them" "$(cat "$T/out")"
mkdir -p "$root/etc/systemd/system" "$root/run/systemd/system"
ln -s /dev/null "$root/etc/systemd/system/xen.service"
ok "what is masked starts nothing" rooted plan --prefix="$T/xen"
same "it is not taken for what starts them" 1 "$(grep -c 'would do *unit xenstored.service' "$T/out")"
rm -r "$root/etc/init.d" "$root/etc/systemd" "$root/run"
unchanged "nothing to do, nothing changed"

# Units.
mkdir -p "$root/etc/systemd/system" "$root/run/systemd/system"
tree "$root" >"$T/before"
ok "units" rooted setup --prefix="$T/xen" --xenpodd
same "units: those of Xen" "proc-xen.mount xen-init-dom0.service xen-qemu-dom0-disk-backend.service xenconsoled.service xenstored.service" \
	"$(cd "$root/etc/systemd/system" && find . -maxdepth 1 -name '*xen*' ! -name 'xenpod*' -printf '%f\n' | sort | paste -sd' ')"
same "units: the prefix is filled in" "ExecStart=$T/inst/sbin/xenpodd --libexec-dir=$T/inst/lib/xenpod" \
	"$(grep ^ExecStart= "$root/etc/systemd/system/xenpodd.service")"
if command -v systemd-analyze >/dev/null; then
	same "units: systemd-analyze finds no fault" "" "$(cd "$root/etc/systemd/system" && SYSTEMD_UNIT_PATH=$PWD: \
		systemd-analyze verify --man=no ./xenstored.service ./xen-init-dom0.service ./xenconsoled.service \
		./xen-qemu-dom0-disk-backend.service ./proc-xen.mount 2>&1 | grep -F "$root" | head -n 5)"
fi
ok "units: teardown" rooted teardown
unchanged "units: teardown takes all of it back"

# Interrupted: killed ever later, until it comes to its end.
cut_at() { # MS ARGUMENTS...: killed then, and gone; counts those that did not come to their end
	local ms=$1 pid

	shift
	"$host" --root="$root" --state-dir="$T/state" services "$@" >/dev/null 2>&1 &
	pid=$!
	sleep "0.$(printf %03d "$ms")"
	kill -KILL $pid 2>/dev/null
	wait $pid 2>/dev/null || cut=$((cut + 1))
}
fresh
cut=0
for ms in 1 2 3 4 6 8 10 12 14 17 20 24 28 33 40 50 70 100 200; do
	cut_at $ms setup --runit --prefix="$T/xen" --xenpodd
	cut_at $ms teardown
	ok "killed after $ms ms: teardown" rooted teardown
	unchanged "killed after $ms ms: all is as before"
	cut_at $ms setup --runit --prefix="$T/xen" --xenpodd
	ok "killed after $ms ms: setup" rooted setup --runit --prefix="$T/xen" --xenpodd
	cut_at $ms teardown
	ok "killed after $ms ms: a cut teardown is ended" rooted teardown
	unchanged "killed after $ms ms: all is as before, again"
done
same "some were cut ($cut of 76)" 1 $((cut > 8))

# ---- under runsvdir --------------------------------------------------------------------------------------

if ! command -v runsvdir >/dev/null; then
	echo "runit is not installed: nothing is tried under runsvdir"
	finish
	exit
fi
mkdir "$T/tmp"
if ! { mount -t tmpfs none "$T/tmp" && mkdir "$T/tmp/upper" "$T/tmp/work" &&
	mount -t overlay none -o "lowerdir=/etc,upperdir=$T/tmp/upper,workdir=$T/tmp/work" /etc &&
	mount -t tmpfs none /run && mount -t tmpfs none /var/log; }; then
	same "a view of its own of /etc, /run, /var/log" 0 1
	finish
	exit
fi
rm -rf /etc/service
mkdir /etc/service
PATH=$T/path:$PATH
export SVDIR=/etc/service
live() { "$host" --state-dir="$T/live" services "$@" >"$T/out" 2>"$T/err"; }
until_true() { # SECONDS COMMAND...
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.2
	done
}
tree /etc >"$T/before"
ok "setup without runsvdir" live setup --runit --prefix="$T/xen" --xenpodd
same "it is said" 1 "$(grep -c 'no runsvdir looks at /etc/service' "$T/err")"
live status
same "status: none is up" "1 5" "$? $(grep -c '^down' "$T/out")"
# Without Xen below they stay down, and are not tried again.
runsvdir -P /etc/service >/dev/null 2>&1 &
runsvdir=$!
ok "no Dom-0: they stay down" until_true 20 sh -c 'sv status /etc/service/* | grep ^down: | grep -vc "want up" | grep -qx 5'
same "no Dom-0: nothing was started" "" "$(cat "$T/world/log" 2>/dev/null)"
touch "$T/world/dom0"
sv up xen-init-dom0-disk-backend xenconsoled xen-init-dom0 xenpodd >/dev/null
sleep 1
sv up xenstored >/dev/null
ok "setup waits until all are up" live setup --timeout=30
same "setup: in order" "xenstored xen-init-dom0 xenconsoled xen-init-dom0-disk-backend xenpodd" \
	"$(awk '/^up / { print $2 }' "$T/out" | paste -sd' ')"
same "the store was first, and nobody began before what it needs" \
	"oxenstored |init|qemu-system-i386 name,root|xenconsoled root|xenpodd name,root" \
	"$(sed 's/^xenconsoled .*/xenconsoled root/; s/^\(xenpodd\|qemu[^ ]*\) \(name,root\).*/\1 \2/' "$T/world/log" | sort | paste -sd'|' |
		sed 's/^init|oxenstored /oxenstored |init/')"
same "the store began before all others" "oxenstored " "$(head -n 1 "$T/world/log")"
live status
same "status" "0 5" "$? $(grep -c '^up' "$T/out")"
same "status: what sv says is in it" 5 "$(grep -cE '; run: [a-z0-9-]+: \(pid [0-9]+\) [0-9]+s' "$T/out")"
ok "status --json" live status --json
same "status --json: all" "True runit 5" \
	"$(python3 -c 'import json,sys; s=json.load(sys.stdin); print(s["up"], s["by"], sum(x["up"] for x in s["services"]))' <"$T/out")"
same "sv check" "ok: run: xenstored:" "$(sv check xenstored | cut -d' ' -f1-3)"
ok "the supervisor's log" until_true 10 test -e /var/log/xenpodd/current
ok "setup again" live setup --timeout=30
same "setup again: nothing was started anew" 1 "$(grep -c '^oxenstored' "$T/world/log")"

# One that dies comes back; the store does not.
kill "$(cat /run/xenpod-sv.xenconsoled/pid)"
ok "xenconsoled comes back" until_true 20 sh -c "[ \$(grep -c '^xenconsoled' '$T/world/log') = 2 ]"
same "xen-init-dom0 ran once" 1 "$(grep -c '^init' "$T/world/log")"

# Teardown.
echo 7 >"$T/world/domains"
fails "teardown while a domain runs" "domains run (7)" live teardown
rm "$T/world/domains"
mv "$T/world/nodes" "$T/world/hidden"
sed -i 's/^\[ -e.*/exit 1/' "$T/xen/bin/xenstore-list"
fails "teardown when the store is silent" "xenstored does not answer" live teardown
mv "$T/world/hidden" "$T/world/nodes"
ok "teardown --force" live teardown --force
same "teardown: in the other order" "xenpodd xen-init-dom0-disk-backend xenconsoled xen-init-dom0 xenstored" \
	"$(awk '/^stopped / { print $2 }' "$T/out" | paste -sd' ')"
same "they have ended in that order" "end xenpodd|end qemu-system-i386|end xenconsoled|end oxenstored" \
	"$(grep '^end' "$T/world/log" | tail -n 4 | paste -sd'|')"
same "all of /etc is as before" "" "$(tree /etc | diff "$T/before" - | head -n 5)"
same "runsv has left nothing" "/run/xenpod-sv.store-began" "$(find /run -name 'xenpod-sv*' | sort | paste -sd' ')"
# runsvdir looks after its children now and then.
ok "no runsv is left" until_true 10 sh -c "! pgrep -P $runsvdir -x runsv >/dev/null"
fails "a second store in one boot" "reboot the host first" live setup --runit --prefix="$T/xen"
kill -HUP "$runsvdir"
wait "$runsvdir"
runsvdir=
rm -r /run/xenpod-sv.*

# ---- no systemd ------------------------------------------------------------------------------------------

rm -f /etc/init.d/xen*
tree /etc >"$T/before"
for how in plan setup "setup --dry-run"; do
	# shellcheck disable=SC2086 # words
	fails "units where systemd does not run: $how" "systemd does not run here: use --runit" live $how --systemd --prefix="$T/xen"
done
same "nothing was made" "" "$(tree /etc | diff "$T/before" - | head -n 5)"
# The distribution's script starts Xen's services: the supervisor alone is for runit.
touch /etc/init.d/xen
ok "the supervisor beside it" live setup --xenpodd --prefix="$T/xen" --timeout=0
same "it alone" "xenpodd" "$(ls /etc/service)"
same "it is said who starts the others" 1 "$(grep -c "^is so .*Xen's services: /etc/init.d/xen starts them" "$T/out")"
live status
same "status: nobody is known to start Xen's" 4 "$(grep -c 'nobody is known to start it' "$T/out")"
ok "again" live setup --timeout=0
same "all is so" 0 "$(grep -vc '^is so' "$T/out")"
ok "teardown" live teardown
rm /etc/init.d/xen
same "all of /etc is as before, too" "" "$(tree /etc | diff "$T/before" - | head -n 5)"
# One that was set up when systemd ran can be taken back by another init.
mkdir -p /run/systemd/system
printf '#!/bin/sh\n' >"$T/path/systemctl"
chmod 755 "$T/path/systemctl"
ok "units, while systemd runs" live setup --systemd --prefix="$T/xen" --timeout=0
rm -r /run/systemd
printf '#!/bin/sh\necho "Failed to connect to bus" >&2; exit 1\n' >"$T/path/systemctl"
fails "setup without it" "systemd does not run here" live setup
ok "teardown without it" live teardown --force
same "all of /etc is as before, as well" "" "$(tree /etc | diff "$T/before" - | head -n 5)"

# ---- systemd ---------------------------------------------------------------------------------------------

# A systemctl that knows what has a file or was started, and refuses to stop anything else, as the real one.
program "$T/path/systemctl" <<'END'
unit=/etc/systemd/system/$(eval "echo \${$#}") run=$W/run/$(eval "echo \${$#}")
case $1 in
start) [ -e "$unit" ] && mkdir -p "$W/run" && : >"$run" ;;
stop)
	[ -e "$unit" ] || [ -e "$run" ] || { echo "Failed to stop ${unit##*/}: Unit ${unit##*/} not loaded." >&2; exit 5; }
	rm -f "$run"
	;;
show)
	[ -e "$unit" ] && echo LoadState=loaded || echo LoadState=not-found
	[ -e "$run" ] && echo ActiveState=active || echo ActiveState=inactive
	;;
esac
END
# settled COMMAND...: when what a killed one has started has ended, too: it has the lock.
settled() {
	local i

	for ((i = 0; i < 200; i++)); do
		"$@" && return
		grep -q 'is at work' "$T/err" || return
		sleep 0.05
	done
	return 1
}
mkdir -p /run/systemd/system
rm -f /etc/init.d/xen*
tree /etc >"$T/before"
ok "units are set up" live setup --systemd --prefix="$T/xen" --timeout=0
same "and started" "proc-xen.mount|xen-init-dom0.service|xen-qemu-dom0-disk-backend.service|xenconsoled.service|xenstored.service" \
	"$({ ls "$T/world/run"; echo proc-xen.mount; } | sort | paste -sd'|')"
rm /etc/systemd/system/xenconsoled.service
ok "teardown, though a file of what runs is gone" live teardown --force
same "nothing runs" "" "$(ls "$T/world/run")"
same "all of /etc is as before, again" "" "$(tree /etc | diff "$T/before" - | head -n 5)"
cut=0
for ms in 1 2 3 4 6 8 10 12 14 17 20 24 28 33 40 50 70 100; do
	(timeout -s KILL "0.$(printf %03d $ms)" "$host" --state-dir="$T/live" services setup --systemd --prefix="$T/xen" --timeout=0 & wait $!) >/dev/null 2>&1 ||
		cut=$((cut + 1))
	ok "killed after $ms ms: units: teardown" settled live teardown --force
	same "killed after $ms ms: units: /etc is as before" "" "$(tree /etc | diff "$T/before" - | head -n 5)"
done
same "some were cut ($cut of 18)" 1 $((cut > 3))
finish
