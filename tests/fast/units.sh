#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# systemd's units: systemd accepts them, they are as hardened as docs/HARDENING.md says, and what is open
# there is explained there, no more and no less. The last line is `N passed, N failed`.
set -u

# shellcheck source-path=SCRIPTDIR source=../contract/checks.bash
. "$(dirname "$0")/../contract/checks.bash"
doc=$top/docs/HARDENING.md

# Its programs need not be there: /bin/true stands for each.
for unit in "$top"/dist/systemd/*.{service,socket,timer,slice}; do
	sed 's|@PREFIX@/[a-z]*/[a-z-]*|/bin/true|g; s|@PREFIX@|/usr|g' "$unit" >"$T/${unit##*/}"
done
mv "$T/xenpod@.service" "$T/xenpod@web.service"
for unit in "$T"/*; do
	# Other packages' units and ours of the host are none of ours.
	same "${unit##*/}: systemd accepts it" "" \
		"$(SYSTEMD_LOG_LEVEL=warning systemd-analyze verify --man=no "$unit" 2>&1 | grep -F "${unit##*/}:" |
			grep -vE 'not found|Failed to (create|load)|is masked')"
done

# exposure UNIT MOST, as the unit says it, in tenths.
exposure() {
	local got

	got=$(systemd-analyze security --offline=true "$T/$1" 2>/dev/null |
		sed -n 's/.*exposure level for .*: \([0-9.]*\) .*/\1/p')
	echo "#= $1: exposure $got of 10"
	same "$1: exposure of at most $2 ($got)" 1 "$(awk -v a="${got:-99}" -v b="$2" 'BEGIN { print (a <= b) }')"
	same "$1: the document says so" 1 "$(grep -cE "\`$1\`.* $2 at most" "$doc")"
}
exposure xenpodd.service 7.2
exposure xenpod-metrics.service 1

systemd-analyze security --offline=true --json=short "$T/xenpodd.service" >"$T/open.json" 2>/dev/null
open=$(python3 -c '
import json, sys
for row in json.load(sys.stdin):
    if not row["set"] and row["exposure"]:
        print(row["json_field"])' <"$T/open.json" | sort)
# shellcheck disable=SC2016 # they are backticks
same "each open setting is explained, and no other" "$open" \
	"$(sed -n '/^## What stays open/,$p' "$doc" | grep '^| `' | cut -d'|' -f2 | grep -oE '`[^`]+`' | tr -d '`' | sort)"
finish
