#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Turns the numbered migrations into one C header: an array of {version, text}, in order.
set -eu

echo '/* Generated from sql/ by dist/sql2h.sh; not to be edited. */'
echo 'static const struct migration {'
echo '	int version;'
echo '	const char *sql;'
echo '} migrations[] = {'
for f in "$@"; do
	n=$(basename "$f" | sed 's/^0*\([0-9]*\).*/\1/')
	echo "	{$n,"
	# \? because two of them begin a trigraph.
	sed 's/[\\"?]/\\&/g; s/^/	 "/; s/$/\\n"/' "$f"
	echo '	},'
done
echo '};'
