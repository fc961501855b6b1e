#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# DEEP: needs the stage1 image, so a guest's kernel
# `make dist-opt`: the tarball for /opt is the same bytes each time, holds what the walk-through wants, and works
# in whatever directory it is unpacked: the programs find each other and the stage1 image without the place
# they were built for. Needs root for a private view of the installation, no Xen.
# The last line is `N passed, N failed`.
set -u

if [ "${XENPOD_TEST_NS:-}" != 1 ]; then
	exec env XENPOD_TEST_NS=1 unshare --mount --propagation private "$0" "$@"
fi
# shellcheck source-path=SCRIPTDIR source=checks.bash
. "$(dirname "$0")/checks.bash"
tarball=$top/build/dist/stage1-xen-build.tar.gz
daemon=
trap '[ -z "$daemon" ] || kill -9 $daemon 2>/dev/null; rm -rf "$T"' EXIT

build() {
	env -u VARIANT -u BUILD make -C "$top" --no-print-directory dist-opt >"$T/make" 2>&1 ||
		{ tail -n 20 "$T/make" && echo "0 passed, 1 failed" && exit 1; }
}
build
cp "$tarball" "$T/first.tar.gz"
(umask 077 && build)
same "twice the same bytes" "$(sha256sum <"$T/first.tar.gz")" "$(sha256sum <"$tarball")"

# ---- what is in it ---------------------------------------------------------------------------------------

tar tzvf "$tarball" >"$T/list"
same "all of it is in one directory" "" "$(awk '{ print $6 }' "$T/list" | grep -v '^stage1-xen/')"
same "all of it is root's" "" "$(awk '$2 != "0/0"' "$T/list")"
for file in aci/stage1-xen.aci bin/source_path.sh bin/xenpod bin/xenpod-status bin/xenpod-host bin/xenpod-metrics \
	sbin/xenpodd lib/xenpod/xenpod-act lib/xenpod/xenpod-watch lib/xenpod/xenpod-vif \
	share/xenpod/units/xenpodd.service share/man/man1/xenpod.1 share/doc/xenpod/LICENSE; do
	same "it has $file" 1 "$(grep -c " stage1-xen/$file\$" "$T/list")"
done
mkdir "$T/some where"
tar xzf "$tarball" -C "$T/some where"
home="$T/some where/stage1-xen"
same "its units do not know yet where they are" 1 "$(grep -c '^ExecStart=@PREFIX@/sbin/xenpodd' "$home/share/xenpod/units/xenpodd.service")"
same "nothing tells where it was built" "" "$(grep -rlF "$top" "$home/bin" "$home/sbin" "$home/lib" "$home/share/xenpod" | head)"
cmp -s "$top/build/stage1-xen.aci" "$home/aci/stage1-xen.aci"
same "the stage1 image is that of make aci" 0 $?

# ---- it works there --------------------------------------------------------------------------------------

# source_path.sh in each shell that can tell where a sourced file is, and one that cannot.
mkdir -p "$T/some where/xen-9.9/sbin" "$T/some where/qemu-9.9/bin"
want="$home/bin:$home/sbin:$T/some where/xen-9.9/sbin:$T/some where/qemu-9.9/bin:/usr/bin:/bin"
for shell in bash zsh ksh; do
	same "source_path.sh in $shell" "$want" \
		"$(cd / && env -i PATH=/usr/bin:/bin $shell -c '. "$1"; . "$1"; echo "$PATH"' - "$home/bin/source_path.sh")"
done
same "source_path.sh in sh" "$want" \
	"$(cd / && env -i PATH=/usr/bin:/bin XENPOD_HOME="$home" sh -c '. "$1"; echo "$PATH"' - "$home/bin/source_path.sh")"
same "it leaves nothing behind but the path" "" \
	"$(bash -c '. "$1"; set' - "$home/bin/source_path.sh" | grep -a '^_xenpod')"
same "source_path.sh in a ksh that cannot tell" "$want" \
	"$(cd / && env -i PATH=/usr/bin:/bin XENPOD_HOME="$home" mksh -c '. "$1"; echo "$PATH"' - "$home/bin/source_path.sh")"

for program in bin/xenpod bin/xenpod-status bin/xenpod-host bin/xenpod-metrics sbin/xenpodd; do
	"$home/$program" --version >"$T/out" 2>&1
	same "$program --version" 0 $?
done
# `xenpod status` and `xenpod host` are other programs, which are beside it.
same "xenpod host" "$("$home/bin/xenpod-host" --help)" "$(env -i PATH=/usr/bin:/bin "$home/bin/xenpod" host --help)"
same "xenpod status" "$("$home/bin/xenpod-status" --help | sed 1q)" "$(env -i PATH=/usr/bin:/bin "$home/bin/xenpod" status --help | sed 1q)"

# The supervisor takes its helpers from there: it names them when they are not there.
export XENPOD_STATE_DIR=$T/state XENPOD_RUN_DIR=$T/run
"$home/sbin/xenpodd" --world=sim --cgroup-root= >"$T/log" 2>&1 &
daemon=$!
for _ in $(seq 100); do
	[ ! -S "$T/run/status" ] || break
	sleep 0.1
done
"$home/bin/xenpod-status" --health >/dev/null
same "the supervisor answers" 0 $?
kill "$daemon"
wait "$daemon"
same "it ends" 0 $?
daemon=
# The stage1 image is found, though nobody names it, and unpacked; there is no supervisor to run it.
mkdir -p "$T/app/rootfs/bin"
printf '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/app","app":{"exec":["/bin/x"],"user":"0","group":"0"}}' >"$T/app/manifest"
env -u XENPOD_STAGE1_PATH "$home/bin/xenpod" run --dir="$T/data" --no-overlay "$T/app" >"$T/out" 2>"$T/err" </dev/null
same "the stage1 image is found: $(cat "$T/err")" 1 "$(grep -c 'the supervisor does not answer' "$T/err")"
same "it is that of the tarball" xenpod.io/stage1-xen \
	"$(cat "$T"/data/pods/*/*/stage1/manifest | python3 -c 'import json,sys; print(json.load(sys.stdin)["name"])')"
# Units and service directories name the place.
mkdir -p "$T/root/etc/init.d" "$T/root/etc/systemd/system" "$T/root/run/systemd/system" "$T/root/usr/bin"
touch "$T/root/etc/init.d/xen"
printf '#!/bin/sh\n' >"$T/root/usr/bin/xenstore-read"
chmod 755 "$T/root/usr/bin/xenstore-read"
"$home/bin/xenpod" host --root="$T/root" --state-dir="$T/records" services setup --xenpodd >"$T/out" 2>&1
same "a place that units cannot name" "254 1" "$? $(grep -c 'unpack it in a directory of letters' "$T/out")"
mv "$home" "$T/stage1-xen"
"$T/stage1-xen/bin/xenpod" host --root="$T/root" --state-dir="$T/records" services setup --xenpodd >"$T/out" 2>&1
same "its units: $(tail -n 1 "$T/out")" 1 \
	"$(grep -cxF "ExecStart=$T/stage1-xen/sbin/xenpodd --libexec-dir=$T/stage1-xen/lib/xenpod" "$T/root/etc/systemd/system/xenpodd.service")"
"$T/stage1-xen/bin/xenpod" host --root="$T/root" --state-dir="$T/records" services teardown >"$T/out" 2>&1
same "they go again" "" "$(find "$T/root/etc/systemd/system" -name '*xenpod*')"
finish
