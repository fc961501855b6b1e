#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: full
# PODS: 3
# LIMIT: 3600
#
# Output: a hundred megabytes byte for byte, a reader that is slow, streams kept apart, the journal
# that tells the whole story of a pod, and readiness for whoever waits for it.
# shellcheck source=tests/lab/inside.sh
. "$(dirname "$0")/../inside.sh"

inside_begin

# ---- many bytes -----------------------------------------------------------------------------------

head -c 104857600 /dev/urandom >$out/bytes
want=$(sha256sum <$out/bytes)
got=$(xenpod run --uuid-file-save=$t/big.uuid --memory=128M --volume=out,kind=host,source=$out,readOnly=true \
	--mount=volume=out,target=/out $images/busybox.aci -- -c 'cat /out/bytes' 2>$t/big.err </dev/null | sha256sum)
observed=$((observed + 1))
use big
expect_eq "100 MB through stdout, byte for byte" "$got" "$want"
expect_eq "and a code" "$(status "$uuid" .pod.code)" 0
rm $out/bytes

# ---- two streams, two apps, a slow reader -----------------------------------------------------------

image loud '{"user": "0", "group": "0"}' <<'END'
#!/bin/sh
n=0
while [ $n -lt 2000 ]; do
	n=$((n + 1))
	echo "out $AC_APP_NAME $n"
	echo "err $AC_APP_NAME $n" >&2
done
printf 'the last line has no end'
END
start loud --memory=128M $work/images/loud --- $work/images/loud --name=second
kill -STOP "$(cat $t/loud.pid)"
sleep 5
kill -CONT "$(cat $t/loud.pid)"
expect_end loud 0 exited finished
# Not at the beginning of a line: where the other app's last words were, there is none.
for app in loud second; do
	expect_eq "$app: stdout in order, nothing lost" "$(grep -a -o "out $app [0-9]*" $t/loud.out)" \
		"$(seq -f "out $app %g" 2000)"
	expect_eq "$app: stderr in order, nothing lost" "$(grep "^err $app " $t/loud.err)" \
		"$(seq -f "err $app %g" 2000)"
done
expect_eq "the last words of both" "$(grep -a -o 'the last line has no end' $t/loud.out | grep -c .)" 2

# ---- the journal, and readiness ---------------------------------------------------------------------

image story '{"user": "0", "group": "0"}' <<'END'
#!/bin/sh
echo 'once upon a time'
echo '<3>something is wrong' >&2
printf 'a line in '; sleep 1; echo 'two pieces'
exit 6
END
systemd-run --quiet --unit=story -p Type=notify -p TimeoutStartSec=600 \
	xenpod run --uuid-file-save=$t/story.uuid --memory=128M $work/images/story
check "a unit of Type=notify starts when the pod is ready, not before" test -s $t/story.uuid
observed=$((observed + 1))
use story
until_true 120 in_state "$uuid" exited
journalctl --sync
journal() {
	journalctl --output=json --no-pager XENPOD_UUID="$uuid" "$@"
}
expect_match "the journal has the pod's transitions and its output" \
	"$(journal | jq -r '.MESSAGE' | tr '\n' '|')" 'accept.*once upon a time.*exited'
expect_eq "by app and stream" \
	"$(journal XENPOD_APP=story XENPOD_STREAM=stdout | jq -r .MESSAGE)" $'once upon a time\na line in two pieces'
expect_eq "with its priority" "$(journal XENPOD_APP=story XENPOD_STREAM=stderr | jq -r '.PRIORITY + .MESSAGE')" \
	'3something is wrong'
expect_eq "the app's name is the identifier" \
	"$(journal XENPOD_APP=story | jq -r .SYSLOG_IDENTIFIER | sort -u)" story
systemctl reset-failed story 2>/dev/null

inside_end
