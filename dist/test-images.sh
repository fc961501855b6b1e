#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the small images that demo, lab and tests run, from busybox-static alone:
#   busybox.aci  a shell and its tools; app: /bin/sh (give it `-- -c COMMAND`)
#   ticker.aci   prints a line every second; on SIGTERM says so and exits 0, or with $TICKER_EXIT
#   worker.aci   `-- CODE [SECONDS]`: works SECONDS (default 1), then exits with CODE (default 0)
# Same input, same bytes: so the tree store keeps one copy however often they are built.
# usage: test-images.sh [OUTPUT DIRECTORY, default build/images]
set -eu

out=${1:-build/images}
busybox=${BUSYBOX:-/bin/busybox}
if ! [ -x "$busybox" ]; then
	echo "test-images: no $busybox (run: make setup)" >&2
	exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"

# The tree that all three share: tools, users, and the places where the system is mounted.
make_root() {
	root=$1
	for d in bin dev etc home/demo proc root sys tmp var/tmp; do
		mkdir -p "$root/$d"
	done
	chmod 1777 "$root/tmp" "$root/var/tmp"
	cp "$busybox" "$root/bin/busybox"
	chmod 0755 "$root/bin/busybox"
	for tool in sh ash cat ls ps sleep echo env id true false kill test touch mkdir rm mount \
		umount hostname uname dd wc head tail grep sed awk seq stat readlink date df free \
		ip ping vi sync printf expr cut sort od tr chmod chown ln cp mv find xargs \
		stty tty pidof dmesg setsid; do
		ln -s busybox "$root/bin/$tool"
	done
	printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'demo:x:1000:1000:demo:/home/demo:/bin/sh' \
		>"$root/etc/passwd"
	printf '%s\n' 'root:x:0:' 'demo:x:1000:' >"$root/etc/group"
	chmod 0644 "$root/etc/passwd" "$root/etc/group"
	chown -R 0:0 "$root"
	chown 1000:1000 "$root/home/demo"
}

# pack NAME EXEC: manifest and rootfs as an uncompressed tar that is the same each time.
pack() {
	cat >"$work/$1/manifest" <<-END
		{
		  "acKind": "ImageManifest",
		  "acVersion": "0.8.11",
		  "name": "xenpod.io/test/$1",
		  "labels": [
		    {"name": "version", "value": "1"},
		    {"name": "os", "value": "linux"},
		    {"name": "arch", "value": "amd64"}
		  ],
		  "app": {
		    "exec": [$2],
		    "user": "0",
		    "group": "0",
		    "workingDirectory": "/",
		    "environment": [{"name": "PATH", "value": "/bin"}]
		  }
		}
	END
	chmod 0644 "$work/$1/manifest"
	tar --create --file "$out/$1.aci.tmp" --directory "$work/$1" --format=gnu --sort=name \
		--numeric-owner --mtime=@1 manifest rootfs
	mv "$out/$1.aci.tmp" "$out/$1.aci"
	echo "$out/$1.aci"
}

for image in busybox ticker worker; do
	make_root "$work/$image/rootfs"
done

cat >"$work/ticker/rootfs/bin/ticker" <<'END'
#!/bin/sh
# One line a second until SIGTERM, which it answers in order.
trap 'echo "ticker: stopping"; exit "${TICKER_EXIT:-0}"' TERM
n=0
echo "ticker: started as $(id -un) on $(hostname)"
while :; do
	n=$((n + 1))
	echo "tick $n"
	sleep "${TICKER_SECONDS:-1}" &
	wait $!
done
END
cat >"$work/worker/rootfs/bin/worker" <<'END'
#!/bin/sh
# worker [CODE [SECONDS]]
echo "worker: working for ${2:-1} s"
sleep "${2:-1}"
echo "worker: done, code ${1:-0}"
exit "${1:-0}"
END
chmod 0755 "$work/ticker/rootfs/bin/ticker" "$work/worker/rootfs/bin/worker"

umask 022
pack busybox '"/bin/sh"'
pack ticker '"/bin/ticker"'
pack worker '"/bin/worker"'
