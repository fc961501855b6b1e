#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What of the packages can be looked at without building them: all agree on the version and on the units
# that are enabled, an upgrade stops none, and the spec file for Fedora is one that rpm reads, with and without the stage1 image, and in
# which rpmlint finds nothing. Nothing is built from it. Prints TAP.
set -eu

cd "$(dirname "$0")/../.."
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
spec=dist/rpm/xenpod.spec
n=0

# expect WHAT COMMAND...: prints what it says when it fails.
expect() {
	n=$((n + 1))
	what=$1
	shift
	if "$@" >"$tmp/out" 2>&1; then
		echo "ok $n - $what"
	else
		echo "not ok $n - $what"
		sed 's/^/# /' "$tmp/out"
	fi
}

version=$(sed -n 's/^VERSION := //p' Makefile)
changelog() {
	grep -m 1 . dist/debian/changelog
	grep -qm 1 "^xenpod ($version-[0-9]*) " dist/debian/changelog
}
# What is told people first has to be of this version.
news() {
	grep -m 1 '^## [0-9]' docs/CHANGELOG.md
	[ "$(grep -m 1 '^## [0-9]' docs/CHANGELOG.md)" = "## $version" ]
}
spec_version() {
	[ "$(rpmspec -q --srpm --qf '%{version}' "$spec")" = "$version" ]
}
spec_reads() {
	rpmspec -P "$spec" >"$tmp/spec" && ! grep '^%package stage1' "$tmp/spec" &&
		rpmspec -P --with stage1 "$spec" >"$tmp/spec" && grep '^%package stage1' "$tmp/spec"
}
# Without the option debhelper stops a unit before each upgrade: for xenpod-pods.service that is all pods.
no_stop() {
	! grep 'dh_installsystemd ' dist/debian/rules | grep -v -- --no-stop-on-upgrade
}

# A template has no instance to begin with.
enabled() {
	for unit in dist/systemd/*.service dist/systemd/*.socket; do
		[ -L "$unit" ] || ! grep -q '^\[Install\]' "$unit" || told "${unit##*/}" # a link is another name
	done >"$tmp/units"
	cat "$tmp/units"
	! [ -s "$tmp/units" ]
}
told() {
	case $1 in *@*) return ;; esac
	grep -qxE "(enable|disable) $1" dist/systemd/presets/*.preset || echo "$1 is in no preset"
	grep -q "^%systemd_post .*\b$1\b" "$spec" || echo "$1 is not in $spec"
	{ cat dist/debian/rules && grep -h '^Also=' dist/systemd/*.service; } | grep -q "[ =]$1\b" ||
		echo "$1 is not in dist/debian/rules"
}

echo 1..7
expect "every unit that can be enabled is enabled by the packages and the preset" enabled
expect "dist/debian/changelog is of version $version" changelog
expect "docs/CHANGELOG.md begins with version $version" news
expect "the spec file is of version $version" spec_version
expect "rpm reads the spec file, with and without the stage1" spec_reads
expect "rpmlint finds nothing in it" rpmlint --rpmlintrc dist/rpm/xenpod.rpmlintrc "$spec"
expect "an upgrade of the Debian package stops no unit" no_stop
