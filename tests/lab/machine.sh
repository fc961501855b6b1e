# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# One machine of the lab, for xenlab: its QEMU process and monitor, the command channel into Dom-0,
# waiting until it serves. Knows the folder of the machine ($run), not what commands mean by it.

# Set by xenlab: where images and machines are, and which machine it is.
: "${here:?}" "${lab:?}" "${name:?}" "${variant:?}" "${memory:?}" "${ceiling:?}"
# The machine's folder; set once the name is known.
run=''
# What a running machine was started with; rewritten by each start.
image='' port=''
# A second disk through which large files go in: ten times faster than the emulated network.
bulk_size=4294967296

# ---- the process ----------------------------------------------------------------------------

machine_pid() {
	local pid

	pid=$(cat "$run/pid" 2>/dev/null) || return 1
	[ "$(cat "/proc/$pid/comm" 2>/dev/null)" = qemu-system-x86 ] || return 1
	echo "$pid"
}

state_load() {
	[ -e "$run/state" ] || return 0
	# shellcheck source=/dev/null
	. "$run/state"
}

need_running() {
	machine_pid >/dev/null || die "machine '$name' is not running: start it with 'xenlab up'"
	state_load
}

image_build() {
	image=$("$here/image/build.sh" "$lab") || exit 254
}

cpu_flags() {
	# The why of each flag: README.md, "Flags".
	local flags='max,smap=off,rdtscp=off,xsave=off,avx=off'

	[ "$variant" = pvh ] || flags+=',svm=off'
	echo "$flags"
}

qemu_start() {
	local args=("$@") dom0='console=hvc0 root=/dev/vda net.ifnames=0'
	local xen='console=com1 com1=115200,8n1 dom0_mem=2048M,max:2048M dom0_max_vcpus=2'

	# Scrubbing emulated memory would only touch all of it; a dead Xen shall not loop unseen.
	xen+=' noreboot=1 bootscrub=0'
	(
		cd "$run" || exit
		rm -f qmp pid
		truncate -s "$bulk_size" bulk
		exec setsid qemu-system-x86_64 -nodefaults -no-user-config -name "xenlab-$name" \
			-M pc -accel tcg,thread=multi -cpu "$(cpu_flags)" -m "$memory" -smp 2 -display none \
			-kernel "$image/xen" -append "$xen" -initrd "$image/vmlinuz $dom0,$image/initrd" \
			-chardev file,id=console,path=console.log,append=on -serial chardev:console \
			-drive file=disk.qcow2,if=virtio,cache=writeback \
			-drive file=bulk,format=raw,if=virtio,readonly=on,file.locking=off \
			-netdev "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:$port-:22" \
			-device virtio-net-pci,netdev=net,romfile= -device virtio-rng-pci \
			-qmp unix:qmp,server=on,wait=off -pidfile pid "${args[@]}" \
			</dev/null >qemu.log 2>&1 7>&- 9>&-
	) &
	disown
}

# Starts QEMU on a port that nobody has; a port taken in between shows as an early exit.
machine_start() {
	local tries

	for tries in 1 2 3 4 5; do
		port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
		qemu_start "$@"
		until machine_pid >/dev/null && [ -S "$run/qmp" ]; do
			sleep 0.1
			jobs_alive || break
		done
		if machine_pid >/dev/null; then
			printf 'image=%q\nport=%q\nvariant=%q\nmemory=%q\n' "$image" "$port" "$variant" "$memory" \
				>"$run/state"
			return
		fi
		grep -q 'host forwarding rule' "$run/qemu.log" || break
		say "port $port is taken, trying another ($tries)"
	done
	die "QEMU does not start: $(tail -n 3 "$run/qemu.log")"
}

jobs_alive() {
	kill -0 $! 2>/dev/null
}

# One QMP command; prints the answer's "return".
qmp() {
	(cd "$run" && python3 "$here/qmp.py" qmp "$ceiling" "$1")
}

# One command of QEMU's monitor; it prints nothing when all went well.
monitor() {
	qmp "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"$1\"}}" |
		sed -e 's/^{"return": "//' -e 's/"}[^"]*$//' -e 's/\\r\\n/\n/g'
}

# ---- the command channel --------------------------------------------------------------------

# All sessions share one connection; a socket's path is short because we go to its folder.
ssh_in() {
	# shellcheck disable=SC2086 # no word at all without a limit
	(cd "$run" && exec ${ssh_limit:+timeout $ssh_limit} ssh -F none -i "$image/id" -S ctl -p "$port" -o BatchMode=yes \
		-o UserKnownHostsFile="$image/known_hosts" -o HostKeyAlias=xenlab -o LogLevel=ERROR \
		-o ConnectTimeout=20 -o ServerAliveInterval=30 -o ServerAliveCountMax=10 \
		-o IPQoS=none "$@")
}

channel_up() {
	ssh_in -O check root@127.0.0.1 >/dev/null 2>&1
}

channel_open() {
	(
		flock 8
		channel_up && exit 0
		rm -f "$run/ctl"
		# ssh has no limit of its own for a peer that accepts and then says nothing.
		ssh_limit=120
		ssh_in -o ControlPersist=yes -MNf root@127.0.0.1 </dev/null >/dev/null 2>&1 7>&- 8>&- 9>&-
	) 8>"$run/channel.lock"
}

channel_close() {
	ssh_in -O exit root@127.0.0.1 >/dev/null 2>&1 || true
	rm -f "$run/ctl"
}

channel_need() {
	channel_up || channel_open || die "Dom-0 of '$name' does not answer: see 'xenlab console'"
}

# Runs one shell line in Dom-0 over the open channel.
dom0() {
	ssh_in -T root@127.0.0.1 -- "$1"
}

# ---- waiting --------------------------------------------------------------------------------

progress() {
	[ ! -t 2 ] || printf '\r\033[K%s' "$1" >&2
}

console_fail() {
	progress ''
	say "the console's last lines:"
	tail -n 30 "$run/console.log" | tr -d '\r' >&2
	die "$1"
}

# Waits until a Dom-0 other than the one with boot id $1 serves.
ready_wait() {
	local old=${1:-none} start=$SECONDS id=''

	while :; do
		machine_pid >/dev/null || console_fail "machine '$name' ended while it started: $(cat "$run/qemu.log")"
		progress "waiting for Dom-0 of '$name': $((SECONDS - start)) s"
		if channel_open; then
			id=$(dom0 '[ -e /run/lab-ready ] && cat /proc/sys/kernel/random/boot_id' 2>/dev/null) || id=''
			[ -z "$id" ] || [ "$id" = "$old" ] || break
			[ "$id" != "$old" ] || channel_close
		fi
		[ $((SECONDS - start)) -lt "$ceiling" ] ||
			console_fail "Dom-0 of '$name' did not serve within $ceiling s"
		sleep 0.5
	done
	progress ''
}

gone_wait() {
	local pid=$1 start=$SECONDS

	while [ -d "/proc/$pid" ]; do
		[ $((SECONDS - start)) -lt "$2" ] || return 1
		sleep 0.2
	done
}
