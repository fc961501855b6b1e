#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: full
# PODS: 100
# LIMIT: 21600
#
# A hundred pods one after another (HUNDRED=n: so many): each ends in order, and then nothing of them
# is there: no domain, process, cgroup, mount, xenstore node, log file, descriptor, no memory that grew.
# shellcheck source=tests/lab/pods.sh
. "$(dirname "$0")/../pods.sh"

many=${HUNDRED:-100}
growth_kib=4096

rss() {
	awk '/^VmRSS/ { print $2 }' "/proc/$(pgrep -xn "$1")/status"
}

# What the first pods fetch into memory stays there.
measure() {
	watched=$(rss xenpod-watch)
	supervised=$(rss xenpodd)
}

pods_begin
bad=
began=$SECONDS
for ((i = 1; i <= many; i++)); do
	run_to pod --memory=128M $images/worker.aci -- 0 0
	observed=$((observed + 1))
	use pod
	end="$(cat "$t/pod.code") $(status "$uuid" '.pod | .state + " " + .cause') $(wc -l <"$t/pod.out")"
	[ "$end" = '0 exited finished 2' ] || bad+="pod $i: $end"$'\n'
	[ $i -ne 3 ] || measure
	((i % 10)) || echo "# $i pods, $((SECONDS - began)) s"
done
expect_eq "$many pods: each ended with 0 and gave its two lines" "$bad" ''
expect_eq "each was in a domain of its own" \
	"$(xenpod-status --json | jq '[.pods[] | select(.generation == 1)] | length')" "$many"
if [ "$many" -ge 3 ]; then
	check "the supervisor has not grown" test $(($(rss xenpodd) - supervised)) -le $growth_kib
	check "nor have its sensors" test $(($(rss xenpod-watch) - watched)) -le $growth_kib
fi

pods_end
