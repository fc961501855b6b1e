#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a package lives through, in a chroot of Debian without Xen and without a running systemd: install,
# upgrade, remove, purge. After each it is compared what should be there; at the end nothing may be left.
# The next version is this one with another number (next.sh). What would be asked of systemd is noted by a stand-in
# for deb-systemd-invoke. Needs root and Debian's package servers. The last line is `N passed, N failed`.
set -u
cd "$(dirname "$0")/../.." || exit 1
: "${VERSION:?}"

T=$(mktemp -d)
R=$T/root
trap 'rm -rf --one-file-system "$T"' EXIT
passed=0
failed=0

say() {
	if [ "$1" = 0 ]; then
		passed=$((passed + 1))
		echo "ok: $2"
	else
		failed=$((failed + 1))
		echo "FAILED: $2"
		[ -z "${3-}" ] || printf '%s\n' "$3" | head -n 40 | sed 's/^/    /'
	fi
}
same() { # WHAT WANTED GOT
	local rc=0
	[ "$2" = "$3" ] || rc=1
	say $rc "$1" "wanted: $2
got: $3"
}
there() { # WHAT TEST-ARGUMENTS...
	local what=$1 rc=0
	shift
	test "$@" || rc=1
	say $rc "$what" "test $*"
}

# Namespaces of its own: what a maintainer script would mount, or leave running, ends with the command.
inside() {
	unshare --mount --pid --fork --mount-proc="$R/proc" --kill-child chroot "$R" /usr/bin/env -i LC_ALL=C.UTF-8 \
		DEBIAN_FRONTEND=noninteractive PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}
dpkg_does() { # WHAT DPKG-ARGUMENTS...
	local what=$1 rc=0
	shift
	: >"$R/asked"
	inside dpkg "$@" >"$T/out" 2>&1 || rc=1
	say $rc "$what" "$(cat "$T/out")"
}
# Every path with its kind, mode and owner, and what is in the files of /etc. Not dpkg's and systemd's own
# books, caches, logs, and what is left behind by whoever changes /etc/group.
files() {
	(cd "$R" && find . -xdev \( -path ./var/lib/dpkg -o -path ./var/cache -o -path ./var/log -o \
		-path ./proc -o -path ./sys -o -path ./dev -o -path ./debs -o -path ./asked \) -prune -o \
		-printf '%p %y %m %U:%G %l\n' && find etc -type f -exec sha256sum {} +) |
		grep -vE 'etc/(passwd|shadow|group|gshadow)-|/\.pwd\.lock|etc/ld\.so\.cache' | LC_ALL=C sort
}
asked() { grep -v '^daemon-reload' "$R/asked" | sort | paste -sd';'; }

# ---- a Debian that has what the package depends on -------------------------------------------------
deb=$(echo build/deb/xenpod_"$VERSION"-*_amd64.deb)
stage1=$(echo build/deb/xenpod-stage1_"$VERSION"-*_amd64.deb)
version=$(dpkg-deb -f "$deb" Version)
depends=$(dpkg-deb -f "$deb" Depends | tr ',' '\n' | sed 's/|.*//; s/(.*//; s/ //g' | grep -v '^xenpod')
sources=
for f in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
	! grep -qsE '^[^#].*\bbookworm\b' "$f" || sources=${sources:-$f}
done
# Kept: it takes longer than all that is done with it.
base=build/deb-root-$(echo "$depends" | sha256sum | cut -c 1-12).tar
# shellcheck disable=SC2086 # no source: mmdebstrap's own
[ -e "$base" ] || { mmdebstrap --quiet --variant=minbase --format=tar --aptopt='APT::Install-Recommends "false"' \
	--include="systemd,passwd,$(echo "$depends" | paste -sd,)" bookworm "$base.tmp" $sources && mv "$base.tmp" "$base"; } ||
	exit 1
mkdir "$R"
tar -C "$R" --numeric-owner --xattrs --xattrs-include='*' -xpf "$base"

mkdir "$R/debs"
next=$version+next
cp "$deb" "$R/debs/xenpod.deb"
cp "$stage1" "$R/debs/stage1.deb"
cp build/deb-next/xenpod_*.deb "$R/debs/xenpod-next.deb"
cp build/deb-next/xenpod-stage1_*.deb "$R/debs/stage1-next.deb"

# As if systemd ran, whose part is to write down what it was asked.
mkdir -p "$R/run/systemd/system"
cat >"$R/usr/local/sbin/deb-systemd-invoke" <<'END'
#!/bin/sh
action=$1
shift
for unit; do [ "$unit" = "${unit#-}" ] && echo "$action $unit" >>/asked; done
exit 0
END
# Units are enabled by the real one, which needs no systemd for that.
cat >"$R/usr/local/sbin/systemctl" <<'END'
#!/bin/sh
case "$*" in
*daemon-reload*)
	echo daemon-reload >>/asked
	exit 0
	;;
