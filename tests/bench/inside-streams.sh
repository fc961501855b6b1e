#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The half of streams.sh that runs in Dom-0.
# shellcheck source=tests/lab/inside.sh
. "$(dirname "$0")/inside.sh"

rounds=5
mib=20 # what the source sends each time

median() {
	sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

# seconds COMMAND...
seconds() {
	local began=$EPOCHREALTIME

	"$@" >/dev/null
	echo "$EPOCHREALTIME $began" | awk '{ print $1 - $2 }'
}

inside_begin >/dev/null

# One app sends what it is asked for, another is libxenvchan's server; both wait for a word.
image source '{"user": "0", "group": "0"}' <<'END'
#!/bin/sh
trap 'exit 0' TERM
while :; do
	[ ! -e /out/go ] || { n=$(cat /out/go); rm /out/go; dd if=/dev/zero bs=64k count="$n" 2>/dev/null; }
	sleep 0.1
done
END
image floor '{"user": "0", "group": "0"}' <<'END'
#!/bin/sh
for d in gntalloc evtchn xenbus; do
	minor=$(sed -n "s,^ *\([0-9]*\) xen/$d\$,\1,p" /proc/misc)
	mkdir -p /dev/xen
	[ -z "$minor" ] || mknod /dev/xen/$d c 10 "$minor"
done
export XENSTORED_PATH=/dev/xen/xenbus
while :; do /bin/vchanecho server data/bench; done
END
install -m 755 /root/vchanecho $work/images/floor/rootfs/bin/vchanecho

start bench --insecure-options=all-run --volume=out,kind=host,source=$out --mount=volume=out,target=/out \
	$work/images/source --memory=64Mi --- $work/images/floor --memory=64Mi
runs bench >/dev/null
until_true 60 xenstore-read "/local/domain/$(domid "$uuid")/data/bench/ring-ref"

through_us() {
	local began size

	size=$(stat -c %s $t/bench.out)
	began=$EPOCHREALTIME
	echo $((mib * 16)) >$out/go.new && mv $out/go.new $out/go
	until [ $(($(stat -c %s $t/bench.out) - size)) -ge $((mib * 1024 * 1024)) ]; do sleep 0.05; done
	echo "$EPOCHREALTIME $began $mib" | awk '{ printf "%.1f\n", $3 / ($1 - $2) }'
}

for ((i = 0; i < rounds; i++)); do
	/root/vchanecho client "$(domid "$uuid")" data/bench 200 $mib >$t/floor.$i
	through_us >$t/ours.$i
	seconds in_pod source /bin/true >$t/enter.$i
done

floor_rtt=$(sed -n 's/round-trip-us //p' $t/floor.* | median)
floor_flow=$(sed -n 's/mib-per-s //p' $t/floor.* | median)
ours_flow=$(cat $t/ours.* | median)
enter_s=$(cat $t/enter.* | median)
rss=$(in_pod source /bin/sed -n 's/^VmRSS:[^0-9]*//p' /proc/1/status)

awk -v r="$floor_rtt" -v f="$floor_flow" -v o="$ours_flow" -v e="$enter_s" -v n=$rounds -v m=$mib 'BEGIN {
	printf "medians of %d alternating rounds\n", n
	printf "output of %d MiB: libxenvchan alone %.1f MiB/s, through xenpod %.1f MiB/s, ratio %.2f\n", m, f, o, o / f
	printf "libxenvchan echo: %.0f us; enter /bin/true: %.2f s\n", r, e
}'
echo "xenpod-init's own memory: $rss"
xenpod stop "$uuid" >/dev/null
until_true 120 test -s $t/bench.code
xenpod gc --grace-period=0 >/dev/null 2>&1
kill "$observer"
rm -rf $work
[ "$failed" -eq 0 ]
