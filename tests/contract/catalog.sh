#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What `journalctl -x` tells: each identifier that xenpodd uses is explained, journalctl accepts the catalog,
# and only fields are named that an entry of that kind can have. The last line is `N passed, N failed`.
set -u

# shellcheck source-path=SCRIPTDIR source=checks.bash
. "$(dirname "$0")/checks.bash"
catalog=$top/dist/systemd/xenpod.catalog

ids=$(grep -oE '"[0-9a-f]{32}"' "$top/src/daemon/messages.h" | tr -d '"')
same "no identifier is used twice" "" "$(sort <<<"$ids" | uniq -d)"
same "each identifier is explained, and no other" "$(sort <<<"$ids")" "$(sed -n 's/^-- //p' "$catalog" | sort)"

mkdir -p "$T/usr/lib/systemd/catalog" "$T/var/lib/systemd/catalog"
cp "$catalog" "$T/usr/lib/systemd/catalog/"
same "journalctl accepts the catalog" "" "$(journalctl --root="$T" --update-catalog 2>&1)"
same "journalctl has each entry" "$(sort <<<"$ids")" \
	"$(journalctl --root="$T" --list-catalog 2>&1 | cut -d' ' -f1 | sort)"
for id in $ids; do
	text=$(journalctl --root="$T" --dump-catalog "$id" 2>&1)
	same "$id: has a subject" 1 "$(grep -c '^Subject: ' <<<"$text")"
	same "$id: fits a terminal" "" "$(grep -E '.{81}' <<<"$text")"
done

# Placeholders without a value are shown as they are.
fields=$(grep -ohE '"XENPOD_[A-Z]+"' "$top"/src/daemon/{trace.c,messages.h} | tr -d '"' | sort -u)
same "placeholders are fields" "" \
	"$(comm -23 <(grep -ohE '@[A-Z_]+@' "$catalog" | tr -d @ | sort -u) <(echo "$fields"))"
# A line of no pod has no UUID.
nameless=$(sed -n 's/.*MSG_\([A-Z_]*\), NULL.*/\1/p' "$top"/src/daemon/*.c | sort -u)
for name in $nameless; do
	id=$(sed -n "/define END_/q; s/^\tX($name, \"\([0-9a-f]*\)\").*/\1/p" "$top/src/daemon/messages.h")
	same "$name: names no field that it has not" "" \
		"$(journalctl --root="$T" --dump-catalog "$id" | grep -oE '@XENPOD_[A-Z]+@')"
done
finish