esac
SYSTEMD_OFFLINE=1 exec /usr/bin/systemctl "$@"
END
chmod 755 "$R"/usr/local/sbin/*
files >"$T/before"

# ---- install ---------------------------------------------------------------------------------------
dpkg_does 'it is installed' -i /debs/stage1.deb /debs/xenpod.deb
same 'its units are started, the sockets too' \
	'start xenpod-admin.socket;start xenpod-pods.service;start xenpod-status.socket;start xenpodd.service' "$(asked)"
same 'its programs run' "xenpod $VERSION" "$(inside xenpod --version)"
same 'so does the supervisor' 0 "$(inside xenpodd --version >/dev/null; echo $?)"
there 'the group is made' -n "$(grep '^xenpod:' "$R/etc/group")"
same 'the store is for root alone' '700 0:0' "$(stat -c '%a %u:%g' "$R/var/lib/xenpod")"
for unit in multi-user.target.wants/xenpodd.service sockets.target.wants/xenpod-admin.socket \
	sockets.target.wants/xenpod-status.socket multi-user.target.wants/xenpod-pods.service; do
	there "$unit is enabled" -L "$R/etc/systemd/system/$unit"
done
# Only paths that are there may be named by the units.
missing=$(sed -n 's/^Exec[A-Za-z]*=[-@:+!]*\([^ ]*\).*/\1/p; s/^Documentation=file://p' \
	"$R"/lib/systemd/system/xenpod* | while read -r f; do [ -e "$R$f" ] || echo "$f"; done)
same 'what the units name is there' '' "$missing"
same 'no unit that stops pods would be stopped along with another of ours' '' \
	"$(grep -l '^ExecStop=' "$R"/lib/systemd/system/xenpod* | xargs -r grep -E '^(Requires|BindsTo|PartOf)=.*xenpod')"
same 'all files are as they were packed' '' "$(inside dpkg --verify xenpod xenpod-stage1 | grep -v '/doc/\|/man/')"

# ---- upgrade: the supervisor is restarted, nothing is stopped ------------------------------------------
mkdir -p "$R/run/xenpod/pods/0a0a0a0a-1111-4222-8333-444444444444"
echo rows >"$R/var/lib/xenpod/store.db"
dpkg_does 'it is upgraded' -i /debs/stage1-next.deb /debs/xenpod-next.deb
# shellcheck disable=SC2016 # dpkg-query's own
same 'the new version is there' "$next" "$(inside dpkg-query -W -f '${Version}' xenpod)"
same 'the supervisor is restarted, and nothing else; nothing is stopped' 'restart xenpodd.service' \
	"$(asked | tr ';' '\n' | grep -v '^start ' | paste -sd';')"
there 'the store is kept' -s "$R/var/lib/xenpod/store.db"

# ---- remove: the supervisor ends, pods do not -----------------------------------------------------------
dpkg_does 'it is removed' -r xenpod xenpod-stage1
there 'the supervisor is stopped' -n "$(grep 'stop xenpodd.service' "$R/asked")"
same 'what ends pods is not stopped but when it is forgotten how to' 'stop xenpodd.service;daemon-reload;stop xenpod-pods.service' \
	"$(grep -E 'daemon-reload|stop xenpod(d|-pods).service' "$R/asked" | uniq | paste -sd';')"
same 'the slice is not stopped while pods are in it' '' "$(grep 'stop xenpod.slice' "$R/asked")"
there 'it is told that pods are left' -n "$(grep '1 pods are left' "$T/out")"
there 'the store is kept' -s "$R/var/lib/xenpod/store.db"
same 'no program is left' '' "$(find "$R/usr" -name 'xenpod*' ! -path '*/share/doc/*')"

# ---- purge ------------------------------------------------------------------------------------------
dpkg_does 'it is purged while a pod is there' -P xenpod xenpod-stage1
there 'it is told what is kept' -n "$(grep 'are kept: there are pods' "$T/out")"
there 'the store is kept then' -s "$R/var/lib/xenpod/store.db"
rm -r "$R/run/xenpod/pods"

mkdir -p "$R/var/lib/xenpod/pods/exited-garbage/0b0b0b0b-1111-4222-8333-444444444444"
dpkg_does 'it is installed again over what was kept' -i /debs/stage1.deb /debs/xenpod.deb
there 'with the store' -s "$R/var/lib/xenpod/store.db"
dpkg_does 'it is purged while a pod that ended is there' -P xenpod xenpod-stage1
there 'the store is kept then, too' -s "$R/var/lib/xenpod/store.db"

rm -r "$R/var/lib/xenpod/pods/exited-garbage/"*
mkdir -p "$R/var/lib/xenpod/host"
echo '{}' >"$R/var/lib/xenpod/host/efi.json"
dpkg_does 'it is installed, and has made something of the host' -i /debs/stage1.deb /debs/xenpod.deb
dpkg_does 'it is purged while that is there' -P xenpod xenpod-stage1
there 'it is told what is kept for that' -n "$(grep 'what "xenpod host" has made is not taken back yet' "$T/out")"
same 'and nothing else is kept' 'host host/efi.json' "$(cd "$R/var/lib/xenpod" && find . -mindepth 1 -printf '%P\n' | sort | paste -sd' ')"
rm -r "$R/var/lib/xenpod/host"

dpkg_does 'it is installed once more' -i /debs/stage1.deb /debs/xenpod.deb
dpkg_does 'it is purged' -P xenpod xenpod-stage1
there 'the slice is stopped, for no pod is there' -n "$(grep 'stop xenpod.slice' "$R/asked")"
files >"$T/after"
same 'nothing is left' '' "$(diff "$T/before" "$T/after")"
same 'nor in the books of systemd' '' "$(find "$R/var/lib/systemd" -name '*xenpod*')"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
